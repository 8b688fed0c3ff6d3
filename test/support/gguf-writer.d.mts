export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export function writeGguf(pairs: Readonly<Record<string, unknown>>, tensors: Readonly<Record<string, Tensor>>): Buffer;
