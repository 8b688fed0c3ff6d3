/** Figures of a run, all from its records: nothing is decoded again. */
import { isPartial, select, type SelectorName } from '../select/select.js';
import type { Fallback, Opinion, ScoredCandidate, Selection, Verdict } from '../types.js';
import { meanOf, type Comparison } from '../statistics/bootstrap.js';
import { outcomesOf, type Outcomes } from '../statistics/outcomes.js';
import { poolsOf, whatIsThere, type PoolCandidate, type PoolProblem, type Pools } from '../statistics/pools.js';
import type { ClaimRecord, RunRecord, SolvedRecord } from './record.js';
import type { Effort, RunFile, RunManifest } from './run-file.js';
import { simulateAdaptive, type AdaptiveResult } from '../statistics/simulate-adaptive.js';
import type { Unknown } from '../statistics/selector-arrays.js';
import { availableStrategies, type StrategyName } from '../statistics/strategies.js';
import { opinionOf } from '../verify/math.js';

export type { StrategyName };
import { accuracyByPart, accuracyCurve, compareStrategies } from '../statistics/summary.js';
import { verifierQuality, type VerifierQuality } from '../statistics/verifier-quality.js';
import { wilson } from '../statistics/wilson.js';

/** A share with its 95 % interval over problems. */
export interface Share {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

export interface CurvePoint {
  /** Candidates of each problem; all of them where there are fewer. */
  readonly n: number;
  /** Records (problems × seeds) that have fewer. */
  readonly smaller: number;
  /** Generated for each problem, on average: by the solver, by the tool, by the reward. */
  readonly tokens: { readonly solver: number; readonly tool: number; readonly reward: number };
  readonly strategies: Readonly<Partial<Record<StrategyName, Share>>>;
}

export interface RunSummary {
  readonly kind: 'problems';
  readonly manifest: RunManifest;
  /** What all starts of the run have taken; null where only its records are known. */
  readonly effort: RunFile['effort'] | null;
  /** With a record; those that failed, and answers of which nobody could say whether they are right. */
  readonly problems: number;
  readonly failed: number;
  readonly undecided: number;
  /** Candidates of the problem that has most, and of the one that has fewest. */
  readonly samples: number;
  readonly fewest: number;
  /** Candidates with an answer of which the tool, or the reward, was not asked. */
  readonly skipped: Pools['skipped'];
  /** With all candidates. */
  readonly strategies: CurvePoint['strategies'];
  /**
   * [strategies] records in which something was skipped that the strategy looks at: there it chose with what there is.
   */
  readonly partial: Outcomes['partial'];
  /** Why strategies have no figure at all. */
  readonly leftOut: Outcomes['leftOut'];
  /** n = 1, 2, 4, … and all. */
  readonly curve: readonly CurvePoint[];
  /**
   * These are null as long as no problem is solved. What the run itself answered, with the candidates that each problem
   * got.
   */
  readonly asRun: (Share & { readonly candidates: number }) | null;
  /**
   * What stopping where the candidates alone settle the answer would have saved and cost, played through on these
   * candidates. Also null where every
   * problem did not get the same candidates, verdicts and rewards: what was never asked cannot be played.
   */
  readonly adaptive: AdaptiveResult | null;
  /** Paired over problems, with all candidates; also null where there is no verdict or no reward. */
  readonly t1OverMajority: Comparison | null;
  /** How right the tool's verdicts and the rewards are. */
  readonly quality: VerifierQuality | null;
  /** [verdict] candidates with a right and with a wrong answer. */
  readonly verdicts: Readonly<Record<Verdict, { readonly right: number; readonly wrong: number }>>;
  readonly categories: readonly {
    readonly name: string;
    readonly problems: number;
    readonly strategies: CurvePoint['strategies'];
  }[];
  readonly levels: readonly {
    readonly name: string;
    readonly problems: number;
    readonly strategies: CurvePoint['strategies'];
  }[];
}

export interface ClaimsSummary {
  readonly kind: 'claims';
  readonly manifest: RunManifest;
  readonly effort: RunFile['effort'] | null;
  readonly problems: number;
  /** [numbers of operands] */
  readonly operands: readonly {
    readonly operands: number;
    readonly claims: number;
    readonly byThinking: Share;
    readonly byProgram: Share;
    readonly byBoth: Share;
  }[];
}

/**
 * All from the records: subsets of each pool stand for smaller N, intervals come from resampling problems.
 *
 * @throws T1Error RUN_CORRUPT
 */
export async function summaryOf(run: RunFile): Promise<RunSummary | ClaimsSummary> {
  return summaryOfRecords(run.manifest, [...run.records()], run.effort);
}

export async function summaryOfRecords(
  manifest: RunManifest,
  records: readonly RunRecord[],
  effort: RunFile['effort'] | null = null,
): Promise<RunSummary | ClaimsSummary> {
  const claims = records.filter((record) => record.outcome === 'claim');
  if (claims.length > 0) return claimsSummary(manifest, claims, effort);
  const solved = records.filter((record) => record.outcome === 'solved');
  const common = {
    kind: 'problems' as const,
    manifest,
    effort,
    problems: records.length,
    failed: records.length - solved.length,
    undecided: solved.filter(({ correct }) => correct === null).length,
    verdicts: verdictsOf(solved),
  };
  if (solved.length === 0)
    return {
      ...common,
      samples: 0,
      fewest: 0,
      skipped: { tool: 0, reward: 0 },
      strategies: {},
      partial: {},
      leftOut: {},
      curve: [],
      asRun: null,
      adaptive: null,
      t1OverMajority: null,
      quality: null,
      categories: [],
      levels: [],
    };
  const pools = poolsOf(solved.map(toPool));
  const outcomes = await outcomesOf(pools);
  const sizeOfAll = outcomes.sizes.at(-1) ?? 1;
  const points = accuracyCurve(pools, outcomes);
  return {
    ...common,
    samples: pools.most,
    fewest: pools.candidates,
    skipped: pools.skipped,
    strategies: points.at(-1)?.strategies ?? {},
    partial: outcomes.partial,
    leftOut: outcomes.leftOut,
    curve: points.map((point) => ({ ...point, tokens: tokensOf(solved, point.n) })),
    asRun: asRun(solved),
    adaptive: canBePlayed(pools, outcomes)
      ? simulateAdaptive(pools, {
          strategy: 'weighted',
          minimum: Math.min(4, pools.candidates),
          orders: 20,
          resamples: 1000,
        })
      : null,
    t1OverMajority: outcomes.accuracy.has('weighted')
      ? compareStrategies(pools, outcomes, 'weighted', 'majority', sizeOfAll)
      : null,
    quality: verifierQuality(pools),
    categories: partsOf(pools, outcomes, 'category', sizeOfAll),
    levels: partsOf(pools, outcomes, 'level', sizeOfAll),
  };
}

const canBePlayed = ({ candidates, most, skipped }: Pools, { accuracy }: Outcomes): boolean =>
  accuracy.has('weighted') && candidates === most && skipped.tool + skipped.reward === 0;

function asRun(records: readonly SolvedRecord[]): NonNullable<RunSummary['asRun']> {
  const right = records.filter(({ correct }) => correct === true).length;
  const [low, high] = wilson(right, records.length);
  return {
    accuracy: right / records.length,
    low,
    high,
    candidates: records.reduce((sum, { candidates }) => sum + candidates.length, 0) / records.length,
  };
}

type RecordedCandidate = SolvedRecord['candidates'][number];

/** What the run found right is the right answer, and what it found the same is written alike. */
export const toPool = ({ id, seed, gold, category, level, greedy, candidates }: SolvedRecord): PoolProblem => ({
  id,
  seed,
  gold,
  category,
  level,
  greedy: greedy.correct === true ? gold : greedy.answer,
  candidates: candidates.map(({ answer, group, kind, correct, reward, tool, tokens, toolTokens, rewardTokens }) => ({
    answer: correct === true ? gold : (candidates.find(({ index }) => index === group)?.answer ?? answer),
    kind,
    reward,
    tool: tool.verdict,
    opinions: opinionsOf(tool),
    generatedTokens: tokens,
    verifierTokens: toolTokens + rewardTokens,
    toolTokens,
    rewardTokens,
  })),
});

/** One for each program, or fact check, that was asked. */
function opinionsOf({ programs, checks = [] }: RecordedCandidate['tool']): PoolCandidate['opinions'] {
  const opinions = [...programs.map(recordedOpinion), ...checks.map(({ verdict }) => verdict)];
  return opinions.length === 0 ? undefined : opinions;
}

const recordedOpinion = ({ status, stdout }: { readonly status: string; readonly stdout: string }): Opinion =>
  status === 'ok' ? opinionOf({ status, stdout }) : 'unknown';

/** Of n candidates of a problem, or of all where it has fewer, on average: n times its mean candidate. */
function tokensOf(records: readonly SolvedRecord[], n: number): CurvePoint['tokens'] {
  const mean = (count: (candidate: RecordedCandidate) => number): number =>
    meanOf(
      Float64Array.from(
        records,
        ({ candidates }) =>
          Math.min(1, n / candidates.length) * candidates.reduce((sum, candidate) => sum + count(candidate), 0),
      ),
    );
  return {
    solver: mean(({ tokens }) => tokens),
    tool: mean(({ toolTokens }) => toolTokens),
    reward: mean(({ rewardTokens }) => rewardTokens),
  };
}

/** None where no problem says any. */
const partsOf = (pools: Pools, outcomes: Outcomes, by: 'category' | 'level', n: number): RunSummary['categories'] =>
  accuracyByPart(pools, outcomes, by, n).flatMap(({ name, ...rest }) => (name === null ? [] : [{ name, ...rest }]));

function verdictsOf(records: readonly SolvedRecord[]): RunSummary['verdicts'] {
  const candidates = records.flatMap((record) => record.candidates).filter(({ answer }) => answer !== null);
  const count = (verdict: Verdict, right: boolean): number =>
    candidates.filter(({ tool, correct }) => tool.verdict === verdict && correct === right).length;
  const both = (verdict: Verdict) => ({ right: count(verdict, true), wrong: count(verdict, false) });
  return { pass: both('pass'), fail: both('fail'), unknown: both('unknown'), skipped: both('skipped') };
}

const NO_TOKENS = { seed: 0, tokens: new Int32Array(), logprobs: new Float32Array() };

/** In words: seconds, joules where they are known, tokens. What came from the cache took nothing. */
export function effortOf({ seconds, joules, generatedTokens }: Effort, records: number): string {
  const each = (total: number): string => (total / Math.max(1, records)).toPrecision(3);
  const energy = joules === null ? '' : `, ${Math.round(joules)} J of the processors (${each(joules)} J each)`;
  return `${seconds.toFixed(1)} s (${each(seconds)} s each)${energy}; ${generatedTokens} tokens were generated in that time`;
}

/** What a strategy makes of recorded candidates; where nobody passed, the reward decides. */
export const decisionOf = (pool: SolvedRecord['candidates'], name: SelectorName): Selection =>
  select(pool.map(scored), name, 'reward');

/** Whether something was skipped that the rule of that decision looks at. */
export const isPartialDecision = (
  pool: SolvedRecord['candidates'],
  name: SelectorName,
  fallback: Fallback = 'reward',
  unknown: Unknown = 'fail',
): boolean => isPartial(pool.map(scored), name, fallback, unknown);

const scored = (candidate: RecordedCandidate): ScoredCandidate => ({
  ...candidate,
  ...NO_TOKENS,
  tool: { verdict: candidate.tool.verdict, programs: [] },
});

export function chosenIsRight(pool: SolvedRecord['candidates'], name: SelectorName): boolean {
  const { chosen } = decisionOf(pool, name);
  return pool.find(({ index }) => index === chosen)?.correct === true;
}

/** Why a strategy makes nothing of a run: all that it looks at was skipped. Undefined where it can. */
export const whyLeftOut = (records: readonly SolvedRecord[], name: SelectorName): string | undefined =>
  availableStrategies({ has: whatIsThere(records.map(toPool)) }, [name]).leftOut[name];

/** Tool × reward: a claim holds if neither refutes it. */
export const byBoth = ({ byThinking, byProgram }: ClaimRecord): boolean | null =>
  byProgram === null || byThinking === null ? byProgram : byThinking && byProgram;

function claimsSummary(
  manifest: RunManifest,
  claims: readonly ClaimRecord[],
  effort: ClaimsSummary['effort'],
): ClaimsSummary {
  const counts = [...new Set(claims.map(({ category }) => Number(category)))].sort((a, b) => a - b);
  return {
    kind: 'claims',
    manifest,
    effort,
    problems: claims.length,
    operands: counts.map((operands) => {
      const own = claims.filter(({ category }) => Number(category) === operands);
      const share = (said: (claim: ClaimRecord) => boolean | null): Share => {
        const right = own.filter((claim) => said(claim) === (claim.gold === 'True')).length;
        const [low, high] = wilson(right, own.length);
        return { accuracy: right / own.length, low, high };
      };
      return {
        operands,
        claims: own.length,
        byThinking: share(({ byThinking }) => byThinking),
        byProgram: share(({ byProgram }) => byProgram),
        byBoth: share(byBoth),
      };
    }),
  };
}
