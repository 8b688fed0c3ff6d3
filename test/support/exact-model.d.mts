import type { GgufContent } from './gguf-reader.mjs';

/** What a number is kept as. */
export type Kept = 'f32' | 'f16';

/** Where llama.cpp rounds. Positions turn into angles in F32 always. */
export interface Roundings {
  /** What a matrix is multiplied with: it becomes of the matrix's type. */
  readonly input: Kept;
  /** Keys, values and queries, and attention's running sum of values. */
  readonly cache: Kept;
  /** A product's running sums: F32, but processors with F16 arithmetic (most ARM) sum products of F16 in F16. */
  readonly sum: Kept;
}

export const ROUNDINGS: {
  /** Matrices and cache of F32, no flash attention (which reads an F32 cache as F16). */
  readonly f32: Roundings;
  /** Matrices of F32, cache of F16. */
  readonly f16Cache: Roundings;
  readonly f16: Roundings;
  readonly f16Summed: Roundings;
};

export class ExactModel {
  constructor(content: GgufContent);
  /**
   * Natural logs of the probabilities of all next tokens (with a classification head: of its classes) after the tokens up to
   * each of `at`. → [at][vocabulary]
   *
   * @param places the position of each token; 0, 1, 2, … when absent
   */
  logprobs(tokens: readonly number[], at: readonly number[], places?: readonly number[]): Float64Array[];
  /** The same as a processor might compute it: rounded, in directions that `seed` chooses. */
  rounded(tokens: readonly number[], at: readonly number[], roundings: Roundings, seed: number): Float64Array[];
}

export function logSoftmax(logits: Float64Array): Float64Array;
