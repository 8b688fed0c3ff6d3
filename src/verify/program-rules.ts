/** When the programs of a solution say that it passes. A rule is one entry; the paper's is `any` (arXiv 2504.04718 §3). */
import type { ProgramRun, ToolVerdict } from '../types.js';

/** Programs that printed exactly True, and exactly False. */
interface Counts {
  readonly passes: number;
  readonly fails: number;
}

export const programRules = {
  any: ({ passes }) => passes > 0,
  all: ({ passes, fails }) => passes > 0 && fails === 0,
  majority: ({ passes, fails }) => passes > fails,
} satisfies Record<string, (counts: Counts) => boolean>;

export type ProgramRule = keyof typeof programRules;

/** A program that printed anything else, or crashed, says nothing; where all do, so does the tool. */
export function judge(programs: readonly ProgramRun[], rule: ProgramRule): ToolVerdict['verdict'] {
  const count = (word: string) => programs.filter(({ status, stdout }) => status === 'ok' && stdout.trim() === word).length;
  const counts = { passes: count('True'), fails: count('False') };
  if (counts.passes + counts.fails === 0) return 'unknown';
  return programRules[rule](counts) ? 'pass' : 'fail';
}
