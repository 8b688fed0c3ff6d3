import type { Selector } from './selector.js';

/** Self-consistency (arXiv 2203.11171): one candidate, one vote. */
export const majority: Selector = { weigh: () => 1, combine: 'sum', needs: [], needsPass: false };
