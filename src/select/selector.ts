/** What a selection strategy is. */
import type { ScoredCandidate } from '../types.js';

export interface Selector {
  /** What a candidate with an answer contributes to it; ≥ 0. */
  readonly weigh: (candidate: ScoredCandidate) => number;
  /** How the weights of candidates with the same answer combine. */
  readonly combine: 'sum' | 'max';
  /** True when candidates that the tool does not pass count nothing, so that a fallback may be needed. */
  readonly needsPass: boolean;
}

/** f of the paper: 1 when the tool passes the candidate; refuted and unknown ones count 0. */
export const passed = ({ tool }: ScoredCandidate): 0 | 1 => (tool.verdict === 'pass' ? 1 : 0);
