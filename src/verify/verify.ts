/**
 * Stage 4: what the tool says of each candidate.
 *
 * A verifier is one file with one function of this type, and one entry in the map.
 */
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { Run } from '../run.js';
import type { Candidate, ToolVerdict } from '../types.js';
import { verifyMath } from './math.js';
import { verifySteps, verifyStepsThenMath } from './steps.js';

/** @returns [candidates] verdicts, in the candidates' order */
export type Verifier = (
  problem: Problem,
  prompt: Prompt,
  candidates: readonly Candidate[],
  run: Run,
) => Promise<ToolVerdict[]>;

export const verifiers = { math: verifyMath, steps: verifySteps, 'steps-then-math': verifyStepsThenMath } satisfies Record<string, Verifier>;
