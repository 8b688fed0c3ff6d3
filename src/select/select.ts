/** Stage 6: one answer out of the pool. A strategy is one file and one entry in the map. */
import { T1Error } from '../errors.js';
import type { Fallback, ScoredCandidate, Selection } from '../types.js';
import { bestOfN } from './best-of-n.js';
import { majority } from './majority.js';
import { rewardOnly } from './reward-only.js';
import { passed, type Selector } from './selector.js';
import { toolOnly } from './tool-only.js';
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
 * Chooses the answer whose candidates weigh most; ties go to the first seen.
 *
 * @param pool candidates in the order of their sample index
 * @param fallback what decides when the strategy needs a pass and nobody passed
 * @param unknown what a candidate counts as of which the tool says nothing; it verifies no answer either way
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

const believed = (candidate: ScoredCandidate): ScoredCandidate =>
  candidate.tool.verdict === 'unknown' ? { ...candidate, tool: { ...candidate.tool, verdict: 'pass' } } : candidate;

function verifies(pool: readonly ScoredCandidate[], chosen: number | null): boolean {
  const group = pool.find(({ index }) => index === chosen)?.group;
  return pool.some((candidate) => candidate.group !== null && candidate.group === group && passed(candidate) === 1);
}

const NOTHING = { answer: null, chosen: null, verified: false } as const;

interface Tally {
  weight: number;
  /** The heaviest candidate stands for the answer, the first among equals. */
  standsFor: ScoredCandidate;
  standsForWeight: number;
  verified: boolean;
}

function decide(pool: readonly ScoredCandidate[], strategy: Selector, fallback: Fallback | null): Selection {
  const counts = (candidate: ScoredCandidate) =>
    candidate.answer !== null && (!strategy.needsPass || passed(candidate) === 1);
  const weights = pool.map((candidate) => (counts(candidate) ? strategy.weigh(candidate) : 0));
  const tallies = new Map<number, Tally>();
  pool.forEach((candidate, i) => {
    if (counts(candidate)) add(tallies, candidate, weights[i] ?? 0, strategy.combine);
  });
  let best: Tally | undefined;
  for (const tally of tallies.values()) if (!best || tally.weight > best.weight) best = tally;
  if (!best) return { ...NOTHING, fallback, weights };
  const { standsFor, verified } = best;
  return { answer: standsFor.answer, chosen: standsFor.index, verified, fallback, weights };
}

function add(
  tallies: Map<number, Tally>,
  candidate: ScoredCandidate,
  weight: number,
  combine: Selector['combine'],
): void {
  const { group } = candidate;
  if (group == null)
    throw new T1Error(
      'INPUT',
      `candidate ${candidate.index} has an answer and no group: answerGroups says which answers are the same`,
    );
  const verified = passed(candidate) === 1;
  const tally = tallies.get(group);
  if (!tally) {
    tallies.set(group, { weight, standsFor: candidate, standsForWeight: weight, verified });
    return;
  }
  tally.weight = combine === 'sum' ? tally.weight + weight : Math.max(tally.weight, weight);
  tally.verified ||= verified;
  if (weight > tally.standsForWeight) [tally.standsFor, tally.standsForWeight] = [candidate, weight];
}
