/** What adaptive stopping would have saved and cost, played through on a pool. */
import { stopping, type Stopping } from './stopping.js';
import {
  bootstrapMeans,
  bootstrapShares,
  meanOf,
  pairedBootstrap,
  type BootstrapOptions,
  type Comparison,
  type Estimate,
} from './bootstrap.js';
import { costNames, type CostName, type Pools, type PoolRun } from './pools.js';
import { Random } from '../numbers/random.js';
import { lacksSome, rulesOf, type RunRules, type Unknown } from './selector-arrays.js';
import { availableStrategies, fallbackFor, PLAYED_WHOLE } from './strategies.js';
import { shapeOf } from './summary.js';
import { Tally } from './tally.js';
import { Vote } from '../select/vote.js';
import { T1Error } from '../errors.js';
import type { Fallback } from '../types.js';

/** Strategies whose weights add up; where they compete, one more candidate can always overtake. */
export type AdaptiveStrategy = 'majority' | 'reward' | 'tool' | 'weighted';

export interface AdaptiveOptions extends BootstrapOptions {
  readonly strategy: AdaptiveStrategy;
  /** See `stopping`; 0.95 when absent. */
  readonly confidence?: number | undefined;
  /** Most candidates of a problem; the smallest pool when absent. */
  readonly maximum?: number | undefined;
  /** Candidates before the first look; 1 when absent. */
  readonly minimum?: number | undefined;
  /** Candidates between two looks; 1 when absent. */
  readonly every?: number | undefined;
  /** Random orders in which each pool is played; `pool` plays the order of sampling alone. */
  readonly orders?: number | 'pool' | undefined;
  readonly fallback?: Fallback | undefined;
  readonly unknown?: Unknown | undefined;
}

/** Means per problem, with 95 % intervals over problems and seeds. */
export interface AdaptiveSide {
  readonly accuracy: Estimate;
  readonly candidates: Estimate;
  /** Of what every candidate of the pool says. */
  readonly costs: Readonly<Partial<Record<CostName, number>>>;
}

export interface AdaptiveResult {
  readonly adaptive: AdaptiveSide;
  /** The same candidates, always all of them. */
  readonly fixed: AdaptiveSide;
  /** Accuracy of adaptive minus fixed. */
  readonly difference: Comparison;
  /** Shares of the ways to end; they sum to 1. */
  readonly ended: { readonly settled: number; readonly confident: number; readonly exhausted: number };
}

/** Vectors are [seeds × problems], means over orders. */
interface Played {
  readonly right: Float64Array;
  readonly candidates: Float64Array;
  readonly costs: ReadonlyMap<CostName, Float64Array>;
}

/**
 * @throws T1Error USAGE when the pool lacks what the strategy needs, or some of it was skipped; when a number is out of
 *   range
 */
export function simulateAdaptive(pools: Pools, options: AdaptiveOptions): AdaptiveResult {
  const play = settingsOf(pools, options);
  const adaptive = emptyPlay(pools);
  const fixed = emptyPlay(pools);
  const ended = { settled: 0, confident: 0, exhausted: 0 };
  const tally = Tally.for(pools);
  pools.runs.forEach((run, r) => {
    const rules = rulesOf(run, options.strategy, play.fallback, options.unknown ?? 'fail');
    if (lacksSome(rules, run.group.length, 1))
      throw new T1Error('USAGE', `'${options.strategy}' cannot be played: ${PLAYED_WHOLE}`);
    const random = new Random(options.seed ?? 0, r);
    const order = Int32Array.from(run.group, (_, i) => i);
    for (let each = 0; each < play.orders; each++) {
      if (play.shuffled) random.shuffle(order);
      const { size, because } = stopAt(run, rules, order, play);
      ended[because ?? 'exhausted']++;
      for (const [into, taken] of [
        [adaptive, size],
        [fixed, play.maximum],
      ] as const) {
        record(into, r, run, order, taken, tally.winner(rules, run.group, order, taken) === 0);
      }
    }
  });
  for (const played of [adaptive, fixed]) divide(played, play.orders);
  for (const way of ['settled', 'confident', 'exhausted'] as const) ended[way] /= play.orders * pools.runs.length;
  const difference = pairedBootstrap(adaptive.right, fixed.right, shapeOf(pools), options);
  return { adaptive: sideOf(adaptive, pools, options), fixed: sideOf(fixed, pools, options), difference, ended };
}

type Settings = ReturnType<typeof settingsOf>;

function settingsOf(
  pools: Pools,
  {
    strategy,
    confidence = 0.95,
    maximum = pools.candidates,
    minimum = 1,
    every = 1,
    orders = 20,
    fallback,
  }: AdaptiveOptions,
) {
  const { leftOut } = availableStrategies(pools, [strategy]);
  if (leftOut[strategy] !== undefined)
    throw new T1Error('USAGE', `'${strategy}' cannot be played: ${leftOut[strategy]}`);
  const whole = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (!whole(maximum, pools.candidates))
    throw new T1Error('USAGE', `maximum: a whole number from 1 to ${pools.candidates}, the smallest pool`);
  if (!whole(minimum, maximum)) throw new T1Error('USAGE', `minimum: a whole number from 1 to the maximum ${maximum}`);
  if (!whole(every, Infinity)) throw new T1Error('USAGE', 'every: a whole number from 1');
  if (orders !== 'pool' && !whole(orders, Infinity))
    throw new T1Error('USAGE', "orders: a whole number from 1, or 'pool'");
  if (!(confidence >= 0.5 && confidence <= 1)) throw new T1Error('USAGE', 'confidence: from 0.5 to 1');
  return {
    confidence,
    maximum,
    minimum,
    every,
    orders: orders === 'pool' ? 1 : orders,
    shuffled: orders !== 'pool',
    fallback: fallbackFor(pools, fallback),
  };
}

const emptyPlay = ({ runs, has }: Pools): Played => ({
  right: new Float64Array(runs.length),
  candidates: new Float64Array(runs.length),
  costs: new Map(costNames.filter((name) => has[name]).map((name) => [name, new Float64Array(runs.length)])),
});

/** Candidates are looked at one by one, as a run that may stop would see them. */
function stopAt(
  { group, groups }: PoolRun,
  { own }: RunRules,
  order: Int32Array,
  { confidence, maximum, minimum, every }: Settings,
): { size: number; because: Stopping['because'] } {
  const vote = new Vote(groups);
  vote.begin('sum');
  for (let size = 1; size <= maximum; size++) {
    const candidate = order[size - 1] ?? -1;
    if (own.counts[candidate] === 1) vote.add(group[candidate] ?? -1, own.weight[candidate] ?? NaN, size);
    if (size === maximum || size < minimum || (size - minimum) % every !== 0) continue;
    const { stop, because } = stopping(vote.weights(), { confidence, left: maximum - size });
    if (stop) return { size, because };
  }
  return { size: maximum, because: null };
}

function record(
  into: Played,
  r: number,
  { candidates }: PoolRun,
  order: Int32Array,
  taken: number,
  right: boolean,
): void {
  const add = (values: Float64Array, value: number) => (values[r] = (values[r] ?? 0) + value);
  add(into.right, right ? 1 : 0);
  add(into.candidates, taken);
  for (const [name, values] of into.costs) {
    let sum = 0;
    for (let i = 0; i < taken; i++) sum += candidates[order[i] ?? 0]?.[name] ?? 0;
    add(values, sum);
  }
}

/** Sums over orders become means. */
function divide({ right, candidates, costs }: Played, orders: number): void {
  for (const values of [right, candidates, ...costs.values()]) {
    for (const [i, sum] of values.entries()) values[i] = sum / orders;
  }
}

function sideOf({ right, candidates, costs }: Played, pools: Pools, options: BootstrapOptions): AdaptiveSide {
  const [accuracy] = bootstrapShares([right], shapeOf(pools), options);
  const [taken] = bootstrapMeans([candidates], shapeOf(pools), options);
  const nothing = { mean: NaN, low: NaN, high: NaN };
  return {
    accuracy: accuracy ?? nothing,
    candidates: taken ?? nothing,
    costs: Object.fromEntries([...costs].map(([name, values]) => [name, meanOf(values)])),
  };
}
