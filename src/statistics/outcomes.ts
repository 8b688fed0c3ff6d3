/** How often each strategy would be right with N candidates, for every problem: all from one pool, nothing decoded again. */
import { setImmediate } from 'node:timers/promises';
import { T1Error } from '../errors.js';
import type { SelectorName } from '../select/select.js';
import type { Fallback } from '../types.js';
import { passAtK } from './pass-at-k.js';
import type { Pools, PoolRun } from './pools.js';
import { Random } from '../numbers/random.js';
import { rulesOf, type RunRules, type Unknown } from './selector-arrays.js';
import { availableStrategies, fallbackFor, type Available, type StrategyName } from './strategies.js';
import { forEachSubset } from './subsets.js';
import { Tally } from './tally.js';

export interface OutcomeOptions {
  /** Values of N, ascending; by default 1, 2, 4 … and the smallest pool. */
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
  /** For each size, [seeds × problems] expected correctness 0…1. */
  readonly accuracy: ReadonlyMap<StrategyName, readonly Float64Array[]>;
}

export const DEFAULT_SUBSETS = 200;
const TURN_MS = 50;

/** Gives the event loop its turn now and then, so that Ctrl-C and other work get through. */
class Turn {
  private last = performance.now();

  constructor(private readonly signal: AbortSignal | undefined) {}

  async taken(): Promise<void> {
    if (performance.now() - this.last > TURN_MS) {
      await setImmediate();
      this.last = performance.now();
    }
    this.signal?.throwIfAborted();
  }
}

/** 1, 2, 4 … and `largest` itself. */
export function doublingSizes(largest: number): number[] {
  const sizes: number[] = [];
  for (let n = 1; n < largest; n *= 2) sizes.push(n);
  return [...sizes, largest];
}

/**
 * Subsets are drawn without replacement and keep the order of sampling; all strategies see the same ones. `mean` and `oracle`
 * are exact over all subsets (a share, and pass@N), unless the prefix is asked for.
 *
 * @throws T1Error USAGE for a size that the smallest pool does not hold; ABORTED
 */
export async function outcomesOf(pools: Pools, options: OutcomeOptions = {}): Promise<Outcomes> {
  const {
    sizes = doublingSizes(pools.candidates),
    subsets = DEFAULT_SUBSETS,
    unknown = 'fail',
    seed = 0,
    signal,
  } = options;
  checkSizes(sizes, pools.candidates);
  const available = availableStrategies(pools, options.strategies);
  const fallback = fallbackFor(pools, options.fallback);
  const accuracy = new Map(
    available.strategies.map((name) => [name, sizes.map(() => new Float64Array(pools.runs.length))]),
  );
  const chosen = available.strategies.filter(isSelector);
  const tally = Tally.for(pools);
  const turn = new Turn(signal);
  for (const [r, run] of pools.runs.entries()) {
    const rules = chosen.map((name) => rulesOf(run, name, fallback, unknown));
    for (const [s, size] of sizes.entries()) {
      await turn.taken();
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
  return { ...available, sizes, fallback, subsets, accuracy };
}

const isSelector = (name: StrategyName): name is SelectorName =>
  name !== 'mean' && name !== 'oracle' && name !== 'greedy';

const countRight = ({ group }: PoolRun, of: number): number =>
  group.subarray(0, of).reduce((sum, each) => sum + (each === 0 ? 1 : 0), 0);

function checkSizes(sizes: readonly number[], most: number): void {
  const bad = sizes.find((size) => !Number.isInteger(size) || size < 1 || size > most);
  if (bad !== undefined)
    throw new T1Error(
      'USAGE',
      `N = ${bad} cannot be had: the smallest pool has ${most} candidates, choose from 1 to ${most}`,
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
