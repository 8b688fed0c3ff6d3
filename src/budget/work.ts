/** Pieces of work that a budget can be spent on. */
import { isOpen, missingOf, type Known, type KnownCandidate } from './known.js';
import type { Plan } from './stages.js';

/** One more piece of work. `candidate` of the last two: its sample index. */
export type Work =
  | { readonly kind: 'candidate' }
  | { readonly kind: 'opinion'; readonly candidate: number }
  | { readonly kind: 'judgement'; readonly candidate: number };

/** What may be asked next; the candidate, where one is left, is the first. */
export function possibleWorks(known: Known, plan: Plan): Work[] {
  const { strategy, otherwise } = plan;
  const opened = strategy.needs.includes('tool') ? known.filter((each) => isOpen(each, plan)) : [];
  const judged = [strategy, otherwise].some((each) => each?.needs.includes('reward'))
    ? known.filter(({ judgementsLeft }) => judgementsLeft > 0)
    : [];
  return [
    ...(missingOf(known, plan).length > 0 ? [{ kind: 'candidate' } as const] : []),
    ...firstOfEach(opened, ({ opinions }) => opinions.length).map(
      (candidate) => ({ kind: 'opinion', candidate }) as const,
    ),
    ...firstOfEach(judged, ({ judgements }) => judgements).map(
      (candidate) => ({ kind: 'judgement', candidate }) as const,
    ),
  ];
}

/**
 * Of each answer the candidate with the fewest looks stands for all: what one more says of any of them is the same.
 *
 * @returns their sample indices
 */
function firstOfEach(of: Known, done: (each: KnownCandidate) => number): number[] {
  const byGroup = new Map<number | null, KnownCandidate>();
  for (const each of of) {
    const other = byGroup.get(each.group);
    if (!other || done(each) < done(other)) byGroup.set(each.group, each);
  }
  return [...byGroup.values()].map(({ index }) => index);
}
