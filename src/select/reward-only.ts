import { rewarded, type Selector } from './selector.js';

/** Weighted best-of-N by reward alone: what there is without a tool. */
export const rewardOnly: Selector = { weigh: rewarded, combine: 'sum', needs: ['reward'], needsPass: false };
