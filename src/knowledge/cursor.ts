/**
 * The postings of one query term, read once from the first passage to the last; blocks that nobody needs are skipped.
 */
import {
  BLOCK_FIELDS,
  BLOCK_POSTINGS,
  blockCount,
  LAST_PASSAGE,
  MOST_FREQUENT,
  newBlock,
  readBlock,
  SHORTEST,
  type Block,
  type Postings,
} from './postings.js';

/** What the cursor adds to, by passage from `start` on. */
export interface Window {
  /** First passage, and the one after the last. */
  start: number;
  end: number;
  readonly sums: Float32Array;
}

export class TermCursor {
  /** No passage of the window gets more from this term; as of `bound`. */
  most = 0;
  /** The window has at most so many of its postings; as of `bound`. */
  postings = 0;
  private list = 0;
  private index = 0;
  private read = false;
  private at = 0;
  private readonly block: Block = newBlock();
  /** By list and block: the most that f / (f + norm) can be. */
  private readonly shares: readonly Float64Array[];

  /**
   * @param lists one for each segment that has the term, in the order of passages
   * @param weight of the term in this query
   * @param norm of a passage of that many terms; see search.ts
   */
  constructor(
    private readonly lists: readonly Postings[],
    readonly weight: number,
    norm: (length: number) => number,
  ) {
    this.shares = lists.map((list) =>
      Float64Array.from({ length: blockCount(list) }, (_, index) => {
        const frequency = list.blocks[index * BLOCK_FIELDS + MOST_FREQUENT] as number;
        return frequency / (frequency + norm(list.blocks[index * BLOCK_FIELDS + SHORTEST] as number));
      }),
    );
  }

  /** Goes on to the window and bounds what it holds, by its blocks alone where they are short beside the window. */
  bound({ start, end }: Window): void {
    this.most = this.postings = 0;
    if (!this.skipTo(start) || (this.isLong(end - start) && this.next(start) >= end)) return;
    let most = 0;
    for (let list = this.list, index = this.index; list < this.lists.length; list++, index = 0) {
      const { blocks } = this.lists[list] as Postings;
      const shares = this.shares[list] as Float64Array;
      for (; index < shares.length; index++) {
        // The first passage of a block is not known, but it comes after the last one of the block before.
        if (index > 0 && (blocks[(index - 1) * BLOCK_FIELDS + LAST_PASSAGE] as number) >= end - 1) {
          this.most = this.weight * most;
          return;
        }
        if ((shares[index] as number) > most) most = shares[index] as number;
        this.postings += BLOCK_POSTINGS;
      }
    }
    this.most = this.weight * most;
  }

  /** All postings of the window. @param norms by passage */
  addAll({ start, end, sums }: Window, norms: Float32Array): void {
    const { weight, block } = this;
    const { passages, frequencies } = block;
    while (this.load()) {
      const { count } = block;
      let at = this.at;
      while (at < count && (passages[at] as number) < start) at++;
      for (; at < count; at++) {
        const passage = passages[at] as number;
        if (passage >= end) break;
        const frequency = frequencies[at] as number;
        sums[passage - start] =
          (sums[passage - start] as number) + (weight * frequency) / (frequency + (norms[passage] as number));
      }
      this.at = at;
      if (at < count) return;
      this.nextBlock();
    }
  }

  /** Times that the term is in a passage. Passages must be asked for in order. */
  frequencyIn(passage: number): number {
    if (!this.skipTo(passage) || !this.load()) return 0;
    const { passages, frequencies, count } = this.block;
    let { at } = this;
    while (at < count && (passages[at] as number) < passage) at++;
    this.at = at;
    return at < count && passages[at] === passage ? (frequencies[at] as number) : 0;
  }

  /** Whether the block at hand reaches over more than a window. */
  private isLong(window: number): boolean {
    const { blocks } = this.lists[this.list] as Postings;
    const at = this.index * BLOCK_FIELDS + LAST_PASSAGE;
    return (blocks[at] as number) - (this.index === 0 ? 0 : (blocks[at - BLOCK_FIELDS] as number)) > window;
  }

  /** The first passage with the term from this one on, of the block at hand, which has one. */
  private next(passage: number): number {
    this.load();
    const { passages } = this.block;
    while ((passages[this.at] as number) < passage) this.at++;
    return passages[this.at] as number;
  }

  /** To the block that may have the passage or a later one. @returns false at the end */
  private skipTo(passage: number): boolean {
    for (; this.list < this.lists.length; this.list++, this.index = 0, this.read = false) {
      const { blocks } = this.lists[this.list] as Postings;
      let at = this.index * BLOCK_FIELDS;
      if (at < blocks.length && (blocks[at + LAST_PASSAGE] as number) >= passage) return true;
      while (at < blocks.length && (blocks[at + LAST_PASSAGE] as number) < passage) at += BLOCK_FIELDS;
      this.index = at / BLOCK_FIELDS;
      this.read = false;
      if (at < blocks.length) return true;
    }
    return false;
  }

  private nextBlock(): void {
    this.index++;
    this.read = false;
  }

  /** Reads the block at hand, if it was not. @returns false at the end */
  private load(): boolean {
    if (this.read) return true;
    while (this.list < this.lists.length && this.index >= blockCount(this.lists[this.list] as Postings)) {
      this.list++;
      this.index = 0;
    }
    const postings = this.lists[this.list];
    if (!postings) return false;
    readBlock(postings, this.index, this.block);
    this.read = true;
    this.at = 0;
    return true;
  }
}
