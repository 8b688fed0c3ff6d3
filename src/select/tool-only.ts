import { passed, type Selector } from './selector.js';

/** Majority among the candidates that pass the tool. */
export const toolOnly: Selector = { weigh: passed, combine: 'sum', needs: ['tool'], needsPass: true };
