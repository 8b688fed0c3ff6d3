/** Figures of a run, all from its records: nothing is decoded again. */
import { select, selectors, type SelectorName } from '../select/select.js';
import type { ScoredCandidate, Selection } from '../types.js';
import type { ClaimRecord, RunRecord, SolvedRecord } from './record.js';
import type { RunFile, RunManifest } from './run-file.js';
import { wilson } from './wilson.js';

/** A share with its 95 % interval over problems. */
export interface Share {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

export type StrategyName = SelectorName | 'mean' | 'oracle';

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
  /** With a record; those that failed, and answers of which nobody could say whether they are right. */
  readonly problems: number;
  readonly failed: number;
  readonly undecided: number;
  readonly samples: number;
  /** With all candidates. */
  readonly strategies: CurvePoint['strategies'];
  /** n = 1, 2, 4, … and all. */
  readonly curve: readonly CurvePoint[];
  /** [verdict] candidates with a right and with a wrong answer. */
  readonly verdicts: Readonly<Record<'pass' | 'fail' | 'unknown', { readonly right: number; readonly wrong: number }>>;
  readonly categories: readonly { readonly name: string; readonly problems: number; readonly strategies: CurvePoint['strategies'] }[];
  readonly levels: readonly { readonly name: string; readonly problems: number; readonly strategies: CurvePoint['strategies'] }[];
}

export interface ClaimsSummary {
  readonly kind: 'claims';
  readonly manifest: RunManifest;
  readonly problems: number;
  /** [numbers of operands] */
  readonly operands: readonly { readonly operands: number; readonly claims: number; readonly byThinking: Share; readonly byProgram: Share; readonly byBoth: Share }[];
}

export const summaryOf = (run: RunFile): RunSummary | ClaimsSummary => summaryOfRecords(run.manifest, [...run.records()]);

export function summaryOfRecords(manifest: RunManifest, records: readonly RunRecord[]): RunSummary | ClaimsSummary {
  const claims = records.filter((record) => record.outcome === 'claim');
  if (claims.length > 0) return claimsSummary(manifest, claims);
  const solved = records.filter((record) => record.outcome === 'solved');
  const samples = Math.max(0, ...solved.map(({ candidates }) => candidates.length));
  const sizes = [...new Set([...powersOfTwo(samples), samples])].filter((n) => n > 0);
  const curve = sizes.map((n) => pointOf(solved, n));
  return {
    kind: 'problems',
    manifest,
    problems: records.length,
    failed: records.length - solved.length,
    undecided: solved.filter(({ correct }) => correct === null).length,
    samples,
    strategies: curve.at(-1)?.strategies ?? {},
    curve,
    verdicts: verdictsOf(solved),
    categories: groups(solved, ({ category }) => category, samples),
    levels: groups(solved, ({ level }) => level, samples),
  };
}

const powersOfTwo = (most: number): number[] => Array.from({ length: most < 1 ? 0 : Math.floor(Math.log2(most)) + 1 }, (_, i) => 2 ** i);

/** Over the first n candidates of each problem, as the paper has it. */
function pointOf(records: readonly SolvedRecord[], n: number): CurvePoint {
  const pools = records.map((record) => record.candidates.slice(0, n));
  const total = (count: (candidate: SolvedRecord['candidates'][number]) => number): number =>
    pools.reduce((sum, pool) => sum + pool.reduce((tokens, candidate) => tokens + count(candidate), 0), 0) / Math.max(1, records.length);
  const share = (right: readonly boolean[]): Share => {
    const count = right.filter(Boolean).length;
    const [low, high] = wilson(count, right.length);
    return { accuracy: right.length === 0 ? 0 : count / right.length, low, high };
  };
  const means = pools.map((pool) => pool.filter(({ correct }) => correct === true).length / Math.max(1, pool.length));
  return {
    n,
    tokens: { solver: total(({ tokens }) => tokens), tool: total(({ toolTokens }) => toolTokens), reward: total(({ rewardTokens }) => rewardTokens) },
    strategies: {
      ...Object.fromEntries((Object.keys(selectors) as SelectorName[]).map((name) => [name, share(pools.map((pool) => chosenIsRight(pool, name)))])),
      mean: normalShare(means),
      oracle: share(pools.map((pool) => pool.some(({ correct }) => correct === true))),
    },
  };
}

const NO_TOKENS = { seed: 0, tokens: new Int32Array(), logprobs: new Float32Array() };

/** What a strategy makes of recorded candidates; where nobody passed, the reward decides. */
export function decisionOf(pool: SolvedRecord['candidates'], name: SelectorName): Selection {
  const scored = pool.map((candidate): ScoredCandidate => ({ ...candidate, ...NO_TOKENS, tool: { verdict: candidate.tool.verdict, programs: [] } }));
  return select(scored, name, 'reward');
}

export function chosenIsRight(pool: SolvedRecord['candidates'], name: SelectorName): boolean {
  const { chosen } = decisionOf(pool, name);
  return pool.find(({ index }) => index === chosen)?.correct === true;
}

/** Of a mean over problems that is no share of yes and no. */
function normalShare(values: readonly number[]): Share {
  const n = Math.max(1, values.length);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1));
  const half = (1.96 * deviation) / Math.sqrt(n);
  return { accuracy: mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
}

function verdictsOf(records: readonly SolvedRecord[]): RunSummary['verdicts'] {
  const candidates = records.flatMap((record) => record.candidates).filter(({ answer }) => answer !== null);
  const count = (verdict: string, right: boolean): number => candidates.filter(({ tool, correct }) => tool.verdict === verdict && correct === right).length;
  const both = (verdict: string) => ({ right: count(verdict, true), wrong: count(verdict, false) });
  return { pass: both('pass'), fail: both('fail'), unknown: both('unknown') };
}

function groups(records: readonly SolvedRecord[], nameOf: (record: SolvedRecord) => string | undefined, samples: number): RunSummary['categories'] {
  const byName = new Map<string, SolvedRecord[]>();
  for (const record of records) {
    const name = nameOf(record);
    if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), record]);
  }
  return [...byName.entries()].map(([name, own]) => ({ name, problems: own.length, strategies: pointOf(own, samples).strategies }));
}

/** Tool × reward: a claim holds if neither refutes it. */
export const byBoth = ({ byThinking, byProgram }: ClaimRecord): boolean | null => (byProgram === null || byThinking === null ? byProgram : byThinking && byProgram);

function claimsSummary(manifest: RunManifest, claims: readonly ClaimRecord[]): ClaimsSummary {
  const counts = [...new Set(claims.map(({ category }) => Number(category)))].sort((a, b) => a - b);
  return {
    kind: 'claims',
    manifest,
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
