/** Stage 6: one answer out of the pool. A strategy is one file and one entry in the map. */
import { T1Error } from '../errors.js';
import type { Fallback, ScoredCandidate, Selection } from '../types.js';
import { bestOfN } from './best-of-n.js';
import { majority } from './majority.js';
import { rewardOnly } from './reward-only.js';
import { lacks, passed, type Selector } from './selector.js';
import { toolOnly } from './tool-only.js';
import { voteOn } from './vote.js';
import { weighted } from './weighted.js';

export const selectors = {
  weighted,
  'best-of-n': bestOfN,
  majority,
  reward: rewardOnly,
  tool: toolOnly,
} satisfies Record<string, Selector>;

export type SelectorName = keyof typeof selectors;

/**
 * Chooses the answer whose candidates weigh most; ties go to the first seen (`vote.ts`). What was skipped passes
 * nothing, refutes nothing and adds nothing.
 *
 * @param pool candidates in the order of their sample index
 * @param fallback what decides when the strategy needs a pass and nobody passed
 * @param unknown what a candidate counts as of which the tool was asked and said nothing; it verifies no answer either
 *   way
 * @throws T1Error INPUT when a candidate with an answer has no group
 */
export function select(
  pool: readonly ScoredCandidate[],
  name: SelectorName,
  fallback: Fallback,
  unknown: 'fail' | 'pass' = 'fail',
): Selection {
  if (unknown === 'pass') {
    const selection = select(pool.map(believed), name, fallback);
    return { ...selection, verified: verifies(pool, selection.chosen) };
  }
  const strategy: Selector = selectors[name];
  const answered = pool.filter(({ answer }) => answer !== null);
  if (answered.length === 0 || !strategy.needsPass || answered.some(passed)) {
    return decide(pool, strategy, answered.length === 0 ? 'abstain' : null);
  }
  const steppingIn = fallbackSelector(strategy, fallback);
  return steppingIn ? decide(pool, steppingIn, fallback) : { ...NOTHING, fallback, weights: pool.map(() => 0) };
}

/** The strategy that decides where `strategy` needs a pass and nobody passed; null to abstain. */
export function fallbackSelector(strategy: Selector, fallback: Fallback): Selector | null {
  switch (fallback) {
    case 'abstain':
      return null;
    case 'reward':
      return { ...rewardOnly, combine: strategy.combine };
    case 'majority':
      return majority;
  }
}

/** Whether something was skipped that the rule looks at by which `select` chooses of this pool. */
export function isPartial(
  pool: readonly ScoredCandidate[],
  name: SelectorName,
  fallback: Fallback,
  unknown: 'fail' | 'pass' = 'fail',
): boolean {
  const strategy: Selector = selectors[name];
  const answered = pool.filter(({ answer }) => answer !== null).map(unknown === 'pass' ? believed : (each) => each);
  const missing = (selector: Selector): boolean => answered.some((candidate) => lacks(selector, candidate));
  if (missing(strategy)) return true;
  const steppingIn = strategy.needsPass && !answered.some(passed) ? fallbackSelector(strategy, fallback) : null;
  return steppingIn !== null && missing(steppingIn);
}

const believed = (candidate: ScoredCandidate): ScoredCandidate =>
  candidate.tool.verdict === 'unknown' ? { ...candidate, tool: { ...candidate.tool, verdict: 'pass' } } : candidate;

function verifies(pool: readonly ScoredCandidate[], chosen: number | null): boolean {
  const group = pool.find(({ index }) => index === chosen)?.group;
  return pool.some((candidate) => candidate.group !== null && candidate.group === group && passed(candidate) === 1);
}

const NOTHING = { answer: null, chosen: null, verified: false } as const;

function decide(pool: readonly ScoredCandidate[], strategy: Selector, fallback: Fallback | null): Selection {
  const counts = (candidate: ScoredCandidate) =>
    candidate.answer !== null && (!strategy.needsPass || passed(candidate) === 1);
  const ballots = pool.map((candidate) =>
    counts(candidate) ? { group: groupOf(candidate), weight: strategy.weigh(candidate) } : null,
  );
  const weights = ballots.map((ballot) => ballot?.weight ?? 0);
  const { leader } = voteOn(ballots, strategy.combine);
  const standsFor = leader && pool[leader.standsFor];
  if (!standsFor) return { ...NOTHING, fallback, weights };
  return {
    answer: standsFor.answer,
    chosen: standsFor.index,
    verified: verifies(pool, standsFor.index),
    fallback,
    weights,
  };
}

function groupOf({ group, index }: ScoredCandidate): number {
  if (group == null)
    throw new T1Error(
      'INPUT',
      `candidate ${index} has an answer and no group: answerGroups says which answers are the same`,
    );
  return group;
}
