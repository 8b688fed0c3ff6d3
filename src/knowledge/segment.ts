/**
 * What is indexed between two commits, in memory: for each passage, which terms it holds and how often, in flat arrays.
 * When it is full, a counting sort turns it from passage → terms to term → passages.
 */
import type { Term } from './analysis.js';
import { bytesOf } from './merge.js';
import { compareCodePoints } from './code-points.js';
import { PostingsWriter, type Postings } from './postings.js';

/**
 * Postings before a segment is written: 24 bytes of memory each at most, and some seconds of work that a kill can lose.
 */
export const SEGMENT_POSTINGS = 1 << 21;

export class Segment {
  private readonly numbers = new Map<string, number>();
  private readonly terms: string[] = [];
  /** By term: how often in the passage at hand; passages that have it. */
  private inPassage: Uint32Array = new Uint32Array(1 << 16);
  private passagesWith: Uint32Array = new Uint32Array(1 << 16);
  /** Terms of the passage at hand, each once. */
  private readonly touched: number[] = [];
  /** By posting, passage after passage. */
  private termOf: Uint32Array = new Uint32Array(1 << 16);
  private frequencyOf: Uint32Array = new Uint32Array(1 << 16);
  private count = 0;
  /** By passage: where its postings end; its length in terms. */
  private readonly ends: number[] = [];
  private readonly lengths: number[] = [];
  private length = 0;

  /** @param first number of its first passage */
  constructor(readonly first: number) {}

  get passages(): number {
    return this.lengths.length;
  }

  get postings(): number {
    return this.count;
  }

  get differentTerms(): number {
    return this.terms.length;
  }

  /** One more term of the passage at hand. */
  readonly addTerm = (term: Term): void => {
    if (term.owner !== this) [term.owner, term.number] = [this, this.numbers.get(term.text) ?? this.newTerm(term.text)];
    const { number } = term;
    const times = this.inPassage[number] ?? 0;
    if (times === 0) this.touched.push(number);
    this.inPassage[number] = times + 1;
    this.length++;
  };

  /** @returns the length of the passage, terms */
  endPassage(): number {
    const { length, touched } = this;
    while (this.count + touched.length > this.termOf.length) {
      this.termOf = doubled(this.termOf);
      this.frequencyOf = doubled(this.frequencyOf);
    }
    for (const term of touched) {
      this.termOf[this.count] = term;
      this.frequencyOf[this.count++] = this.inPassage[term] ?? 0;
      this.inPassage[term] = 0;
      this.passagesWith[term] = (this.passagesWith[term] ?? 0) + 1;
    }
    touched.length = 0;
    this.ends.push(this.count);
    this.lengths.push(length);
    this.length = 0;
    return length;
  }

  /** uint32 little-endian, one for each passage. */
  lengthBytes(): Buffer {
    return bytesOf(Uint32Array.from(this.lengths));
  }

  /** Terms in SQLite's order; the postings of one hold until the next is asked for. */
  *sorted(): Generator<{ readonly term: string; readonly postings: Postings }, void> {
    const { ends, passages, frequencies } = this.byTerm();
    const order = Uint32Array.from(this.terms, (_, number) => number).sort((a, b) =>
      compareCodePoints(this.terms[a] ?? '', this.terms[b] ?? ''),
    );
    const writer = new PostingsWriter();
    for (const number of order) {
      const end = ends[number] ?? 0;
      for (let at = end - (this.passagesWith[number] ?? 0); at < end; at++) {
        const local = passages[at] ?? 0;
        writer.add(this.first + local, frequencies[at] ?? 0, this.lengths[local] ?? 0);
      }
      yield { term: this.terms[number] ?? '', postings: writer.take() };
    }
  }

  private newTerm(term: string): number {
    const number = this.terms.push(term) - 1;
    this.numbers.set(term, number);
    if (number >= this.inPassage.length) {
      this.inPassage = doubled(this.inPassage);
      this.passagesWith = doubled(this.passagesWith);
    }
    return number;
  }

  /** Counting sort, stable: passages of a term stay in order. Where the postings of each term end, and both columns. */
  private byTerm(): { ends: Uint32Array; passages: Uint32Array; frequencies: Uint32Array } {
    const ends = new Uint32Array(this.terms.length);
    let sum = 0;
    for (let number = 0; number < ends.length; number++) {
      ends[number] = sum;
      sum += this.passagesWith[number] ?? 0;
    }
    const passages = new Uint32Array(this.count);
    const frequencies = new Uint32Array(this.count);
    let at = 0;
    for (let passage = 0; passage < this.ends.length; passage++) {
      for (const end = this.ends[passage] ?? 0; at < end; at++) {
        const number = this.termOf[at] ?? 0;
        const place = ends[number] ?? 0;
        ends[number] = place + 1;
        passages[place] = passage;
        frequencies[place] = this.frequencyOf[at] ?? 0;
      }
    }
    return { ends, passages, frequencies };
  }
}

function doubled(array: Uint32Array): Uint32Array {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
