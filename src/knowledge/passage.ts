/** A piece of text that is found as a whole. */
export interface Passage {
  /** Unique in its index. */
  readonly id: string;
  readonly title: string | null;
  readonly text: string;
}

export interface Hit {
  readonly passage: Passage;
  /** BM25, larger is better; only comparable within one index. */
  readonly score: number;
}
