/** Pools of candidates with everything that is known of them, packed so that subsets can be chosen from fast. */
import { T1Error } from '../errors.js';
import { normalizeAnswer } from '../grade/normalize.js';
import type { Opinion, Verdict } from '../types.js';

/** What a candidate cost. Tokens, seconds, joules. */
export interface Costs {
  readonly generatedTokens?: number | undefined;
  /** Of tool and reward together. */
  readonly verifierTokens?: number | undefined;
  readonly seconds?: number | undefined;
  readonly joules?: number | undefined;
}
export type CostName = keyof Costs;
export const costNames = [
  'generatedTokens',
  'verifierTokens',
  'seconds',
  'joules',
] as const satisfies readonly CostName[];

export interface PoolCandidate extends Costs {
  /** Final answer; null when the solution has none. */
  readonly answer: string | null;
  /**
   * 0…1; null where there was nothing to score; `skipped` where others were scored and this one was not; absent where
   * nobody scored.
   */
  readonly reward?: number | null | 'skipped' | undefined;
  /** Absent where no tool was asked of anybody; `skipped` where it was not asked of this one. */
  readonly tool?: Verdict | undefined;
  /**
   * What each look of the tool says (a program, a fact check), where there were several; `tool` is what they come to.
   */
  readonly opinions?: readonly Opinion[] | undefined;
  /** Of `verifierTokens`: of all looks of the tool together, and of the reward. */
  readonly toolTokens?: number | undefined;
  readonly rewardTokens?: number | undefined;
  /** What is wrong with it, in whatever words; absent for right ones. */
  readonly kind?: string | undefined;
}

/** One problem as one run sampled it; several runs (seeds) of a problem have the same id. */
export interface PoolProblem {
  readonly id: string;
  readonly gold: string;
  /** In the order of their sample index, which decides ties. */
  readonly candidates: readonly PoolCandidate[];
  /** Answer of one greedy sample, null when it had none; absent where nobody asked. */
  readonly greedy?: string | null | undefined;
  readonly category?: string | undefined;
  readonly level?: string | undefined;
  /** Which run this is; 0 when absent. */
  readonly seed?: number | undefined;
  /** Where it was read, as `pool.jsonl:3`, for messages. */
  readonly source?: string | undefined;
}

/**
 * Which answers are the same.
 *
 * @param answers the right answer first, then those of candidates
 * @returns [answers] equal numbers for equal answers
 */
export type Grouping = (answers: readonly string[]) => readonly number[];

/** Answers with one key are the same. */
export const groupByKey =
  (keyOf: (answer: string) => string): Grouping =>
  (answers) => {
    const numbers = new Map<string, number>();
    return answers.map((answer) => {
      const key = keyOf(answer);
      const known = numbers.get(key) ?? numbers.size;
      numbers.set(key, known);
      return known;
    });
  };

/** Each answer joins the first group whose first answer it equals, so the right answer is asked about first. */
export const groupByEquality =
  (equal: (a: string, b: string) => boolean): Grouping =>
  (answers) => {
    const firsts: string[] = [];
    const known = new Map<string, number>();
    return answers.map((answer) => {
      const found = known.get(answer) ?? firsts.findIndex((first) => equal(first, answer));
      const group = found === -1 ? firsts.push(answer) - 1 : found;
      known.set(answer, group);
      return group;
    });
  };

/** One problem of one run. */
export interface PoolRun {
  /** [candidates] 0 for the right answer, other numbers for other answers, −1 without one. */
  readonly group: Int32Array;
  readonly groups: number;
  /** [candidates] */
  readonly candidates: readonly PoolCandidate[];
  /** Null where nobody asked. */
  readonly greedyRight: boolean | null;
}

export interface Pools {
  /** [problems] */
  readonly problems: readonly Pick<PoolProblem, 'id' | 'category' | 'level'>[];
  /** Seeds, ascending. */
  readonly seeds: readonly number[];
  /** [seeds × problems], all problems of the first seed first; so are all vectors of figures below. */
  readonly runs: readonly PoolRun[];
  /** Candidates of the smallest run. */
  readonly candidates: number;
  /** Candidates of the largest run: the largest N for which there is a figure. */
  readonly most: number;
  /** Candidates with an answer of which the tool, or the reward, was not asked. */
  readonly skipped: { readonly tool: number; readonly reward: number };
  readonly has: { readonly reward: boolean; readonly tool: boolean; readonly greedy: boolean } & Readonly<
    Record<CostName, boolean>
  >;
}

/**
 * @param grouping which answers are the same; by default those with the same normal form
 * @throws T1Error INPUT when there is no problem, a problem has no candidate or not every seed, or rewards or verdicts
 *   are given for some answers only
 */
export function poolsOf(problems: readonly PoolProblem[], grouping: Grouping = groupByKey(normalizeAnswer)): Pools {
  if (problems.length === 0) throw new T1Error('INPUT', 'there is no problem to evaluate');
  const seeds = [...new Set(problems.map(({ seed = 0 }) => seed))].sort((a, b) => a - b);
  const bySeed = new Map(seeds.map((seed) => [seed, new Map<string, PoolProblem>()]));
  for (const problem of problems) place(bySeed.get(problem.seed ?? 0) ?? new Map(), problem);
  const first = [...(bySeed.get(seeds[0] ?? 0) ?? new Map<string, PoolProblem>()).values()];
  const ordered = seeds.flatMap((seed) => inOrder(first, bySeed.get(seed) ?? new Map(), seed));
  return {
    problems: first.map(({ id, category, level }) => ({ id, category, level })),
    seeds,
    runs: ordered.map((problem) => runOf(problem, grouping)),
    candidates: ordered.reduce((least, { candidates }) => Math.min(least, candidates.length), Infinity),
    most: ordered.reduce((most, { candidates }) => Math.max(most, candidates.length), 0),
    skipped: { tool: skippedOf(ordered, 'tool'), reward: skippedOf(ordered, 'reward') },
    has: whatIsThere(ordered),
  };
}

const nameOf = ({ source, id }: PoolProblem): string => `${source === undefined ? '' : `${source}: `}problem '${id}'`;

function place(run: Map<string, PoolProblem>, problem: PoolProblem): void {
  const { id, seed, candidates } = problem;
  if (run.has(id)) {
    throw new T1Error(
      'INPUT',
      `${nameOf(problem)} is there a second time${seed === undefined ? '' : ` with seed ${seed}`}: give each run of a problem its own 'seed'`,
    );
  }
  if (candidates.length === 0)
    throw new T1Error('INPUT', `${nameOf(problem)} has no candidates: leave it out, or sample some`);
  run.set(id, problem);
}

function inOrder(first: readonly PoolProblem[], run: ReadonlyMap<string, PoolProblem>, seed: number): PoolProblem[] {
  const found = first.flatMap(({ id }) => run.get(id) ?? []);
  if (found.length === first.length && run.size === first.length) return found;
  const known = new Set(first.map(({ id }) => id));
  const odd = first.find(({ id }) => !run.has(id))?.id ?? [...run.keys()].find((id) => !known.has(id));
  throw new T1Error(
    'INPUT',
    `problem '${odd ?? ''}' is not in every run (seed ${seed} and the first differ): give all runs the same problems`,
  );
}

function runOf({ gold, candidates, greedy }: PoolProblem, grouping: Grouping): PoolRun {
  const answers = [gold, ...candidates.flatMap(({ answer }) => answer ?? []), ...(greedy == null ? [] : [greedy])];
  const numbers = grouping(answers);
  const right = numbers[0];
  const known = new Map([[right, 0]]);
  const numbered = numbers.map((number) => {
    const group = known.get(number) ?? known.size;
    known.set(number, group);
    return group;
  });
  let next = 1;
  return {
    group: Int32Array.from(candidates, ({ answer }) => (answer === null ? -1 : (numbered[next++] ?? -1))),
    groups: known.size,
    candidates,
    greedyRight: greedy === undefined ? null : greedy !== null && numbers.at(-1) === right,
  };
}

/** @throws T1Error INPUT when rewards or verdicts are given for some answers only */
export function whatIsThere(problems: readonly PoolProblem[]): Pools['has'] {
  const all = problems.flatMap(({ candidates }) => candidates);
  const costs = costNames.map((name) => [name, all.every((candidate) => candidate[name] !== undefined)] as const);
  return {
    reward: forAllOrNone(problems, 'reward'),
    tool: forAllOrNone(problems, 'tool'),
    greedy: problems.every(({ greedy }) => greedy !== undefined),
    ...(Object.fromEntries(costs) as Record<CostName, boolean>),
  };
}

const answeredOf = (problems: readonly PoolProblem[]): PoolCandidate[] =>
  problems.flatMap(({ candidates }) => candidates.filter(({ answer }) => answer !== null));

const skippedOf = (problems: readonly PoolProblem[], name: 'reward' | 'tool'): number =>
  answeredOf(problems).filter((candidate) => candidate[name] === 'skipped').length;

/**
 * A gap would count as 0, and no figure would say so. Candidates without an answer need no judgement: they never count.
 * What was skipped everywhere is not there.
 */
function forAllOrNone(problems: readonly PoolProblem[], name: 'reward' | 'tool'): boolean {
  const given = problems.some(({ candidates }) => candidates.some((candidate) => candidate[name] !== undefined));
  if (!given) return false;
  for (const problem of problems) {
    const gap = problem.candidates.findIndex((candidate) => candidate[name] === undefined && candidate.answer !== null);
    if (gap === -1) continue;
    const none =
      name === 'reward'
        ? 'null where there was nothing to score, "skipped" where nobody asked'
        : '"unknown" where the tool said nothing, "skipped" where nobody asked';
    throw new T1Error(
      'INPUT',
      `${nameOf(problem)}: candidate ${gap + 1} has no '${name}', others have: give every candidate one, ${none}`,
    );
  }
  const answered = answeredOf(problems);
  return answered.length === 0 || answered.some((candidate) => candidate[name] !== 'skipped');
}
