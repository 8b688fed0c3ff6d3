/** What `t1 select --json` prints. */
import type { Comparison } from '../statistics/bootstrap.js';
import type { ComputePoint } from '../statistics/compute.js';
import type { Outcomes } from '../statistics/outcomes.js';
import type { Pools } from '../statistics/pools.js';
import type { StrategyName } from '../statistics/strategies.js';
import type { Accuracies, CurvePoint, Part } from '../statistics/summary.js';
import type { VerifierQuality } from '../statistics/verifier-quality.js';

export interface SelectResult {
  readonly n: number;
  /** Pools that have fewer candidates than N; all of theirs are taken. */
  readonly smaller: number;
  readonly problems: number;
  /** Runs of each problem. */
  readonly seeds: number;
  readonly strategies: Accuracies;
  /** Candidates with an answer of which the tool, or the reward, was not asked. */
  readonly skipped: Pools['skipped'];
  /**
   * [strategies] pools in which something was skipped that the strategy looks at: there it chose with what there is.
   */
  readonly partial: Outcomes['partial'];
  /** Strategies without a figure for N, and why: they need what the file does not hold. */
  readonly leftOut: Readonly<Partial<Record<StrategyName, string>>>;
  readonly fallback: string;
  readonly unknown: string;
  readonly subsets: number | 'prefix';
  readonly interval: {
    readonly level: number;
    readonly method: string;
    readonly resamples: number;
    readonly seed: number;
  };
  readonly curve?: readonly (CurvePoint & ComputePoint)[];
  readonly compare?: Comparison & { readonly a: StrategyName; readonly b: StrategyName; readonly n: number };
  readonly by?: { readonly name: 'category' | 'level'; readonly parts: readonly Part[] };
  readonly verifier?: VerifierQuality;
}
