/**
 * The k best passages by BM25, exactly, without scoring all of them.
 *
 *   score(q, p) = Σ over terms t of q:  count(t, q) · idf(t) · f / (f + k1 · (1 − b + b · length(p) / mean length))
 *   idf(t)      = ln(1 + (N − n + 0.5) / (n + 0.5))        n of N passages have t, f times in p
 *
 * This is Lucene's formula (since its version 8, without the constant factor k1 + 1), with lengths as they are, not rounded.
 *
 * Terms are taken by the most that they can add, largest first, and summed up passage by passage in float32. As soon as all that is
 * left cannot lift a passage from nothing to the k-th best score, only passages that still can get there are looked
 * up in the remaining lists, whose other blocks are skipped, and fewer after each term (MaxScore, term by term). Those that
 * are left are scored again in float64, in the order of the query's terms, so the result does not depend on what was skipped.
 */
import { BLOCK_FIELDS, BLOCK_POSTINGS, blockCount, LAST_PASSAGE, MOST_FREQUENT, newBlock, readBlock, SHORTEST, type Block, type Postings } from './postings.js';
import { Top } from './top.js';

export interface Bm25 {
  /** How soon more of the same term stops to count; 0: at once. */
  readonly k1: number;
  /** How much long passages are held back; 0: not at all, 1: in full. */
  readonly b: number;
}

/** Anserini's; bench/results/retrieval.json has the grid. */
export const defaultBm25: Bm25 = { k1: 0.9, b: 0.4 };

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

interface WeightedTerm {
  readonly lists: readonly Postings[];
  readonly weight: number;
  /** No passage gets more from this term. */
  readonly most: number;
}

export class Scorer {
  private readonly sums: Float32Array;
  private readonly block: Block = newBlock();
  private readonly meanLength: number;
  private norms: { readonly of: Bm25; readonly byPassage: Float32Array } | undefined;

  /** @param lengths of the passages, terms */
  constructor(
    private readonly lengths: Uint32Array,
    totalTerms: number,
  ) {
    this.sums = new Float32Array(lengths.length);
    this.meanLength = lengths.length === 0 ? 1 : Math.max(totalTerms / lengths.length, Number.MIN_VALUE);
  }

  /** Best first; of equal scores, who was added first. Passages with none of the terms are never among them. */
  search(query: readonly QueryTerm[], k: number, bm25: Bm25): Scored[] {
    const terms = query.map((term) => this.weighted(term, bm25));
    const byMost = [...terms].sort((a, b) => b.most - a.most);
    const left = sumsFromEnd(byMost);
    const slack = (byMost.length + 8) * 2 ** -21; // of float32 sums, relative; several times what rounding can do
    const norms = this.normsFor(bm25);
    this.sums.fill(0);
    const top = new Top(k, this.sums);

    let next = 0;
    for (; next < byMost.length && (left[next] ?? 0) >= top.threshold * (1 - slack); next++) {
      this.addAll(byMost[next] as WeightedTerm, norms, top);
    }
    let alive = this.within(top.threshold * (1 - slack) - (left[next] ?? 0));
    for (; next < byMost.length; next++) {
      this.addTo(alive, byMost[next] as WeightedTerm, norms);
      const least = kthLargest(alive, this.sums, k) * (1 - slack) - (left[next + 1] ?? 0);
      alive = alive.filter((passage) => (this.sums[passage] ?? 0) >= least);
    }
    return this.exactly(alive, terms, bm25)
      .sort((a, b) => b.score - a.score || a.passage - b.passage)
      .slice(0, k);
  }

  private weighted({ count, lists }: QueryTerm, bm25: Bm25): WeightedTerm {
    const having = lists.reduce((sum, list) => sum + list.count, 0);
    const weight = count * Math.log(1 + (this.lengths.length - having + 0.5) / (having + 0.5));
    let most = 0;
    for (const { blocks } of lists) {
      for (let at = 0; at < blocks.length; at += BLOCK_FIELDS) {
        const frequency = blocks[at + MOST_FREQUENT] ?? 0;
        most = Math.max(most, frequency / (frequency + this.norm(blocks[at + SHORTEST] ?? 0, bm25)));
      }
    }
    return { lists, weight, most: weight * most };
  }

  private norm(length: number, { k1, b }: Bm25): number {
    return k1 * (1 - b + (b * length) / this.meanLength);
  }

  private normsFor(bm25: Bm25): Float32Array {
    if (this.norms?.of.k1 !== bm25.k1 || this.norms.of.b !== bm25.b) {
      this.norms = { of: bm25, byPassage: Float32Array.from(this.lengths, (length) => this.norm(length, bm25)) };
    }
    return this.norms.byPassage;
  }

  /** All postings of a term. */
  private addAll({ lists, weight }: WeightedTerm, norms: Float32Array, top: Top): void {
    const { sums, block } = this;
    const { passages, frequencies } = block;
    for (const list of lists) {
      const blocks = blockCount(list);
      for (let index = 0; index < blocks; index++) {
        readBlock(list, index, block);
        for (let i = 0; i < block.count; i++) {
          const passage = passages[i] as number;
          const frequency = frequencies[i] as number;
          const sum = (sums[passage] as number) + (weight * frequency) / (frequency + (norms[passage] as number));
          sums[passage] = sum;
          if (sum > top.threshold) top.offer(passage);
        }
      }
    }
    top.update();
  }

  /** Passages with a term and at least this sum, ascending. */
  private within(least: number): Uint32Array {
    const { sums } = this;
    let found = new Uint32Array(1024);
    let count = 0;
    for (let passage = 0; passage < sums.length; passage++) {
      const sum = sums[passage] as number;
      if (sum < least || sum === 0) continue;
      if (count === found.length) {
        const larger = new Uint32Array(count * 2);
        larger.set(found);
        found = larger;
      }
      found[count++] = passage;
    }
    return found.subarray(0, count);
  }

  private addTo(alive: Uint32Array, { lists, weight }: WeightedTerm, norms: Float32Array): void {
    eachFrequency(alive, lists, this.block, (_, passage, frequency) => {
      this.sums[passage] = (this.sums[passage] as number) + (weight * frequency) / (frequency + (norms[passage] as number));
    });
  }

  private exactly(passages: Uint32Array, terms: readonly WeightedTerm[], bm25: Bm25): Scored[] {
    const scores = new Float64Array(passages.length);
    for (const { lists, weight } of terms) {
      eachFrequency(passages, lists, this.block, (index, passage, frequency) => {
        scores[index] = (scores[index] ?? 0) + (weight * frequency) / (frequency + this.norm(this.lengths[passage] ?? 0, bm25));
      });
    }
    return Array.from(passages, (passage, index) => ({ passage, score: scores[index] ?? 0 }));
  }
}

/** sums[i]: what terms i, i + 1, … can add together. */
function sumsFromEnd(terms: readonly WeightedTerm[]): Float64Array {
  const sums = new Float64Array(terms.length + 1);
  for (let i = terms.length - 1; i >= 0; i--) sums[i] = (sums[i + 1] ?? 0) + (terms[i]?.most ?? 0);
  return sums;
}

function kthLargest(passages: Uint32Array, scores: Float32Array, k: number): number {
  if (passages.length < k) return 0;
  return Float32Array.from(passages, (passage) => scores[passage] ?? 0).sort()[passages.length - k] ?? 0;
}

/**
 * Those of some passages that have a term. Blocks without any of them are not read.
 *
 * @param wanted ascending
 * @param lists of the term, in the order of passages
 */
function eachFrequency(
  wanted: Uint32Array,
  lists: readonly Postings[],
  block: Block,
  found: (index: number, passage: number, frequency: number) => void,
): void {
  let at = 0;
  for (const list of lists) {
    const count = blockCount(list);
    const { blocks } = list;
    let index = 0;
    let read = -1;
    let i = 0;
    for (; at < wanted.length; at++) {
      const passage = wanted[at] as number;
      while (index < count && (blocks[index * BLOCK_FIELDS + LAST_PASSAGE] as number) < passage) index++;
      if (index === count) break;
      if (read !== index) {
        readBlock(list, index, block);
        read = index;
        i = 0;
      }
      while (i < BLOCK_POSTINGS && i < block.count && (block.passages[i] as number) < passage) i++;
      if (block.passages[i] === passage && i < block.count) found(at, passage, block.frequencies[i] as number);
    }
  }
}
