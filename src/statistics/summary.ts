/** Figures of a pool for people and programs: accuracies with intervals, curves, comparisons, parts. */
import { T1Error } from '../errors.js';
import {
  bootstrapShares,
  pairedBootstrap,
  type BootstrapOptions,
  type Comparison,
  type Estimate,
  type Shape,
} from './bootstrap.js';
import type { Outcomes } from './outcomes.js';
import type { Pools } from './pools.js';
import { ONLY_WHOLE, type StrategyName } from './strategies.js';

/** Share of problems answered rightly, with its 95 % interval. */
export interface Accuracy {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

export type Accuracies = Readonly<Partial<Record<StrategyName, Accuracy>>>;

export interface CurvePoint {
  readonly n: number;
  /** Pools (problems × seeds) that have fewer than N candidates; all of theirs are taken. */
  readonly smaller: number;
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
  const figures = outcomes.strategies.flatMap((name) =>
    (outcomes.accuracy.get(name) ?? []).flatMap((values, s) => (values ? [{ name, s, values }] : [])),
  );
  const estimates = bootstrapShares(
    figures.map(({ values }) => values),
    shapeOf(pools),
    options,
  );
  return outcomes.sizes.map((n, at) => ({
    n,
    smaller: outcomes.smaller[at] ?? 0,
    strategies: Object.fromEntries(
      estimates.flatMap((estimate, i) => {
        const figure = figures[i];
        return figure?.s === at ? [[figure.name, accuracyOf(estimate)] as const] : [];
      }),
    ),
  }));
}

const accuracyOf = ({ mean, low, high }: Estimate): Accuracy => ({ accuracy: mean, low, high });

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

/** Why a strategy has no figure for an N that others have one for; undefined where it has. */
export function leftOutAt({ sizes, accuracy, leftOut }: Outcomes, name: StrategyName, n: number): string | undefined {
  const figures = accuracy.get(name);
  return figures?.[sizes.indexOf(n)] === null ? ONLY_WHOLE : leftOut[name];
}

/** @returns [seeds × problems] */
function outcomeOf(outcomes: Outcomes, name: StrategyName, n: number): Float64Array {
  const values = outcomes.accuracy.get(name)?.[outcomes.sizes.indexOf(n)];
  if (values) return values;
  const why = leftOutAt(outcomes, name, n);
  throw new T1Error('USAGE', `there is no figure of '${name}' for N = ${n}${why === undefined ? '' : `: ${why}`}`);
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
  const there = outcomes.strategies.filter((strategy) => leftOutAt(outcomes, strategy, n) === undefined);
  return names.map((name) => {
    const members = pools.problems.flatMap((problem, p) => ((problem[by] ?? null) === name ? [p] : []));
    const shape = { problems: members.length, seeds: pools.seeds.length };
    const vectors = there.map((strategy) => selected(outcomeOf(outcomes, strategy, n), members, pools));
    const estimates = bootstrapShares(vectors, shape, options);
    const strategies = estimates.flatMap((estimate, i) =>
      there[i] ? [[there[i], accuracyOf(estimate)] as const] : [],
    );
    return { name, problems: members.length, strategies: Object.fromEntries(strategies) };
  });
}

const byName = (a: string | null, b: string | null): number =>
  a === null || b === null ? Number(a === null) - Number(b === null) : a.localeCompare(b, 'en', { numeric: true });

/** @returns [seeds × members] */
const selected = (values: Float64Array, members: readonly number[], { problems, seeds }: Pools): Float64Array =>
  Float64Array.from(seeds.flatMap((_, s) => members.map((p) => values[s * problems.length + p] ?? 0)));
