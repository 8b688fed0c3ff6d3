/** Figures of a pool for people and programs: accuracies with intervals, curves, comparisons, parts. */
import { T1Error } from '../errors.js';
import { bootstrapShares, pairedBootstrap, type BootstrapOptions, type Comparison, type Shape } from './bootstrap.js';
import type { Outcomes } from './outcomes.js';
import type { Pools } from './pools.js';
import type { StrategyName } from './strategies.js';

/** Share of problems answered rightly, with its 95 % interval. */
export interface Accuracy {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

export type Accuracies = Readonly<Partial<Record<StrategyName, Accuracy>>>;

export interface CurvePoint {
  readonly n: number;
  readonly strategies: Accuracies;
}

/** The problems of one category or level. */
export interface Part {
  /** Null for problems that say none. */
  readonly name: string | null;
  readonly problems: number;
  readonly strategies: Accuracies;
}

export const shapeOf = ({ problems, seeds }: Pools): Shape => ({ problems: problems.length, seeds: seeds.length });

/** Accuracy of every strategy at every N, over the same resamples of problems. */
export function accuracyCurve(pools: Pools, outcomes: Outcomes, options: BootstrapOptions = {}): CurvePoint[] {
  const vectors = outcomes.strategies.flatMap((name) => outcomes.accuracy.get(name) ?? []);
  const estimates = bootstrapShares(vectors, shapeOf(pools), options);
  return outcomes.sizes.map((n, s) => ({
    n,
    strategies: named(outcomes.strategies, (i) => estimates[i * outcomes.sizes.length + s]),
  }));
}

type Estimated = ReturnType<typeof bootstrapShares>[number];

function named(names: readonly StrategyName[], estimateOf: (index: number) => Estimated | undefined): Accuracies {
  const entries = names.flatMap((name, i) => {
    const estimate = estimateOf(i);
    return estimate ? [[name, { accuracy: estimate.mean, low: estimate.low, high: estimate.high }] as const] : [];
  });
  return Object.fromEntries(entries);
}

/**
 * Is strategy `a` better than `b`, with the same N candidates of the same problems?
 *
 * @throws T1Error USAGE when a strategy or N is not among the outcomes
 */
export function compareStrategies(
  pools: Pools,
  outcomes: Outcomes,
  a: StrategyName,
  b: StrategyName,
  n: number,
  options: BootstrapOptions = {},
): Comparison {
  return pairedBootstrap(outcomeOf(outcomes, a, n), outcomeOf(outcomes, b, n), shapeOf(pools), options);
}

/** @returns [seeds × problems] */
function outcomeOf({ sizes, accuracy, leftOut }: Outcomes, name: StrategyName, n: number): Float64Array {
  const values = accuracy.get(name)?.[sizes.indexOf(n)];
  if (values) return values;
  throw new T1Error(
    'USAGE',
    `there is no figure of '${name}' for N = ${n}${leftOut[name] === undefined ? '' : `: ${leftOut[name]}`}`,
  );
}

/** Accuracy at N for every category or every level, in the order of their names; numbers among them by value. */
export function accuracyByPart(
  pools: Pools,
  outcomes: Outcomes,
  by: 'category' | 'level',
  n: number,
  options: BootstrapOptions = {},
): Part[] {
  const names = [...new Set(pools.problems.map((problem) => problem[by] ?? null))].sort(byName);
  return names.map((name) => {
    const members = pools.problems.flatMap((problem, p) => ((problem[by] ?? null) === name ? [p] : []));
    const shape = { problems: members.length, seeds: pools.seeds.length };
    const vectors = outcomes.strategies.map((strategy) => selected(outcomeOf(outcomes, strategy, n), members, pools));
    const estimates = bootstrapShares(vectors, shape, options);
    return { name, problems: members.length, strategies: named(outcomes.strategies, (i) => estimates[i]) };
  });
}

const byName = (a: string | null, b: string | null): number =>
  a === null || b === null ? Number(a === null) - Number(b === null) : a.localeCompare(b, 'en', { numeric: true });

/** @returns [seeds × members] */
const selected = (values: Float64Array, members: readonly number[], { problems, seeds }: Pools): Float64Array =>
  Float64Array.from(seeds.flatMap((_, s) => members.map((p) => values[s * problems.length + p] ?? 0)));
