/** The strategies of `src/select` as arrays over one pool; what a candidate weighs is asked of them, once. */
import { fallbackSelector, selectors, type SelectorName } from '../select/select.js';
import { lacks, passed, type Judged, type Selector } from '../select/selector.js';
import type { Fallback } from '../types.js';
import type { PoolCandidate, PoolRun } from './pools.js';

export interface Rule {
  /** [candidates] ≥ 0 */
  readonly weight: Float64Array;
  /** [candidates] 1 for those that may be chosen. */
  readonly counts: Uint8Array;
  readonly combine: Selector['combine'];
  /** Something was skipped by which a candidate could weigh more. */
  readonly lacks: boolean;
}

/** A strategy on one pool. */
export interface RunRules {
  readonly own: Rule;
  /** Decides when no candidate counts for `own`; null to abstain, or where `own` needs no pass. */
  readonly otherwise: Rule | null;
}

/**
 * Whether something was skipped that a rule looks at by which `size` candidates of a pool may be chosen from: of the
 * whole pool the rule that decides; of a part of it also the fallback, where a part may have nobody that counts.
 */
export function lacksSome({ own, otherwise }: RunRules, pool: number, size: number): boolean {
  if (own.lacks) return true;
  const counting = own.counts.reduce((sum, counts) => sum + counts, 0);
  const mayStepIn = size >= pool ? counting === 0 : pool - counting >= size;
  return mayStepIn && (otherwise?.lacks ?? false);
}

/** What a candidate counts as of which the tool was asked and said nothing. */
export type Unknown = 'fail' | 'pass';

export function rulesOf(run: PoolRun, name: SelectorName, fallback: Fallback, unknown: Unknown): RunRules {
  const judged = run.candidates.map((candidate) => judgedAs(candidate, unknown));
  const strategy: Selector = selectors[name];
  const otherwise = strategy.needsPass ? fallbackSelector(strategy, fallback) : null;
  return { own: ruleOf(run, judged, strategy), otherwise: otherwise && ruleOf(run, judged, otherwise) };
}

const judgedAs = ({ tool = 'unknown', reward = null }: PoolCandidate, unknown: Unknown): Judged => ({
  tool: { verdict: tool === 'unknown' && unknown === 'pass' ? 'pass' : tool, programs: [] },
  reward,
});

function ruleOf({ group }: PoolRun, judged: readonly Judged[], strategy: Selector): Rule {
  const { weigh, needsPass, combine } = strategy;
  const hasAnswer = (i: number): boolean => (group[i] ?? -1) >= 0;
  const passes = (candidate: Judged): boolean => !needsPass || passed(candidate) === 1;
  return {
    weight: Float64Array.from(judged, weigh),
    counts: Uint8Array.from(judged, (candidate, i) => (hasAnswer(i) && passes(candidate) ? 1 : 0)),
    combine,
    lacks: judged.some((candidate, i) => hasAnswer(i) && lacks(strategy, candidate)),
  };
}
