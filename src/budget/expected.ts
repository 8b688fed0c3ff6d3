/**
 * What is expected of a problem before anything is known of it. Fitted to a pool of the model that ships and to one of
 * Qwen2.5-Coder-0.5B: `docs/statistics.md` has how often the confidence that follows from it held.
 */

/** What the looks of a tool at an answer may be like. */
export interface ToolKind {
  /** How likely it is such a tool, before its first look. */
  readonly prior: number;
  /** So many looks count as taken before the first: few where looks at one answer agree, many where each is its own luck. */
  readonly looksBefore: number;
  /**
   * What the first look at an answer says.
   *
   * @param agreeing candidates with that answer
   * @param candidates in all
   * @param against some other answer has passed
   * @returns probabilities of pass, fail, unknown
   */
  readonly odds: (agreeing: number, candidates: number, against: boolean) => readonly [number, number, number];
}

/** The more candidates agree on an answer, the likelier it is right. */
const right = (agreeing: number, candidates: number): number => (agreeing + 1 / 3) / (candidates + 1);

/**
 * A model that was taught to write programs says much the same of an answer each time, whoever gave it; and an answer is
 * unlikely to pass where another one has, since only one is right. One that was not writes programs that mostly say
 * nothing, and of the same answer now this and now that.
 */
export const TOOL_KINDS: readonly ToolKind[] = [
  {
    prior: 0.7,
    looksBefore: 0.2,
    odds: (agreeing, candidates, against) => {
      const pass = 0.9 * (against ? 0.2 : right(agreeing, candidates));
      return [pass, 0.9 - pass, 0.1];
    },
  },
  {
    prior: 0.3,
    looksBefore: 8,
    odds: (agreeing, candidates) => {
      const pass = 0.05 + 0.14 * right(agreeing, candidates);
      return [pass, 0.14, 0.86 - pass];
    },
  },
];

/** What was said of one answer. */
export interface Said {
  /** [pass, fail, unknown] */
  readonly looks: readonly [number, number, number];
  readonly agreeing: number;
  readonly against: boolean;
}

/** @returns [TOOL_KINDS] how likely each is after what was said of the answers of so many candidates; sums to 1 */
export function toolShares(said: readonly Said[], candidates: number): number[] {
  const logs = TOOL_KINDS.map(({ prior, looksBefore, odds }) => {
    let log = Math.log(prior);
    for (const { looks, agreeing, against } of said) {
      const first = odds(agreeing, candidates, against);
      let before = looksBefore;
      for (const [i, count] of looks.entries())
        for (let each = 0; each < count; each++, before++)
          log += Math.log((looksBefore * (first[i] ?? 0) + each) / before);
    }
    return log;
  });
  return sharesOf(logs);
}

/** @param logs of how likely each is, up to a factor @returns shares that sum to 1 */
function sharesOf(logs: readonly number[]): number[] {
  const most = Math.max(...logs);
  const odds = logs.map((log) => Math.exp(log - most));
  const sum = odds.reduce((total, each) => total + each, 0);
  return odds.map((each) => each / sum);
}

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
  return sharesOf(logs);
}
