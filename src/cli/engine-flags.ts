/** Flags of the engine, for commands that decode. */
import type { Argv } from 'yargs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import type { EngineOptions } from '../engine/engine.js';

export const withEngine = <T>(yargs: Argv<T>) =>
  yargs
    .option('threads', {
      alias: 't',
      type: 'number',
      requiresArg: true,
      describe: 'of decoding and sampling (default: the physical cores)',
    })
    .option('gpu-layers', { type: 'number', requiresArg: true, describe: 'layers on a GPU; 0 for none (default: all)' })
    .option('device', {
      type: 'string',
      requiresArg: true,
      describe: 'what decodes; t1 inspect gpu lists names (default: the first GPU, else the CPU)',
    })
    .option('memory', {
      type: 'string',
      requiresArg: true,
      describe: 'most memory of the KV cache, as 512MiB or 4GiB (default: half of what is free)',
    })
    .option('context', {
      type: 'number',
      requiresArg: true,
      describe: "most tokens of one sequence (default: the model's own)",
    })
    .option('kv', {
      choices: ['auto', 'split', 'unified'] as const,
      default: 'auto' as const,
      requiresArg: true,
      describe: 'one KV buffer for each sequence, one for all, or what is measured to be faster',
    })
    .option('kv-type', {
      choices: ['f16', 'q8_0'] as const,
      default: 'f16' as const,
      requiresArg: true,
      describe: 'what keys and values are kept as',
    })
    .option('flash-attention', {
      choices: ['auto', 'on', 'off'] as const,
      default: 'auto' as const,
      requiresArg: true,
      describe: "llama.cpp's fused attention",
    })
    .option('batch-size', {
      alias: 'b',
      type: 'number',
      default: 2048,
      requiresArg: true,
      describe: 'most tokens of a decode',
    })
    .option('ubatch-size', {
      type: 'number',
      default: 512,
      requiresArg: true,
      describe: 'most tokens of a compute graph',
    })
    .option('reproducible', {
      type: 'boolean',
      default: false,
      describe: 'same seeds, same tokens, whatever else was decoded before; slower',
    })
    .group(
      [
        'threads',
        'gpu-layers',
        'device',
        'memory',
        'context',
        'kv',
        'kv-type',
        'flash-attention',
        'batch-size',
        'ubatch-size',
        'reproducible',
      ],
      'Engine:',
    );

export type EngineArguments = Awaited<ReturnType<typeof withEngine<object>>['argv']>;

const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/** Bytes: `2147483648`, `2048M`, `2GB`, `2GiB`; all units are powers of 1024, as llama.cpp counts. */
const memorySize = z.string().transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Math.floor(Number(match?.[1]) * UNITS[(match?.[2]?.toLowerCase() ?? '') as keyof typeof UNITS]);
  if (bytes >= 1) return bytes;
  context.addIssue({ code: 'custom', message: `'${text}' is no amount of memory: write 512MiB or 4GiB` });
  return z.NEVER;
});

const engineFlags = z.object({
  threads: z.int().min(1).max(512).optional(),
  gpuLayers: z.int().min(0).max(1_000_000).optional(),
  device: z.string().min(1).optional(),
  memory: memorySize.optional(),
  context: z
    .int()
    .min(1)
    .max(2 ** 30)
    .optional(),
  kv: z.enum(['auto', 'split', 'unified']),
  kvType: z.enum(['f16', 'q8_0']),
  flashAttention: z.enum(['auto', 'on', 'off']),
  batchSize: z
    .int()
    .min(1)
    .max(1 << 20),
  ubatchSize: z
    .int()
    .min(1)
    .max(1 << 20),
  reproducible: z.boolean(),
});

/** @throws T1Error USAGE that names the flag */
export function engineOptions(args: EngineArguments): Omit<EngineOptions, 'path' | 'adapters'> {
  const parsed = engineFlags.safeParse(args);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const flag = String(issue?.path[0] ?? 'flags').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new T1Error('USAGE', `--${flag}: ${issue?.message ?? 'not usable'}`);
  }
  const { threads, gpuLayers, device, memory, context, batchSize, ubatchSize, ...rest } = parsed.data;
  if (rest.kvType !== 'f16' && rest.flashAttention === 'off') {
    throw new T1Error('USAGE', `--kv-type ${rest.kvType} needs flash attention: leave out --flash-attention off`);
  }
  return {
    ...rest,
    batch: batchSize,
    ubatch: Math.min(ubatchSize, batchSize),
    ...(threads !== undefined && { threads }),
    ...(gpuLayers !== undefined && { gpuLayers }),
    ...(device !== undefined && { device }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(context !== undefined && { contextLength: context }),
  };
}

/** What each of two engines in this process may take. */
export const halved = ({
  memoryBytes,
  ...flags
}: ReturnType<typeof engineOptions>): ReturnType<typeof engineOptions> => ({
  ...flags,
  memoryShare: 0.5,
  ...(memoryBytes !== undefined && { memoryBytes: memoryBytes / 2 }),
});
