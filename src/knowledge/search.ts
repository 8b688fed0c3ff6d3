/**
 * The k best passages by BM25, exactly, without scoring all of them.
 *
 *   score(q, p) = Σ over terms t of q:  count(t, q) · idf(t) · f / (f + norm(p))
 *   norm(p)     = k1 · (1 − b + b · length(p) / mean length)
 *   idf(t)      = ln(1 + (N − n + 0.5) / (n + 0.5))        n of N passages have t, f times in p
 *
 * This is Lucene's formula (since its version 8, without the constant factor k1 + 1), with lengths as they are, not
 * rounded.
 *
 * Passages are taken in windows, and within a window term by term. Blocks of postings bound what a term can add there.
 * Terms that could not lift a passage to the k-th best score so far even all together are looked up only for passages
 * which another term has lifted far enough (MaxScore). Sums are float32 here; what comes close enough to the k-th best
 * at the end is scored again in float64, in the order of the query's terms, so the result does not depend on what was
 * skipped.
 */
import { Best } from './best.js';
import { TermCursor, type Window } from './cursor.js';
import type { Postings } from './postings.js';

export interface Bm25 {
  /** How soon more of the same term stops to count; 0: at once. */
  readonly k1: number;
  /** How much long passages are held back; 0: not at all, 1: in full. */
  readonly b: number;
}

/** Passages of a window; sums and norms of one fit into a core's own cache. */
const WINDOW = 1 << 15;

/**
 * Terms wait for others while together they cannot add more than this share of what a passage needs. With 1, the fewest
 * passages of frequent terms are read, but then nearly every passage is a candidate that the waiting terms are looked
 * up for.
 */
const WAITING_SHARE = 0.25;

export interface QueryTerm {
  /** Times in the query. */
  readonly count: number;
  /** One list for each segment that has the term, in the order of passages. */
  readonly lists: readonly Postings[];
}

export interface Scored {
  readonly passage: number;
  readonly score: number;
}

export class Scorer {
  private readonly window: Window;
  private readonly candidates: Uint32Array;
  private readonly meanLength: number;
  private norms: { readonly of: Bm25; readonly byPassage: Float32Array } | undefined;

  /**
   * @param lengths of the passages, terms
   * @param windowPassages of a window; for tests
   */
  constructor(
    private readonly lengths: Uint32Array,
    totalTerms: number,
    private readonly windowPassages = WINDOW,
  ) {
    this.window = { start: 0, end: 0, sums: new Float32Array(windowPassages) };
    this.candidates = new Uint32Array(windowPassages);
    this.meanLength = lengths.length === 0 ? 1 : Math.max(totalTerms / lengths.length, Number.MIN_VALUE);
  }

  search(query: readonly QueryTerm[], k: number, bm25: Bm25): Scored[] {
    const near = this.nearTheBest(this.cursorsOf(query, bm25), k, bm25);
    return this.exactly(near, this.cursorsOf(query, bm25), bm25)
      .sort((a, b) => b.score - a.score || a.passage - b.passage)
      .slice(0, k);
  }

  private cursorsOf(query: readonly QueryTerm[], { k1, b }: Bm25): TermCursor[] {
    const norm = (length: number): number => this.norm(length, k1, b);
    return query.map(({ count, lists }) => {
      const having = lists.reduce((sum, list) => sum + list.count, 0);
      return new TermCursor(lists, count * Math.log(1 + (this.lengths.length - having + 0.5) / (having + 0.5)), norm);
    });
  }

  private norm(length: number, k1: number, b: number): number {
    return k1 * (1 - b + (b * length) / this.meanLength);
  }

  private normsFor(bm25: Bm25): Float32Array {
    if (this.norms?.of.k1 !== bm25.k1 || this.norms.of.b !== bm25.b) {
      this.norms = {
        of: bm25,
        byPassage: Float32Array.from(this.lengths, (length) => this.norm(length, bm25.k1, bm25.b)),
      };
    }
    return this.norms.byPassage;
  }

  /** Passages whose float32 sum is not below the k-th best by more than rounding explains; ascending. */
  private nearTheBest(cursors: readonly TermCursor[], k: number, bm25: Bm25): Uint32Array {
    const { window } = this;
    const norms = this.normsFor(bm25);
    const best = new Best(k);
    const kept: { passage: number; sum: number }[] = [];
    const closeness = 1 - (cursors.length + 8) * 2 ** -21; // several times what rounding can do to float32 sums
    for (window.start = 0; window.start < this.lengths.length; window.start = window.end) {
      window.end = Math.min(window.start + this.windowPassages, this.lengths.length);
      const count = this.searchWindow(cursors, norms, best.least * closeness);
      for (let i = 0; i < count; i++) {
        const place = this.candidates[i] as number;
        const sum = window.sums[place] as number;
        best.offer(sum);
        if (sum >= best.least * closeness) kept.push({ passage: window.start + place, sum });
      }
    }
    return Uint32Array.from(
      kept.filter(({ sum }) => sum >= best.least * closeness),
      ({ passage }) => passage,
    );
  }

  /**
   * Leaves whole sums of all passages of the window that reach `least`, and their places in the window in `candidates`.
   *
   * @returns how many these are
   */
  private searchWindow(cursors: readonly TermCursor[], norms: Float32Array, least: number): number {
    const { window } = this;
    const here: TermCursor[] = [];
    for (const cursor of cursors) {
      cursor.bound(window);
      if (cursor.most > 0) here.push(cursor);
    }
    here.sort((a, b) => a.most - b.most);
    // The first of them, those that cannot lift a passage to `least` together, wait until others have.
    let waiting = 0;
    let fromWaiting = 0;
    const most = least * WAITING_SHARE;
    while (waiting < here.length && fromWaiting + (here[waiting] as TermCursor).most < most)
      fromWaiting += (here[waiting++] as TermCursor).most;
    if (waiting === here.length) return 0;
    window.sums.fill(0);
    for (let i = waiting; i < here.length; i++) (here[i] as TermCursor).addAll(window, norms);
    let count = this.firstCandidates(least - fromWaiting);
    for (let i = waiting - 1; i >= 0 && count > 0; i--) {
      const cursor = here[i] as TermCursor;
      fromWaiting -= cursor.most;
      this.addTo(cursor, norms, count);
      count = this.reaching(least - Math.max(fromWaiting, 0), count);
    }
    return count;
  }

  /** Places in the window with a sum of at least this. */
  private firstCandidates(least: number): number {
    const { window, candidates } = this;
    const { sums } = window;
    const places = window.end - window.start;
    const floor = Math.max(least, Number.MIN_VALUE); // who has none of the terms has a sum of 0
    let count = 0;
    for (let place = 0; place < places; place++) {
      if ((sums[place] as number) >= floor) candidates[count++] = place;
    }
    return count;
  }

  /** Adds a term to the candidates: looked up one by one, or to the whole window where that is less work. */
  private addTo(cursor: TermCursor, norms: Float32Array, count: number): void {
    const { window, candidates } = this;
    const { sums, start } = window;
    if (cursor.postings < 2 * count) {
      cursor.addAll(window, norms);
      return;
    }
    for (let i = 0; i < count; i++) {
      const place = candidates[i] as number;
      const frequency = cursor.frequencyIn(start + place);
      if (frequency > 0)
        sums[place] =
          (sums[place] as number) + (cursor.weight * frequency) / (frequency + (norms[start + place] as number));
    }
  }

  /** @returns how many of the candidates have a sum of at least this; the others are dropped */
  private reaching(least: number, count: number): number {
    const { window, candidates } = this;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const place = candidates[i] as number;
      if ((window.sums[place] as number) >= least) candidates[kept++] = place;
    }
    return kept;
  }

  private exactly(passages: Uint32Array, cursors: readonly TermCursor[], { k1, b }: Bm25): Scored[] {
    const scores = new Float64Array(passages.length);
    for (const cursor of cursors) {
      passages.forEach((passage, i) => {
        const frequency = cursor.frequencyIn(passage);
        if (frequency > 0)
          scores[i] =
            (scores[i] as number) +
            (cursor.weight * frequency) / (frequency + this.norm(this.lengths[passage] as number, k1, b));
      });
    }
    return Array.from(passages, (passage, i) => ({ passage, score: scores[i] as number }));
  }
}
