/** What a selection strategy is. */
import type { ScoredCandidate } from '../types.js';

/** What a strategy looks at besides the answer. */
export type Judged = Pick<ScoredCandidate, 'tool' | 'reward'>;

export interface Selector {
  /** What a candidate with an answer contributes to it; ≥ 0. */
  readonly weigh: (candidate: Judged) => number;
  /** How the weights of candidates with the same answer combine. */
  readonly combine: 'sum' | 'max';
  /** True when candidates that the tool does not pass count nothing, so that a fallback may be needed. */
  readonly needsPass: boolean;
}

/** f of the paper: 1 when the tool passes the candidate; refuted and unknown ones count 0. */
export const passed = ({ tool }: Judged): 0 | 1 => (tool.verdict === 'pass' ? 1 : 0);
