/** What a comparison of two answers can come to, and how exact it is. */

/** null where it cannot be told. */
export type Equality = boolean | null;

export interface Tolerance {
  /** Numbers are also the same when they round to the same at this many digits after the point; null: exact. */
  readonly decimals: number | null;
}
