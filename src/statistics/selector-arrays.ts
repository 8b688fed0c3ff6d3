/** The strategies of `src/select` as arrays over one pool; what a candidate weighs is asked of them, once. */
import { fallbackSelector, selectors, type SelectorName } from '../select/select.js';
import type { Judged, Selector } from '../select/selector.js';
import type { Fallback } from '../types.js';
import type { PoolCandidate, PoolRun } from './pools.js';

export interface Rule {
  /** [candidates] ≥ 0 */
  readonly weight: Float64Array;
  /** [candidates] 1 for those that may be chosen. */
  readonly counts: Uint8Array;
  readonly combine: Selector['combine'];
}

/** A strategy on one pool. */
export interface RunRules {
  readonly own: Rule;
  /** Decides when no candidate counts for `own`; null to abstain, or where `own` needs no pass. */
  readonly otherwise: Rule | null;
}

/** What a candidate counts as of which the tool says nothing. */
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

function ruleOf({ group }: PoolRun, judged: readonly Judged[], { weigh, needsPass, combine }: Selector): Rule {
  const passes = ({ tool }: Judged): boolean => !needsPass || tool.verdict === 'pass';
  return {
    weight: Float64Array.from(judged, weigh),
    counts: Uint8Array.from(judged, (candidate, i) => ((group[i] ?? -1) >= 0 && passes(candidate) ? 1 : 0)),
    combine,
  };
}
