/** Figures of a run, all from its records: nothing is decoded again. */
import { select, type SelectorName } from '../select/select.js';
import type { ScoredCandidate, Selection } from '../types.js';
import type { Comparison } from '../statistics/bootstrap.js';
import { outcomesOf, type Outcomes } from '../statistics/outcomes.js';
import { poolsOf, type PoolProblem, type Pools } from '../statistics/pools.js';
import type { ClaimRecord, RunRecord, SolvedRecord } from './record.js';
import type { Effort, RunFile, RunManifest } from './run-file.js';
import { simulateAdaptive, type AdaptiveResult } from '../statistics/simulate-adaptive.js';
import type { StrategyName } from '../statistics/strategies.js';

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
  /** Candidates of each problem. */
  readonly n: number;
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
  readonly samples: number;
  /** With all candidates. */
  readonly strategies: CurvePoint['strategies'];
  /** n = 1, 2, 4, … and all. */
  readonly curve: readonly CurvePoint[];
  /** These are null as long as no problem is solved. What the run itself answered, with the candidates that each problem got. */
  readonly asRun: (Share & { readonly candidates: number }) | null;
  /** What `--budget adaptive` would have saved and cost, played through on these candidates. */
  readonly adaptive: AdaptiveResult | null;
  /** Paired over problems, with all candidates. */
  readonly t1OverMajority: Comparison | null;
  /** How right the tool's verdicts and the rewards are. */
  readonly quality: VerifierQuality | null;
  /** [verdict] candidates with a right and with a wrong answer. */
  readonly verdicts: Readonly<Record<'pass' | 'fail' | 'unknown', { readonly right: number; readonly wrong: number }>>;
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
      strategies: {},
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
    samples: pools.candidates,
    strategies: points.at(-1)?.strategies ?? {},
    curve: points.map(({ n, strategies }) => ({ n, strategies, tokens: tokensOf(solved, n) })),
    asRun: asRun(solved),
    adaptive: simulateAdaptive(pools, {
      strategy: 'weighted',
      minimum: Math.min(4, pools.candidates),
      orders: 20,
      resamples: 1000,
    }),
    t1OverMajority: compareStrategies(pools, outcomes, 'weighted', 'majority', sizeOfAll),
    quality: verifierQuality(pools),
    categories: partsOf(pools, outcomes, 'category', sizeOfAll),
    levels: partsOf(pools, outcomes, 'level', sizeOfAll),
  };
}

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

/** What the run found right is the right answer, and what it found the same is written alike. */
const toPool = ({ id, seed, gold, category, level, greedy, candidates }: SolvedRecord): PoolProblem => ({
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
    generatedTokens: tokens,
    verifierTokens: toolTokens + rewardTokens,
  })),
});

/** Of n candidates of a problem, on average: n times the mean candidate. */
function tokensOf(records: readonly SolvedRecord[], n: number): CurvePoint['tokens'] {
  const candidates = records.flatMap((record) => record.candidates);
  const mean = (count: (candidate: (typeof candidates)[number]) => number): number =>
    (n * candidates.reduce((sum, each) => sum + count(each), 0)) / Math.max(1, candidates.length);
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
  const count = (verdict: string, right: boolean): number =>
    candidates.filter(({ tool, correct }) => tool.verdict === verdict && correct === right).length;
  const both = (verdict: string) => ({ right: count(verdict, true), wrong: count(verdict, false) });
  return { pass: both('pass'), fail: both('fail'), unknown: both('unknown') };
}

const NO_TOKENS = { seed: 0, tokens: new Int32Array(), logprobs: new Float32Array() };

/** In words: seconds, joules where they are known, tokens. What came from the cache took nothing. */
export function effortOf({ seconds, joules, generatedTokens }: Effort, records: number): string {
  const each = (total: number): string => (total / Math.max(1, records)).toPrecision(3);
  const energy = joules === null ? '' : `, ${Math.round(joules)} J of the processors (${each(joules)} J each)`;
  return `${seconds.toFixed(1)} s (${each(seconds)} s each)${energy}; ${generatedTokens} tokens were generated in that time`;
}

/** What a strategy makes of recorded candidates; where nobody passed, the reward decides. */
export function decisionOf(pool: SolvedRecord['candidates'], name: SelectorName): Selection {
  const scored = pool.map(
    (candidate): ScoredCandidate => ({
      ...candidate,
      ...NO_TOKENS,
      tool: { verdict: candidate.tool.verdict, programs: [] },
    }),
  );
  return select(scored, name, 'reward');
}

export function chosenIsRight(pool: SolvedRecord['candidates'], name: SelectorName): boolean {
  const { chosen } = decisionOf(pool, name);
  return pool.find(({ index }) => index === chosen)?.correct === true;
}

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
