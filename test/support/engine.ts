/** The real engine on the generated model, for tests. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEngine } from '../../src/engine/engine.js';
import type { EngineOptions } from '../../src/engine/engine.js';
import type { Engine, SampleRequest, SamplerOptions } from '../../src/engine/engine-types.js';
import { shippedModel } from '../../src/paths.js';
import { readGguf } from './gguf-reader.mjs';
import { writeGguf } from './gguf-writer.mjs';
import { tinyGguf } from './tiny-gguf.mjs';
import type { TinyOptions } from './tiny-gguf.mjs';

export const folder = mkdtempSync(join(tmpdir(), 't1-engine-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** Writes a GGUF and returns its path. */
export function modelFile(content: Buffer | TinyOptions = {}): string {
  const path = join(folder, `model-${files++}.gguf`);
  writeFileSync(path, Buffer.isBuffer(content) ? content : tinyGguf(content));
  return path;
}

let shippedInF32: string | undefined;
/** The model that ships with matrices of F32: what is multiplied with F16 is rounded to F16. */
export function shippedF32(): string {
  if (shippedInF32 !== undefined) return shippedInF32;
  const { pairs, tensors } = readGguf(readFileSync(shippedModel));
  return (shippedInF32 = modelFile(writeGguf({ ...pairs, 'general.file_type': 0 }, tensors)));
}

/** On matrices of F32 nothing is rounded to F16 then. With flash attention llama.cpp reads an F32 cache as F16. */
export const PRECISE = { kvType: 'f32', flashAttention: 'off' } as const;

/**
 * How far log-probabilities that are computed twice may lie apart, in natural log: by an engine that is PRECISE, among
 * other rows, in another layout, on another processor. A single one lies 5 deviations of 0.00015 from the exact one at
 * most (see addon/reference.test.ts; of the generated model 0.00006). With a cache of F16 it would be 0.4: whoever
 * compares what depends on rounding does so without one.
 */
export const ROUNDING = 2e-3;

/** Bytes of a cell, for the generated model on a PRECISE engine. K and V: 2 layers × 2 heads × (16 + 16) × 4 bytes. */
export const CELL = 512;

let tiny: string | undefined;

/** PRECISE. One thread: helper threads wait by spinning, which takes long on a busy machine. */
export const tinyEngine = (options: Partial<EngineOptions> = {}): Promise<Engine> =>
  loadEngine({ path: (tiny ??= modelFile()), threads: 1, memoryBytes: 256 << 20, ...PRECISE, ...options });

export const GREEDY: SamplerOptions = { temperature: 0, topK: 0, topP: 1, minP: 0 };
export const PLAIN: SamplerOptions = { temperature: 1, topK: 0, topP: 1, minP: 0 };

export const seeds = (n: number, first = 0): number[] => Array.from({ length: n }, (_, i) => first + i);

/** A request of one prompt. */
export async function request(
  engine: Engine,
  prompt: string,
  n: number,
  rest: Partial<SampleRequest> = {},
): Promise<SampleRequest> {
  return {
    prompts: [{ tokens: await engine.tokenize(prompt, { special: true }), seeds: seeds(n) }],
    sampler: PLAIN,
    maxTokens: 16,
    ...rest,
  };
}
