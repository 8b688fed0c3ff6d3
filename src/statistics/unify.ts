/** Pools made elsewhere: answers that are the same get written alike, so that their votes add up. */
import { mapAtOnce } from '../at-once.js';
import { answerGroups, type SameAnswer } from '../grade/same.js';
import type { PoolProblem } from './pools.js';

/** Problems at the same time: the grader has workers. */
const AT_ONCE = 32;

/**
 * @returns the problems in their order; every answer is written as the first that is the same, the right one before all
 *   others
 * @throws what `same` throws
 */
export const unified = (problems: readonly PoolProblem[], same: SameAnswer): Promise<PoolProblem[]> =>
  mapAtOnce(problems, (problem) => writtenAlike(problem, same), { width: AT_ONCE });

async function writtenAlike(problem: PoolProblem, same: SameAnswer): Promise<PoolProblem> {
  const { gold, greedy = null, candidates } = problem;
  const answers = [gold, ...candidates.map(({ answer }) => answer), greedy];
  const groups = await answerGroups(answers, same);
  const alike = groups.map((group) => (group === null ? null : (answers[group] ?? null)));
  return {
    ...problem,
    candidates: candidates.map((candidate, i) => ({ ...candidate, answer: alike[i + 1] ?? null })),
    ...(problem.greedy !== undefined && { greedy: alike.at(-1) ?? null }),
  };
}
