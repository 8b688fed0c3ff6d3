/** A LoRA as GGUF, of random numbers that are the same every time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from './engine.js';
import { writeGguf } from './gguf-writer.mjs';
import type { Tensor } from './gguf-writer.mjs';

export interface LoraOptions {
  /** Width of the model: input and output of the query projection. */
  readonly width: number;
  readonly rank?: number;
  readonly layers?: number;
  /** Standard deviation of lora_b; 0 adds nothing to the weights. */
  readonly strength?: number;
  readonly seed?: number;
  /** Metadata to add or replace; undefined leaves a key out. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Tensors to add or replace. */
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/** Park and Miller's generator, six sums: near enough to normal numbers of deviation 1. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return () => (uniform() + uniform() + uniform() - uniform() - uniform() - uniform()) * Math.SQRT2;
}

export const tensor = (shape: readonly number[], value: () => number = () => 0.1): Tensor => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((product, extent) => product * extent, 1) }, value),
});

export function loraGguf({
  width,
  rank = 4,
  layers = 2,
  strength = 0.5,
  seed = 7,
  metadata = {},
  tensors = {},
}: LoraOptions): Buffer {
  const normal = normals(seed);
  const pairs: [string, Tensor][] = Array.from({ length: layers }, (_, layer) => `blk.${layer}.attn_q.weight`).flatMap(
    (name) => [
      [`${name}.lora_a`, tensor([width, rank], () => normal() / Math.sqrt(width))],
      [`${name}.lora_b`, tensor([rank, width], () => normal() * strength)],
    ],
  );
  return writeGguf(
    {
      'general.architecture': 'llama',
      'general.type': 'adapter',
      'adapter.type': 'lora',
      'adapter.lora.alpha': { f32: rank },
      ...metadata,
    },
    { ...Object.fromEntries(pairs), ...tensors },
  );
}

let files = 0;

/** Writes a LoRA and returns its path. */
export function loraFile(content: Buffer | LoraOptions): string {
  const path = join(folder, `lora-${files++}.gguf`);
  writeFileSync(path, Buffer.isBuffer(content) ? content : loraGguf(content));
  return path;
}
