/**
 * What is wrong with a wrong solution, as far as its text alone can tell: the paper's small models calculate badly
 * (section 3).
 */
import { statedSteps } from '../verify/stated-steps.js';

export const errorKinds = ['no answer', 'wrong calculation', 'right calculations', 'no calculation'] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** @param solution a wrong one: `right calculations` are all that it states, and the fault is elsewhere */
export function errorKind({ answer, text }: { readonly answer: string | null; readonly text: string }): ErrorKind {
  if (answer === null) return 'no answer';
  const steps = statedSteps(text);
  if (steps.length === 0) return 'no calculation';
  return steps.every(({ holds }) => holds) ? 'right calculations' : 'wrong calculation';
}
