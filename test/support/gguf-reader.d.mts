import type { Tensor } from './gguf-writer.mjs';

export interface GgufContent {
  /** Metadata as writeGguf takes it: F32 as `{ f32 }`. */
  readonly pairs: Readonly<Record<string, unknown>>;
  /** Matrices of F16 as F32 too: nothing is lost. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export function readGguf(bytes: Buffer): GgufContent;
