/** The real engine on the generated model, for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEngine } from '../../src/engine/engine.js';
import type { EngineOptions } from '../../src/engine/engine.js';
import type { Engine, SampleRequest, SamplerOptions } from '../../src/engine/engine-types.js';
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

let tiny: string | undefined;

/** One thread: helper threads wait by spinning, which takes long on a busy machine. */
export const tinyEngine = (options: Partial<EngineOptions> = {}): Promise<Engine> =>
  loadEngine({ path: (tiny ??= modelFile()), threads: 1, memoryBytes: 256 << 20, ...options });

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
