/** What a selection strategy is. */
import type { ScoredCandidate } from '../types.js';
import type { Combine } from './vote.js';

/** What a strategy looks at besides the answer. */
export type Judged = Pick<ScoredCandidate, 'tool' | 'reward'>;

export interface Selector {
  /** What a candidate with an answer contributes to it; ≥ 0. What was skipped contributes nothing. */
  readonly weigh: (candidate: Judged) => number;
  /** How the weights of candidates with the same answer combine. */
  readonly combine: Combine;
  /** What `weigh` looks at. */
  readonly needs: readonly ('tool' | 'reward')[];
  /** True when candidates that the tool does not pass count nothing, so that a fallback may be needed. */
  readonly needsPass: boolean;
}

/** f of the paper: 1 when the tool passes the candidate; refuted, unknown and skipped ones count 0. */
export const passed = ({ tool }: Judged): 0 | 1 => (tool.verdict === 'pass' ? 1 : 0);

/** r of the paper: 0 where there is nothing to score, and where nobody asked. */
export const rewarded = ({ reward }: Judged): number => (typeof reward === 'number' ? reward : 0);

/** Whether what a candidate with an answer contributes could be another if all that was skipped had been asked. */
export function lacks({ needs, needsPass }: Selector, candidate: Judged): boolean {
  if (needs.includes('tool') && candidate.tool.verdict === 'skipped') return true;
  if (needsPass && passed(candidate) === 0) return false; // whatever its reward
  return needs.includes('reward') && candidate.reward === 'skipped';
}
