import { passed, rewarded, type Selector } from './selector.js';

/** The paper's weighted best-of-N (arXiv 2504.04718 §3): Σ tool × reward over candidates with the same answer. */
export const weighted: Selector = {
  weigh: (candidate) => passed(candidate) * rewarded(candidate),
  combine: 'sum',
  needs: ['tool', 'reward'],
  needsPass: true,
};
