/**
 * Tool verifier without a model: the calculations that a solution states are computed exactly. It costs no tokens and
 * never guesses: a solution that states none is `unknown`.
 */
import { must } from '../must.js';
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, ToolVerdict } from '../types.js';
import { verifyMath } from './math.js';
import { statedSteps } from './stated-steps.js';

export function stepVerdict({ text, answer }: Pick<Candidate, 'text' | 'answer'>): ToolVerdict {
  const steps = answer === null ? [] : statedSteps(text);
  const verdict = steps.length === 0 ? 'unknown' : steps.every(({ holds }) => holds) ? 'pass' : 'fail';
  return { verdict, programs: [], steps };
}

export async function verifySteps(
  _problem: Problem,
  _prompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<ToolVerdict[]> {
  return candidates.map((candidate) => {
    const tool = stepVerdict(candidate);
    run.emit({ type: 'verdict', index: candidate.index, tool });
    return tool;
  });
}

/** The model writes programs only for solutions whose own steps hold; those decide then. */
export async function verifyStepsThenMath(
  problem: Problem,
  prompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<ToolVerdict[]> {
  const stated = candidates.map(stepVerdict);
  const refuted = (i: number) => must(stated[i], 'the steps of a candidate').verdict === 'fail';
  for (const [i, tool] of stated.entries()) {
    const { index } = must(candidates[i], 'a candidate');
    if (refuted(i)) run.emit({ type: 'verdict', index, tool });
  }
  const verdicts = await verifyMath(
    problem,
    prompt,
    candidates.filter((_, i) => !refuted(i)),
    run,
  );
  const rest = verdicts.values();
  return stated.map((tool, i) => (refuted(i) ? tool : { ...tool, ...must(rest.next().value, 'a verdict') }));
}
