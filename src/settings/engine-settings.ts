/** How an engine decodes. */
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { message, named, remedy } from '../message.js';
import { parseSettings } from './parse-settings.js';
import type { Given, SettingTable, Settled } from './setting.js';

const UNITS = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 } as const;

/** Bytes: `2147483648`, `2048M`, `2GB`, `2GiB`; all units are powers of 1024, as llama.cpp counts. */
const memorySize = z.string().transform((text, context) => {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Math.floor(Number(match?.[1]) * UNITS[(match?.[2]?.toLowerCase() ?? '') as keyof typeof UNITS]);
  if (bytes >= 1) return bytes;
  context.addIssue({ code: 'custom' });
  return z.NEVER;
});

const tokensOfADecode = z
  .int()
  .min(1)
  .max(1 << 20);

/** A run keeps the engine's build, which says what changes results slightly: device, type of the KV cache. */
export const engineSettings = {
  threads: {
    type: z.int().min(1).max(512).optional(),
    group: 'Engine',
    help: 'of decoding and sampling',
    absent: 'the physical cores',
    alias: 't',
    recorded: false,
  },
  gpuLayers: {
    type: z.int().min(0).max(1_000_000).optional(),
    group: 'Engine',
    help: 'layers on a GPU; 0 for none',
    unit: 'layers',
    absent: 'all',
    recorded: false,
  },
  device: {
    type: z.string().min(1).optional(),
    group: 'Engine',
    help: message`llama.cpp's name of the device that decodes; ${remedy('listDevices', 'listDevices lists them')}`,
    absent: 'the first GPU, else the CPU',
    recorded: false,
  },
  memoryBytes: {
    type: z.union([z.int().min(1), memorySize]).optional(),
    group: 'Engine',
    help: 'most memory of the KV cache, as 512MiB or 4GiB',
    unit: 'bytes',
    absent: 'half of what is free',
    expects: 'be an amount of memory, as 512MiB or 4GiB',
    flag: 'memory',
    recorded: false,
  },
  memoryShare: {
    type: z.number().gt(0).max(1).default(1),
    group: 'Engine',
    help: "part of the free main memory that this engine counts as its own: engines loaded together see the same memory free. A GPU's memory is not touched",
    flag: false,
    recorded: false,
  },
  contextLength: {
    type: z
      .int()
      .min(1)
      .max(2 ** 30)
      .optional(),
    group: 'Engine',
    help: 'most tokens of one sequence',
    unit: 'tokens',
    absent: "the model's own",
    flag: 'context',
    alias: 'c',
    recorded: false,
  },
  kv: {
    type: z.enum(['auto', 'split', 'unified']).default('auto'),
    group: 'Engine',
    help: 'one KV buffer for each sequence, one for all, or what is measured to be faster for the work at hand',
    recorded: false,
  },
  kvType: {
    type: z.enum(['f16', 'q8_0', 'f32']).default('f16'),
    group: 'Engine',
    help: 'what keys and values are kept as; q8_0 takes half the memory of f16 and changes results slightly, f32 takes twice',
    recorded: false,
  },
  flashAttention: {
    type: z.enum(['auto', 'on', 'off']).default('auto'),
    group: 'Engine',
    help: "llama.cpp's fused attention; auto: where it has it for the device",
    recorded: false,
  },
  batch: {
    type: tokensOfADecode.default(2048),
    group: 'Engine',
    help: 'most tokens of a decode',
    unit: 'tokens',
    flag: 'batch-size',
    alias: 'b',
    recorded: false,
  },
  ubatch: {
    type: tokensOfADecode.default(512),
    group: 'Engine',
    help: 'most tokens of a compute graph, and never more than of a decode',
    unit: 'tokens',
    flag: 'ubatch-size',
    recorded: false,
  },
  reproducible: {
    type: z.boolean().default(false),
    group: 'Engine',
    help: 'same seeds, same tokens, whatever else is decoded: one job at a time, each in a new context; slower. Give the memory too where it is scarce: how many sequences run at once depends on it',
  },
  queueLimit: {
    type: z.int().min(1).max(1_000_000).default(1024),
    group: 'Engine',
    help: 'most jobs that wait or run at once; another one is refused',
    unit: 'jobs',
    flag: false,
    recorded: false,
  },
} satisfies SettingTable;

/** What a caller may give. */
export type EngineSettings = Given<typeof engineSettings>;
/** With every default filled in. */
export type SettledEngine = Settled<typeof engineSettings>;

/** @throws T1Error USAGE that names the setting, or the two that exclude each other */
export function parseEngineSettings(settings: { readonly [Name in keyof EngineSettings]?: unknown }): SettledEngine {
  const parsed = parseSettings(engineSettings, settings);
  if (parsed.kvType === 'q8_0' && parsed.flashAttention === 'off')
    throw new T1Error(
      'USAGE',
      message`${parsed.kvType} needs flash attention: do not switch ${named('flashAttention')} off`,
      { setting: 'kvType' },
    );
  return parsed;
}
