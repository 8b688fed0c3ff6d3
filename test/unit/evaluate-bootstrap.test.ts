/** Intervals: against closed forms, and by how often they hold what they should. */
import { describe, expect, test } from 'vitest';
import {
  bootstrapMeans,
  bootstrapShares,
  meanOf,
  pairedBootstrap,
  resampledMeans,
} from '../../src/statistics/bootstrap.js';
import { computeCurve } from '../../src/statistics/compute.js';
import { outcomesOf } from '../../src/statistics/outcomes.js';
import { poolsOf, type PoolProblem } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { accuracyByPart, accuracyCurve, compareStrategies } from '../../src/statistics/summary.js';
import { wilson } from '../../src/statistics/wilson.js';
import { randomProblems, uniform } from '../support/pools.js';

const one = (problems: number) => ({ problems, seeds: 1 });
const variance = (values: Float64Array): number => {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
};
const trials = (seed: number, count: number, p: number): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: count }, () => (uniform(random) < p ? 1 : 0));
};
const first = <T>(list: readonly T[]): T => {
  const [item] = list;
  if (item === undefined) throw new Error('nothing there');
  return item;
};

test('the generator is xoshiro128**: the same seed, the same numbers, spread evenly', () => {
  const [a, b, c] = [new Random(1, 2), new Random(1, 2), new Random(2, 1)];
  const drawn = (random: Random) => Array.from({ length: 5 }, () => random.next());
  const numbers = drawn(a);
  expect(drawn(b)).toEqual(numbers);
  expect(drawn(c)).not.toEqual(numbers);
  const counts = new Float64Array(10);
  for (let i = 0; i < 100_000; i++) counts[a.below(10)] = (counts[a.below(10)] ?? 0) + 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(1000);
});

describe('one mean', () => {
  const values = trials(1, 400, 0.3);

  test('resampled means vary as they should: s² / n', () => {
    const resampled = first(resampledMeans([values], one(400), { resamples: 20_000 }));
    expect(meanOf(resampled)).toBeCloseTo(meanOf(values), 3);
    expect(variance(resampled) / (variance(values) / 400)).toBeCloseTo(1, 1.3);
  });

  test('the interval is near the normal one', () => {
    const { mean, low, high } = first(bootstrapShares([values], one(400)));
    const half = 1.96 * Math.sqrt((mean * (1 - mean)) / 400);
    expect(low).toBeCloseTo(mean - half, 1.8);
    expect(high).toBeCloseTo(mean + half, 1.8);
  });

  test('is the same for the same seed', () => {
    const at = (seed: number) => first(bootstrapShares([values], one(400), { resamples: 300, seed }));
    expect(at(5)).toEqual(at(5));
    expect(at(5)).not.toEqual(at(6));
  });

  test('all right, or none: Wilson', () => {
    const [all, none] = bootstrapShares([new Float64Array(20).fill(1), new Float64Array(20)], one(20));
    expect([all?.low, all?.high]).toEqual(wilson(20, 20));
    expect(all?.low).toBeCloseTo(1 / (1 + 1.959964 ** 2 / 20), 6);
    expect([none?.low, none?.high]).toEqual(wilson(0, 20));
  });

  test('covers the truth in about 95 of 100 worlds', () => {
    const worlds = 400;
    let covered = 0;
    for (let world = 0; world < worlds; world++) {
      const random = new Random(world, 77);
      // a problem has its own chance, uniform on 0…1, of which 8 samples tell
      const measured = Float64Array.from({ length: 60 }, () => {
        const chance = uniform(random);
        return (
          Array.from({ length: 8 }, () => (uniform(random) < chance ? 1 : 0)).reduce<number>(
            (sum, each) => sum + each,
            0,
          ) / 8
        );
      });
      const { low, high } = first(bootstrapShares([measured], one(60), { resamples: 400, seed: world }));
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    expect(covered / worlds).toBeGreaterThan(0.9);
    expect(covered / worlds).toBeLessThan(0.985);
  });
});

describe('several seeds', () => {
  test('what differs between seeds widens the interval', () => {
    // [seeds × problems]: nothing differs between problems, a lot between seeds
    const values = Float64Array.from([0.2, 0.4, 0.6, 0.8].flatMap((share) => Array.from({ length: 50 }, () => share)));
    const { mean, low, high } = first(bootstrapMeans([values], { problems: 50, seeds: 4 }));
    expect(mean).toBeCloseTo(0.5, 12);
    expect(low).toBeLessThan(0.35);
    expect(high).toBeGreaterThan(0.65);
    const resampled = first(resampledMeans([values], { problems: 50, seeds: 4 }));
    expect(variance(resampled) / (variance(values) / 4)).toBeCloseTo(1, 1.3);
  });

  test('seeds that agree change nothing but the chance of the draw', () => {
    const values = trials(3, 200, 0.4);
    const resampled = first(resampledMeans([Float64Array.from([...values, ...values])], { problems: 200, seeds: 2 }));
    expect(variance(resampled) / (variance(values) / 200)).toBeCloseTo(1, 1.3);
  });

  test('covers the truth also when a seed shifts all problems', () => {
    let covered = 0;
    for (let world = 0; world < 200; world++) {
      const random = new Random(world, 99);
      const normal = (): number =>
        Array.from({ length: 12 }, () => uniform(random)).reduce((sum, each) => sum + each, -6);
      const problems = Array.from({ length: 40 }, normal);
      const values = Float64Array.from(
        Array.from({ length: 8 }, normal).flatMap((shift) => problems.map((own) => own + shift + normal())),
      );
      const { low, high } = first(
        bootstrapMeans([values], { problems: 40, seeds: 8 }, { resamples: 300, seed: world }),
      );
      if (low <= 0 && 0 <= high) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.86); // few seeds are few draws
  });
});

describe('is A better than B', () => {
  test('the observed difference counts as a resample: no p-value is 0', () => {
    const [right, wrong] = [new Float64Array(50).fill(1), new Float64Array(50)];
    expect(pairedBootstrap(right, wrong, one(50), { resamples: 99 }).p).toBe(1 / 100);
  });

  test('the same outcomes: no difference', () => {
    const values = trials(4, 100, 0.5);
    expect(pairedBootstrap(values, values, one(100))).toEqual({ difference: 0, low: 0, high: 0, p: 1 });
  });

  test('a paired difference is surer than its parts', () => {
    const b = trials(5, 200, 0.5);
    const a = b.map((value, i) => (i % 10 === 0 ? 1 : value));
    const { difference, low, p } = pairedBootstrap(a, b, one(200));
    expect(difference).toBeCloseTo(meanOf(a) - meanOf(b), 12);
    expect(low).toBeGreaterThan(0);
    expect(p).toBeLessThan(0.01);
    expect(pairedBootstrap(b, a, one(200)).difference).toBeCloseTo(-difference, 12);
  });

  test('where nothing differs in truth, p is below 0.05 in about 5 of 100 worlds', () => {
    let found = 0;
    for (let world = 0; world < 400; world++) {
      if (
        pairedBootstrap(trials(1000 + world, 80, 0.5), trials(5000 + world, 80, 0.5), one(80), {
          resamples: 300,
          seed: world,
        }).p < 0.05
      )
        found++;
    }
    expect(found / 400).toBeGreaterThan(0.02);
    expect(found / 400).toBeLessThan(0.09);
  });
});

describe('figures of pools', () => {
  const problems = randomProblems(6, 40, 8).map(
    (problem, i): PoolProblem => ({
      ...problem,
      category: i % 4 === 0 ? 'geometry' : 'algebra',
      level: String(1 + (i % 12)),
    }),
  );

  test('the curve has an interval at every N, and comparisons agree with it', async () => {
    const pools = poolsOf(problems);
    const outcomes = await outcomesOf(pools);
    const points = accuracyCurve(pools, outcomes, { resamples: 500 });
    expect(points.map(({ n }) => n)).toEqual([1, 2, 4, 8]);
    for (const { strategies } of points) {
      expect(Object.keys(strategies)).toEqual(outcomes.strategies);
      for (const { accuracy, low, high } of Object.values(strategies)) {
        expect(low).toBeLessThanOrEqual(accuracy);
        expect(high).toBeGreaterThanOrEqual(accuracy);
      }
    }
    const { difference } = compareStrategies(pools, outcomes, 'weighted', 'majority', 8, { resamples: 500 });
    const last = points.at(-1)?.strategies;
    expect(difference).toBeCloseTo((last?.weighted?.accuracy ?? 0) - (last?.majority?.accuracy ?? 0), 12);
    expect(() => compareStrategies(pools, outcomes, 'weighted', 'greedy', 8)).toThrow(
      'not every problem has a greedy answer',
    );
    expect(() => compareStrategies(pools, outcomes, 'weighted', 'majority', 3)).toThrow('N = 3');
  });

  test('parts are what their problems alone give', async () => {
    const pools = poolsOf(problems);
    const byCategory = accuracyByPart(pools, await outcomesOf(pools, { sizes: [8] }), 'category', 8, {
      resamples: 200,
    });
    expect(byCategory.map(({ name, problems: count }) => [name, count])).toEqual([
      ['algebra', 30],
      ['geometry', 10],
    ]);
    const geometry = poolsOf(problems.filter(({ category }) => category === 'geometry'));
    expect(byCategory[1]?.strategies).toEqual(
      accuracyCurve(geometry, await outcomesOf(geometry, { sizes: [8] }), { resamples: 200 })[0]?.strategies,
    );
    const levels = accuracyByPart(pools, await outcomesOf(pools, { sizes: [8] }), 'level', 8, { resamples: 200 }).map(
      ({ name }) => name,
    );
    expect(levels.slice(0, 3)).toEqual(['1', '2', '3']);
    expect(levels.at(-1)).toBe('12');
  });

  test('two runs of each problem are one figure', async () => {
    const runs = [3, 4].flatMap((seed) => randomProblems(seed, 20, 4).map((problem) => ({ ...problem, seed })));
    const pools = poolsOf(runs);
    const [both] = accuracyCurve(pools, await outcomesOf(pools, { sizes: [4] }), { resamples: 200 });
    const alone = await Promise.all(
      [3, 4].map(async (seed) => {
        const each = poolsOf(runs.filter((run) => run.seed === seed));
        return meanOf((await outcomesOf(each, { sizes: [4] })).accuracy.get('weighted')?.[0] ?? new Float64Array());
      }),
    );
    expect(both?.strategies.weighted?.accuracy).toBeCloseTo(((alone[0] ?? 0) + (alone[1] ?? 0)) / 2, 12);
  });

  test('a part of several runs is made of its own problems in each', async () => {
    const wrong = [{ answer: '2' }];
    const right = [{ answer: '1' }];
    const runs = [0, 1].flatMap((seed) =>
      ['a', 'b', 'c', 'd'].map((id) => ({
        id,
        seed,
        gold: '1',
        category: id < 'c' ? 'first' : 'second',
        candidates: seed === 1 && id > 'b' ? right : wrong,
      })),
    );
    const pools = poolsOf(runs);
    const byCategory = accuracyByPart(pools, await outcomesOf(pools), 'category', 1, { resamples: 100 });
    expect(byCategory.map(({ name, strategies }) => [name, strategies.majority?.accuracy])).toEqual([
      ['first', 0],
      ['second', 0.5],
    ]);
  });

  test('costs grow with N, or are those of the prefix', () => {
    const costly = [
      { id: 'a', gold: '1', candidates: [10, 20, 30, 40].map((generatedTokens) => ({ answer: '1', generatedTokens })) },
    ];
    expect(computeCurve(poolsOf(costly), [1, 2, 4])).toEqual([
      { n: 1, costs: { generatedTokens: 25 } },
      { n: 2, costs: { generatedTokens: 50 } },
      { n: 4, costs: { generatedTokens: 100 } },
    ]);
    expect(computeCurve(poolsOf(costly), [2], true)).toEqual([{ n: 2, costs: { generatedTokens: 30 } }]);
  });
});
