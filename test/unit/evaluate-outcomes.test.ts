/** Accuracies at N: against `select` itself, slow and obvious, and against closed forms. */
import { describe, expect, test } from 'vitest';
import { meanOf } from '../../src/statistics/bootstrap.js';
import { doublingSizes, outcomesOf, type OutcomeOptions } from '../../src/statistics/outcomes.js';
import { passAtK } from '../../src/statistics/pass-at-k.js';
import { groupByEquality, poolsOf, type PoolCandidate, type PoolProblem } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { strategyNames, type StrategyName } from '../../src/statistics/strategies.js';
import { binomial, forEachSubset } from '../../src/statistics/subsets.js';
import { sameAnswer } from '../../src/grade/normalize.js';
import { select, selectors, type SelectorName } from '../../src/select/select.js';
import { choose, randomProblems, scored, subsetsOf, uniform } from '../support/pools.js';

const selectorNames = Object.keys(selectors) as SelectorName[];
const ALL = 1_000_000;

test('no strategy of select is left out', () => {
  expect([...strategyNames].sort()).toEqual(['greedy', 'mean', 'oracle', ...selectorNames].sort());
});

/** Share of all subsets from which `select` chooses the right answer. */
function slowly(
  { candidates, gold }: PoolProblem,
  name: SelectorName,
  size: number,
  { fallback = 'reward', unknown = 'fail' }: OutcomeOptions,
): number {
  const all = subsetsOf(candidates, size);
  const right = all.filter((subset) => {
    const { answer } = select(subset.map(scored), name, fallback, unknown);
    return answer !== null && sameAnswer(answer, gold);
  });
  return right.length / all.length;
}

describe('every strategy at every N is what select gives over all subsets', () => {
  const problems = randomProblems(1, 40, 6);
  const sizes = [1, 2, 3, 4, 5, 6];
  const cases = (['reward', 'majority', 'abstain'] as const).flatMap((fallback) =>
    (['fail', 'pass'] as const).map((unknown) => ({ fallback, unknown })),
  );

  test.each(cases)('$fallback, unknown as $unknown', async (options) => {
    const { accuracy } = await outcomesOf(poolsOf(problems), { ...options, sizes, subsets: ALL });
    for (const name of selectorNames) {
      sizes.forEach((size, s) => {
        const expected = problems.map((problem) => slowly(problem, name, size, options));
        expect([...(accuracy.get(name)?.[s] ?? [])], `${name} at ${size}`).toEqual(
          expected.map((value) => expect.closeTo(value, 12)),
        );
      });
    }
  });

  test('greedy, mean and oracle', async () => {
    const withGreedy = problems.map((problem, i) => ({ ...problem, greedy: [null, '1.00', '7'][i % 3] }));
    const { accuracy } = await outcomesOf(poolsOf(withGreedy), { sizes });
    const right = ({ answer }: PoolCandidate): boolean => answer !== null && sameAnswer(answer, '1');
    sizes.forEach((size, s) => {
      const at = (name: StrategyName) => [...(accuracy.get(name)?.[s] ?? [])];
      expect(at('greedy')).toEqual(withGreedy.map((_, i) => (i % 3 === 1 ? 1 : 0)));
      expect(at('mean')).toEqual(
        problems.map(({ candidates }) => expect.closeTo(candidates.filter(right).length / 6, 12)),
      );
      const any = problems
        .map(({ candidates }) => subsetsOf(candidates, size))
        .map((all) => all.filter((subset) => subset.some(right)).length / all.length);
      expect(at('oracle')).toEqual(any.map((value) => expect.closeTo(value, 12)));
    });
  });

  test('the prefix is what select gives of the first N', async () => {
    const { accuracy } = await outcomesOf(poolsOf(problems), { sizes, subsets: 'prefix' });
    for (const name of selectorNames) {
      sizes.forEach((size, s) => {
        const expected = problems.map((problem) =>
          slowly({ ...problem, candidates: problem.candidates.slice(0, size) }, name, size, {}),
        );
        expect([...(accuracy.get(name)?.[s] ?? [])], `${name} at ${size}`).toEqual(expected);
      });
    }
    expect([...(accuracy.get('oracle')?.[1] ?? [])]).toEqual(
      problems.map(({ candidates }) =>
        candidates.slice(0, 2).some(({ answer }) => answer !== null && sameAnswer(answer, '1')) ? 1 : 0,
      ),
    );
  });

  test('random subsets come near, and are the same for the same seed', async () => {
    const pools = poolsOf(randomProblems(2, 60, 12));
    const at = async (options: OutcomeOptions) =>
      meanOf((await outcomesOf(pools, { sizes: [5], ...options })).accuracy.get('weighted')?.[0] ?? new Float64Array());
    const exact = await at({ subsets: ALL });
    expect(await at({ subsets: 200, seed: 3 })).toBeCloseTo(exact, 1.7);
    expect(await at({ subsets: 200, seed: 3 })).toBe(await at({ subsets: 200, seed: 3 }));
    expect(await at({ subsets: 200, seed: 4 })).not.toBe(await at({ subsets: 200, seed: 3 }));
  });
});

describe('closed forms', () => {
  test('pass@k is the share of subsets with a right one', () => {
    for (let n = 1; n <= 9; n++) {
      for (let c = 0; c <= n; c++) {
        for (let k = 1; k <= n; k++) {
          const subsets = subsetsOf(
            Array.from({ length: n }, (_, i) => i < c),
            k,
          );
          expect(passAtK(n, c, k)).toBeCloseTo(
            subsets.filter((subset) => subset.includes(true)).length / subsets.length,
            12,
          );
        }
      }
    }
    expect(passAtK(65_536, 1, 32_768)).toBeCloseTo(0.5, 9);
  });

  /** Candidates that are right with probability p; wrong ones all say 2. */
  const coins = (seed: number, p: number, problems: number, n: number): PoolProblem[] => {
    const random = new Random(seed);
    const candidate = () => ({ answer: uniform(random) < p ? '1' : '2' });
    return Array.from({ length: problems }, (_, id) => ({
      id: String(id),
      gold: '1',
      candidates: Array.from({ length: n }, candidate),
    }));
  };

  test('majority of two answers, of a given pool: hypergeometric', async () => {
    const [problem] = coins(5, 0.6, 1, 15);
    if (!problem) throw new Error('no problem');
    const c = problem.candidates.filter(({ answer }) => answer === '1').length;
    const { accuracy } = await outcomesOf(poolsOf([problem]), { sizes: [5], subsets: ALL });
    const expected = [3, 4, 5].reduce((sum, k) => sum + choose(c, k) * choose(15 - c, 5 - k), 0) / choose(15, 5);
    expect(accuracy.get('majority')?.[0]?.[0]).toBeCloseTo(expected, 12);
  });

  test('majority of two answers, over pools: binomial', async () => {
    const { accuracy } = await outcomesOf(poolsOf(coins(6, 0.6, 4000, 15)), { sizes: [5], subsets: 200 });
    const expected = [3, 4, 5].reduce((sum, k) => sum + choose(5, k) * 0.6 ** k * 0.4 ** (5 - k), 0);
    expect(Math.abs(meanOf(accuracy.get('majority')?.[0] ?? new Float64Array()) - expected)).toBeLessThan(0.015); // 3 standard errors
  });

  test.each([1, 2, 4, 8])(
    'best-of-N with a tool that keeps wrong ones out with p and right ones in with q (paper, lemma C.1): N = %i',
    async (n) => {
      const [p, q] = [0.8, 0.7];
      const random = new Random(7, n);
      const candidate = (): PoolCandidate => {
        const right = uniform(random) < 0.5;
        return { answer: right ? '1' : '2', tool: uniform(random) < (right ? q : 1 - p) ? 'pass' : 'fail', reward: 1 };
      };
      const problems = Array.from({ length: 20_000 }, (_, id) => ({
        id: String(id),
        gold: '1',
        candidates: Array.from({ length: n }, candidate),
      }));
      const { accuracy } = await outcomesOf(poolsOf(problems), { sizes: [n] });
      const s = (1 + p - q) / 2;
      const expected = ((1 - s ** n) * q) / (q + 1 - p) + (s ** n * (1 - q)) / (1 - q + p);
      expect(Math.abs(meanOf(accuracy.get('best-of-n')?.[0] ?? new Float64Array()) - expected)).toBeLessThan(0.0105); // 3 standard errors
    },
  );
});

describe('subsets', () => {
  const drawn = (n: number, size: number, count: number): string[] => {
    const picked = new Int32Array(size);
    const seen: string[] = [];
    forEachSubset(n, size, count, new Random(8), picked, () => seen.push(picked.join()));
    return seen;
  };

  test('all of them once where there are few', () => {
    const expected = subsetsOf([0, 1, 2, 3, 4, 5], 3).map((subset) => subset.join());
    expect(drawn(6, 3, 20)).toEqual(expected);
    expect(drawn(5, 5, 1)).toEqual(['0,1,2,3,4']);
  });

  test.each([2, 3, 4])('each set of %i out of 6 as often as any other', (size) => {
    const counts = new Map<string, number>();
    const all = choose(6, size);
    const picked = new Int32Array(size);
    for (let seed = 0; seed < 500; seed++) {
      forEachSubset(6, size, all - 1, new Random(seed), picked, () =>
        counts.set(picked.join(), (counts.get(picked.join()) ?? 0) + 1),
      );
    }
    expect(counts.size).toBe(all);
    const expected = (500 * (all - 1)) / all;
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
  });

  test('binomial coefficients', () => {
    expect([binomial(64, 0), binomial(64, 1), binomial(10, 5), binomial(3, 4)]).toEqual([1, 64, 252, 0]);
    expect(binomial(65_536, 32_768)).toBe(Infinity);
  });

  test('sizes double up to the pool', () => {
    expect([doublingSizes(1), doublingSizes(8), doublingSizes(12)]).toEqual([[1], [1, 2, 4, 8], [1, 2, 4, 8, 12]]);
  });
});

describe('what is not there', () => {
  const bare = (extra: Partial<PoolCandidate>): PoolProblem[] => [
    {
      id: 'a',
      gold: '1',
      candidates: [
        { answer: '1', ...extra },
        { answer: '2', ...extra },
      ],
    },
  ];

  test('without rewards and verdicts', async () => {
    const { strategies, leftOut, fallback } = await outcomesOf(poolsOf(bare({})));
    expect(strategies).toEqual(['mean', 'oracle', 'majority']);
    expect(leftOut.weighted).toBe('no candidate has a verdict of the tool and no candidate has a reward');
    expect(fallback).toBe('majority');
  });

  test('without rewards: the tool stays, and the majority steps in', async () => {
    const { strategies, leftOut, fallback } = await outcomesOf(poolsOf(bare({ tool: 'fail' })));
    expect(strategies).toEqual(['mean', 'oracle', 'majority', 'tool']);
    expect(leftOut).toMatchObject({ reward: 'no candidate has a reward', 'best-of-n': 'no candidate has a reward' });
    expect(fallback).toBe('majority');
    await expect(outcomesOf(poolsOf(bare({ tool: 'fail' })), { fallback: 'reward' })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  test('an N that the pool does not hold', async () => {
    for (const sizes of [[3], [0], [1.5], []])
      await expect(outcomesOf(poolsOf(bare({})), { sizes })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a signal stops it', async () => {
    await expect(outcomesOf(poolsOf(bare({})), { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow(
      'stop',
    );
  });
});

test('another way to see that answers are equal', async () => {
  const problems = [{ id: 'a', gold: '10', candidates: [{ answer: '0xA' }, { answer: '0xB' }, { answer: 'ten' }] }];
  const grouping = groupByEquality((a, b) => Number(a) === Number(b));
  const { accuracy } = await outcomesOf(poolsOf(problems, grouping), { sizes: [1, 3] });
  expect(accuracy.get('mean')?.[0]?.[0]).toBeCloseTo(1 / 3, 12);
  expect(accuracy.get('majority')?.[1]?.[0]).toBe(1);
});

test('fast enough: 500 problems, 64 candidates, 200 subsets', async () => {
  const pools = poolsOf(randomProblems(9, 500, 64));
  const before = process.cpuUsage();
  await outcomesOf(pools, { subsets: 200 });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(20); // seconds of processor time; about one
});
