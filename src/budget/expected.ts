/**
 * What is expected of a problem before anything is known of it. Fitted to pools of the model that ships, and checked on
 * others: `docs/statistics.md` has how often the confidence that follows from it held.
 */

/**
 * So many looks of the tool at an answer count as taken before the first. Few, since looks at one answer mostly agree: a
 * program checks the answer, whoever gave it.
 */
export const LOOKS_BEFORE = { decided: 0.18, unknown: 0.02 } as const;

/** An answer is unlikely to pass where another one has, and it hardly matters how many agree: only one is right. */
const AGAINST = 0.2;

/**
 * The more candidates agree on an answer, the likelier it passes.
 *
 * @param agreeing candidates with that answer
 * @param candidates in all
 * @param against some other answer has passed
 * @returns probability that the first look at it says pass, where it says pass or fail
 */
export const passing = (agreeing: number, candidates: number, against: boolean): number =>
  against ? AGAINST : (agreeing + 1 / 3) / (candidates + 1);

/**
 * Weights, in candidates, of an answer that nobody has given yet, and how likely each is before the first candidate: the
 * answers of one problem are nearly all the same, those of another all different (Ewens 1972, with a prior on its
 * parameter).
 */
export const NEW_ANSWER = [
  { weight: 0.25, prior: 0.55 },
  { weight: 1, prior: 0.25 },
  { weight: 4, prior: 0.12 },
  { weight: 16, prior: 0.08 },
] as const;

/** @returns [NEW_ANSWER] how likely each weight is after so many candidates with so many answers; sums to 1 */
export function newAnswerShares(candidates: number, answers: number): number[] {
  const logs = NEW_ANSWER.map(({ weight, prior }) => {
    let log = Math.log(prior) + answers * Math.log(weight);
    for (let each = 0; each < candidates; each++) log -= Math.log(weight + each);
    return log;
  });
  const most = Math.max(...logs);
  const odds = logs.map((log) => Math.exp(log - most));
  const sum = odds.reduce((total, each) => total + each, 0);
  return odds.map((each) => each / sum);
}
