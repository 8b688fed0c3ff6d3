/**
 * How often each strategy would be right with N candidates, for every problem: all from one pool, nothing decoded
 * again.
 */
import { T1Error } from '../errors.js';
import type { Fallback } from '../types.js';
import { passAtK } from './pass-at-k.js';
import type { Pools, PoolRun } from './pools.js';
import { Random } from '../numbers/random.js';
import { lacksSome, rulesOf, type RunRules, type Unknown } from './selector-arrays.js';
import { availableStrategies, fallbackFor, isSelector, type Available, type StrategyName } from './strategies.js';
import { forEachSubset } from './subsets.js';
import { Tally } from './tally.js';
import { Turn } from './turn.js';

export interface OutcomeOptions {
  /** Values of N, ascending; by default 1, 2, 4 … and the largest pool. */
  readonly sizes?: readonly number[] | undefined;
  /** Random subsets for each problem and N; `prefix` takes the first N candidates alone, as the paper seems to. */
  readonly subsets?: number | 'prefix' | undefined;
  readonly seed?: number | undefined;
  readonly strategies?: readonly StrategyName[] | undefined;
  readonly fallback?: Fallback | undefined;
  readonly unknown?: Unknown | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Outcomes extends Available {
  readonly sizes: readonly number[];
  readonly fallback: Fallback;
  readonly subsets: number | 'prefix';
  /** [sizes] pools that have fewer candidates than N; all of theirs are taken. */
  readonly smaller: readonly number[];
  /**
   * Of strategies that look at something which was skipped: in how many pools. There they choose with what there is, of
   * the whole pool; they have no figure for an N that cuts such a pool.
   */
  readonly partial: Readonly<Partial<Record<StrategyName, number>>>;
  /** For each size, [seeds × problems] expected correctness 0…1; null where there is no figure. */
  readonly accuracy: ReadonlyMap<StrategyName, readonly (Float64Array | null)[]>;
}

export const DEFAULT_SUBSETS = 200;

/** 1, 2, 4 … and `largest` itself. */
export function doublingSizes(largest: number): number[] {
  const sizes: number[] = [];
  for (let n = 1; n < largest; n *= 2) sizes.push(n);
  return [...sizes, largest];
}

/**
 * Subsets are drawn without replacement and keep the order of sampling; all strategies see the same ones. `mean` and
 * `oracle` are exact over all subsets (a share, and pass@N), unless the prefix is asked for. Of a pool with fewer than
 * N, all are taken.
 *
 * @throws T1Error USAGE for a size that no pool holds; ABORTED
 */
export async function outcomesOf(pools: Pools, options: OutcomeOptions = {}): Promise<Outcomes> {
  const { sizes = doublingSizes(pools.most), subsets = DEFAULT_SUBSETS, unknown = 'fail', seed = 0, signal } = options;
  checkSizes(sizes, pools.most);
  const available = availableStrategies(pools, options.strategies);
  const fallback = fallbackFor(pools, options.fallback);
  const chosen = available.strategies.filter(isSelector);
  const rulesByRun = pools.runs.map((run) => chosen.map((name) => rulesOf(run, name, fallback, unknown)));
  const { partial, cut } = gapsOf(pools, chosen, rulesByRun, sizes);
  const accuracy = new Map(
    available.strategies.map((name) => [
      name,
      sizes.map((_, s) => (cut.get(name)?.[s] ? null : new Float64Array(pools.runs.length))),
    ]),
  );
  const tally = Tally.for(pools);
  const turn = new Turn(signal);
  for (const [r, run] of pools.runs.entries()) {
    const rules = rulesByRun[r] ?? [];
    for (const [s, n] of sizes.entries()) {
      await turn.taken();
      const size = Math.min(n, run.group.length);
      const keep = (name: StrategyName, value: number) => accuracy.get(name)?.[s]?.fill(value, r, r + 1);
      const right =
        subsets === 'prefix'
          ? rightOfPrefix(run, rules, size, tally)
          : rightOfSubsets(run, rules, size, subsets, new Random(seed, r, size), tally);
      for (const [i, name] of chosen.entries()) keep(name, right[i] ?? 0);
      const seen = subsets === 'prefix' ? size : run.group.length;
      keep('mean', countRight(run, seen) / seen);
      keep('oracle', passAtK(seen, countRight(run, seen), size));
      keep('greedy', run.greedyRight ? 1 : 0);
    }
  }
  const smaller = sizes.map((n) => pools.runs.filter(({ group }) => group.length < n).length);
  return { ...available, sizes, fallback, subsets, smaller, partial, accuracy };
}

/**
 * In how many pools each strategy decides without something that was skipped, and [sizes] whether that would have to be
 * cut.
 */
function gapsOf(
  { runs }: Pools,
  names: readonly StrategyName[],
  rulesByRun: readonly (readonly RunRules[])[],
  sizes: readonly number[],
) {
  const partialAt = (i: number, r: number, size: number): boolean => {
    const [run, rules] = [runs[r], rulesByRun[r]?.[i]];
    return run !== undefined && rules !== undefined && lacksSome(rules, run.group.length, size);
  };
  const whole = names.map((_, i) => runs.filter(({ group }, r) => partialAt(i, r, group.length)).length);
  return {
    partial: Object.fromEntries(names.flatMap((name, i) => ((whole[i] ?? 0) > 0 ? [[name, whole[i]]] : []))),
    cut: new Map(
      names.map((name, i) => [
        name,
        sizes.map((size) => runs.some(({ group }, r) => size < group.length && partialAt(i, r, size))),
      ]),
    ),
  };
}

const countRight = ({ group }: PoolRun, of: number): number =>
  group.subarray(0, of).reduce((sum, each) => sum + (each === 0 ? 1 : 0), 0);

function checkSizes(sizes: readonly number[], most: number): void {
  const bad = sizes.find((size) => !Number.isInteger(size) || size < 1 || size > most);
  if (bad !== undefined)
    throw new T1Error(
      'USAGE',
      `N = ${bad} cannot be had: the largest pool has ${most} candidates, choose from 1 to ${most}`,
    );
  if (sizes.length === 0) throw new T1Error('USAGE', 'no N is given: name one at least');
}

/** @returns [rules] 0 or 1 */
function rightOfPrefix({ group }: PoolRun, rules: readonly RunRules[], size: number, tally: Tally): number[] {
  const picked = Int32Array.from({ length: size }, (_, i) => i);
  return rules.map((rule) => (tally.winner(rule, group, picked, size) === 0 ? 1 : 0));
}

/** @returns [rules] share of subsets from which the right answer is chosen */
function rightOfSubsets(
  { group }: PoolRun,
  rules: readonly RunRules[],
  size: number,
  subsets: number,
  random: Random,
  tally: Tally,
): number[] {
  const picked = new Int32Array(size);
  const right = new Int32Array(rules.length);
  const visited = forEachSubset(group.length, size, subsets, random, picked, () => {
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i];
      if (rule && tally.winner(rule, group, picked, size) === 0) right[i] = (right[i] ?? 0) + 1;
    }
  });
  return [...right].map((count) => count / visited);
}
