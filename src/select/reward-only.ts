import type { Selector } from './selector.js';

/** Weighted best-of-N by reward alone: what there is without a tool. */
export const rewardOnly: Selector = {
  weigh: (candidate) => candidate.reward ?? 0,
  combine: 'sum',
  needsPass: false,
};
