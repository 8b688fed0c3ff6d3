import { passed, rewarded, type Selector } from './selector.js';

/** Plain best-of-N (arXiv 2504.04718 eq. 3): the single candidate with the highest tool × reward. */
export const bestOfN: Selector = {
  weigh: (candidate) => passed(candidate) * rewarded(candidate),
  combine: 'max',
  needs: ['tool', 'reward'],
  needsPass: true,
};
