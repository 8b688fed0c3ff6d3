/** Adaptive stopping: the exact rule against all that could still come, the confident one against binomial sums. */
import { describe, expect, test } from 'vitest';
import { stopping } from '../../src/statistics/stopping.js';
import { betaCdf } from '../../src/statistics/beta.js';
import { poolsOf } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { simulateAdaptive, type AdaptiveStrategy } from '../../src/statistics/simulate-adaptive.js';
import { choose, randomProblems, uniform } from '../support/pools.js';

describe('the Beta distribution', () => {
  test('of whole numbers is a binomial sum', () => {
    for (const x of [0.01, 0.3, 0.5, 0.77, 0.999]) {
      for (let a = 1; a <= 20; a += 3) {
        for (let b = 1; b <= 20; b += 2) {
          const n = a + b - 1;
          const tail = Array.from(
            { length: b },
            (_, i) => choose(n, a + i) * x ** (a + i) * (1 - x) ** (n - a - i),
          ).reduce((sum, each) => sum + each, 0);
          expect(betaCdf(x, a, b)).toBeCloseTo(tail, 11);
        }
      }
    }
  });

  test('is symmetric, and ends at 0 and 1', () => {
    expect(betaCdf(0.5, 3.7, 3.7)).toBeCloseTo(0.5, 12);
    expect(betaCdf(0.5, 40_000, 40_000)).toBeCloseTo(0.5, 9);
    expect([betaCdf(0, 2, 3), betaCdf(1, 2, 3)]).toEqual([0, 1]);
  });
});

/** First of the heaviest, as `select` chooses; −1 when nothing weighs anything. */
const leaderOf = (weights: readonly number[]): number =>
  weights.reduce((best, weight, i) => (weight > (weights[best] ?? 0) ? i : best), -1);

/** All ways in which `left` candidates can still vote, an answer of their own included. */
function futures(weights: readonly number[], left: number): number[][] {
  if (left === 0) return [[...weights]];
  const answers = Array.from({ length: weights.length + 1 }, (_, i) => i);
  return [
    futures(weights, left - 1),
    ...answers.map((each) => futures(Object.assign([...weights], { [each]: (weights[each] ?? 0) + 1 }), left - 1)),
  ].flat();
}

describe('settled', () => {
  test('exactly when no future has another leader', () => {
    let settled = 0;
    for (let code = 0; code < 6 ** 3; code++) {
      const weights = [code % 6, Math.floor(code / 6) % 6, Math.floor(code / 36)];
      for (const left of [0, 1, 2, 3]) {
        const leader = leaderOf(weights);
        const { stop } = stopping(weights, { confidence: 1, left });
        const never = leader !== -1 && futures(weights, left).every((future) => leaderOf(future) === leader);
        expect(stop, `${weights.join()} with ${left} left`).toBe(never || left === 0);
        if (never && left > 0) settled++;
      }
    }
    expect(settled).toBeGreaterThan(100);
  });

  test('with weights, counts what a candidate can weigh at most', () => {
    expect(stopping([2.5, 0.4], { confidence: 1, left: 2 })).toMatchObject({ stop: true, because: 'settled' });
    expect(stopping([2.5, 0.6], { confidence: 1, left: 2 }).stop).toBe(false);
    expect(stopping([2.5, 0.6], { confidence: 1, left: 2, most: 0.9 }).stop).toBe(true);
  });
});

describe('confident', () => {
  test('by the share of the leader among the first two: binomial', () => {
    expect(stopping([3], { confidence: 0.95, left: 9 })).toMatchObject({
      stop: false,
      confidence: expect.closeTo(1 - 0.5 ** 4, 12),
    });
    expect(stopping([4], { confidence: 0.95, left: 9 })).toMatchObject({
      stop: true,
      because: 'confident',
      confidence: expect.closeTo(1 - 0.5 ** 5, 12),
    });
    expect(stopping([1, 5, 2], { confidence: 0.8, left: 9 }).confidence).toBeCloseTo(1 - betaCdf(0.5, 6, 3), 12);
  });

  test('never while nothing is verified', () => {
    expect(stopping([], { confidence: 0.5, left: 9 })).toEqual({ stop: false, because: null, confidence: 0.5 });
    expect(stopping([0, 0], { confidence: 0.5, left: 9 }).stop).toBe(false);
  });

  test('the confidence is how often the leader of a uniform prior is the likelier one', () => {
    const random = new Random(21);
    let [leads, likelier] = [0, 0];
    for (let i = 0; i < 200_000; i++) {
      const share = uniform(random);
      const votes = Array.from({ length: 6 }, () => uniform(random) < share).filter(Boolean).length;
      if (votes !== 5) continue;
      leads++;
      if (share > 0.5) likelier++;
    }
    expect(likelier / leads).toBeCloseTo(stopping([5, 1], { confidence: 1, left: 9 }).confidence, 2);
  });
});

describe('played on a pool', () => {
  const pools = poolsOf(
    randomProblems(31, 80, 16).map((problem) => ({
      ...problem,
      candidates: problem.candidates.map((candidate, i) => ({ ...candidate, generatedTokens: 100 + i })),
    })),
  );
  const strategies: readonly AdaptiveStrategy[] = ['majority', 'reward', 'tool', 'weighted'];

  test.each(strategies)('%s: the exact rule spares candidates and changes no answer', (strategy) => {
    const { adaptive, fixed, difference, ended } = simulateAdaptive(pools, { strategy, confidence: 1, resamples: 50 });
    expect(difference).toEqual({ difference: 0, low: 0, high: 0, p: 1 });
    expect(adaptive.accuracy).toEqual(fixed.accuracy);
    expect(fixed.candidates.mean).toBe(16);
    expect(adaptive.candidates.mean).toBeLessThan(16);
    expect(adaptive.costs.generatedTokens ?? NaN).toBeLessThan(fixed.costs.generatedTokens ?? NaN);
    expect(ended.confident).toBe(0);
    expect(ended.settled + ended.exhausted).toBeCloseTo(1, 12);
  });

  test('less confidence spares more', () => {
    const taken = [1, 0.9, 0.75, 0.6].map(
      (confidence) =>
        simulateAdaptive(pools, { strategy: 'majority', confidence, resamples: 50 }).adaptive.candidates.mean,
    );
    expect(taken).toEqual([...taken].sort((a, b) => b - a));
    expect(new Set(taken).size).toBe(4);
  });

  test('the order of the pool, by hand', () => {
    const votes = ['1', '2', '1', '1', '1', '1', '1', '2'].map((answer) => ({ answer, generatedTokens: 10 }));
    const play = (more: object) =>
      simulateAdaptive(poolsOf([{ id: 'a', gold: '1', candidates: votes }]), {
        strategy: 'majority',
        orders: 'pool',
        resamples: 10,
        ...more,
      });
    // after five it is 4 : 1 with 3 left, a tie at best, and the leader was first
    expect(play({ confidence: 1 })).toMatchObject({
      adaptive: { candidates: { mean: 5 }, costs: { generatedTokens: 50 } },
      ended: { settled: 1 },
    });
    expect(play({ confidence: 0.6 }).adaptive.candidates.mean).toBe(1);
    expect(play({ confidence: 0.6, minimum: 4 }).adaptive.candidates.mean).toBe(4);
    expect(play({ confidence: 1, every: 4, minimum: 4 }).adaptive.candidates.mean).toBe(8);
  });

  test('is the same for the same seed', () => {
    const play = (seed: number) => simulateAdaptive(pools, { strategy: 'majority', seed, resamples: 50 });
    expect(play(1)).toEqual(play(1));
    expect(play(1).adaptive.candidates.mean).not.toBe(play(2).adaptive.candidates.mean); // other orders
  });

  test('refuses what it cannot play', () => {
    const bare = poolsOf([{ id: 'a', gold: '1', candidates: [{ answer: '1' }] }]);
    expect(() => simulateAdaptive(bare, { strategy: 'weighted' })).toThrow('no candidate has a verdict');
    for (const wrong of [
      { maximum: 17 },
      { minimum: 0 },
      { every: 0 },
      { orders: 0.5 },
      { confidence: 0.4 },
      { confidence: NaN },
    ]) {
      expect(() => simulateAdaptive(pools, { strategy: 'majority', ...wrong })).toThrow(Object.keys(wrong)[0]);
    }
  });
});
