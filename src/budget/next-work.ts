/** Which piece of work changes the answer most for what it costs. */
import type { Forecast } from './forecast.js';
import type { Work } from './work.js';
import type { Known } from './known.js';

/** Before anything was measured, and for what costs no generated tokens: a question that is only read. */
const UNKNOWN_TOKENS = 100;
const READ_TOKENS = 8;

/** Tokens that a piece of work of each kind has taken, on average. */
export class Costs {
  private readonly sums = new Map<Work['kind'], { tokens: number; pieces: number }>();

  /** @param tokens generated for so many pieces */
  add(kind: Work['kind'], tokens: number, pieces: number): void {
    const sum = this.sums.get(kind) ?? { tokens: 0, pieces: 0 };
    this.sums.set(kind, { tokens: sum.tokens + tokens, pieces: sum.pieces + pieces });
  }

  of(kind: Work['kind']): number {
    const sum = this.sums.get(kind) ?? this.sums.get('candidate');
    if (!sum || sum.pieces === 0) return UNKNOWN_TOKENS;
    return Math.max(READ_TOKENS, sum.tokens / sum.pieces);
  }
}

/** Less than this is chance. */
const NOTHING = 1e-6;

/**
 * @param isFree whether a piece may be started: it is not on its way already
 * @param idle nothing is on its way: then even a piece that says little on its own is better than none
 * @returns undefined when there is nothing to do, or nothing but to wait
 */
export function nextWork(
  known: Known,
  { worth, leader }: Forecast,
  costs: Costs,
  isFree: (work: Work) => boolean,
  idle = true,
): Work | undefined {
  const free = worth.filter(({ work }) => isFree(work));
  if (known.length === 0) return free[0]?.work; // nothing is known: a candidate
  let best: { readonly work: Work; readonly variance: number } | undefined;
  const value = ({ work, variance }: { readonly work: Work; readonly variance: number }): number =>
    variance / costs.of(work.kind);
  for (const each of free) if (each.variance > NOTHING && (!best || value(each) > value(best))) best = each;
  if (best || !idle) return best?.work;
  // No single piece says much: look at the leader, then at more candidates, then at whatever is left.
  const groupOf = (work: Work): number | null | undefined =>
    work.kind === 'candidate' ? undefined : known.find(({ index }) => index === work.candidate)?.group;
  const works = free.map(({ work }) => work);
  return (
    works.find((work) => work.kind === 'opinion' && groupOf(work) === leader?.group) ??
    works.find(({ kind }) => kind === 'candidate') ??
    works.find(({ kind }) => kind === 'opinion') ??
    works[0]
  );
}
