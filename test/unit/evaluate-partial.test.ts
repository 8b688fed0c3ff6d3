/**
 * Pools of unequal size, and candidates of which the tool or the reward was not asked: against `select` itself, and by
 * hand.
 */
import { describe, expect, test } from 'vitest';
import { sameAnswer } from '../../src/grade/normalize.js';
import { isPartial, select, selectors, type SelectorName } from '../../src/select/select.js';
import { computeCurve } from '../../src/statistics/compute.js';
import { outcomesOf, type OutcomeOptions } from '../../src/statistics/outcomes.js';
import { poolsOf, type PoolCandidate, type PoolProblem } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { readPools } from '../../src/statistics/read-pools.js';
import { simulateAdaptive } from '../../src/statistics/simulate-adaptive.js';
import { accuracyByPart, accuracyCurve, compareStrategies } from '../../src/statistics/summary.js';
import { verifierQuality } from '../../src/statistics/verifier-quality.js';
import { randomProblems, scored, subsetsOf } from '../support/pools.js';

const selectorNames = Object.keys(selectors) as SelectorName[];
const ALL = 1_000_000;
const settings = (['reward', 'majority', 'abstain'] as const).flatMap((fallback) =>
  (['fail', 'pass'] as const).map((unknown) => ({ fallback, unknown })),
);

/** Pools of 1 to 6 candidates. */
const unequal = randomProblems(51, 40, 6).map((problem, i) => ({
  ...problem,
  candidates: problem.candidates.slice(0, 1 + (i % 6)),
}));

/** Of some problems some verdicts and rewards were not asked for. */
function withSkips(problems: readonly PoolProblem[], seed: number): PoolProblem[] {
  const random = new Random(seed);
  const chance = (of: number): boolean => random.below(of) === 0;
  return problems.map((problem) => {
    const [tools, rewards] = [chance(2), chance(2)];
    return {
      ...problem,
      candidates: problem.candidates.map(
        (candidate): PoolCandidate => ({
          ...candidate,
          ...(tools && chance(3) && { tool: 'skipped' }),
          ...(rewards && chance(3) && { reward: 'skipped' }),
        }),
      ),
    };
  });
}
const partial = withSkips(unequal, 52);

/** Share of all subsets from which `select` chooses the right answer; of a smaller pool, of all its candidates. */
function slowly({ candidates, gold }: PoolProblem, name: SelectorName, n: number, options: OutcomeOptions): number {
  const { fallback = 'reward', unknown = 'fail' } = options;
  const all = subsetsOf(candidates, Math.min(n, candidates.length));
  const right = all.filter((subset) => {
    const { answer } = select(subset.map(scored), name, fallback, unknown);
    return answer !== null && sameAnswer(answer, gold);
  });
  return right.length / all.length;
}

describe('pools of unequal size', () => {
  test.each(settings)(
    'the figure at N takes all of a smaller pool: $fallback, unknown as $unknown',
    async (options) => {
      const { accuracy, sizes, smaller } = await outcomesOf(poolsOf(unequal), { ...options, subsets: ALL });
      expect(sizes).toEqual([1, 2, 4, 6]);
      expect(smaller).toEqual(sizes.map((n) => unequal.filter(({ candidates }) => candidates.length < n).length));
      for (const name of selectorNames) {
        sizes.forEach((n, s) => {
          const expected = unequal.map((problem) => slowly(problem, name, n, options));
          expect([...(accuracy.get(name)?.[s] ?? [])], `${name} at ${n}`).toEqual(
            expected.map((value) => expect.closeTo(value, 12)),
          );
        });
      }
    },
  );

  test('mean, oracle, the first N, costs', async () => {
    const costly = unequal.map((problem) => ({
      ...problem,
      candidates: problem.candidates.map((candidate, i) => ({ ...candidate, generatedTokens: 10 * (i + 1) })),
    }));
    const pools = poolsOf(costly);
    const isRight = ({ answer }: PoolCandidate): boolean => answer !== null && sameAnswer(answer, '1');
    const { accuracy } = await outcomesOf(pools, { sizes: [4] });
    expect([...(accuracy.get('mean')?.[0] ?? [])]).toEqual(
      costly.map(({ candidates }) => expect.closeTo(candidates.filter(isRight).length / candidates.length, 12)),
    );
    expect([...(accuracy.get('oracle')?.[0] ?? [])]).toEqual(
      costly.map(({ candidates }) => {
        const all = subsetsOf(candidates, Math.min(4, candidates.length));
        return expect.closeTo(all.filter((subset) => subset.some(isRight)).length / all.length, 12);
      }),
    );
    const prefix = await outcomesOf(pools, { sizes: [4], subsets: 'prefix' });
    expect([...(prefix.accuracy.get('majority')?.[0] ?? [])]).toEqual(
      costly.map((problem) => slowly({ ...problem, candidates: problem.candidates.slice(0, 4) }, 'majority', 4, {})),
    );
    const sum = (length: number): number => (10 * length * (length + 1)) / 2;
    const meanOf4 = costly.map(({ candidates: { length } }) => (Math.min(4, length) / length) * sum(length));
    const firstOf4 = costly.map(({ candidates: { length } }) => sum(Math.min(4, length)));
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(computeCurve(pools, [4])[0]?.costs.generatedTokens).toBeCloseTo(mean(meanOf4), 9);
    expect(computeCurve(pools, [4], true)[0]?.costs.generatedTokens).toBeCloseTo(mean(firstOf4), 9);
  });

  test('N goes up to the largest pool, and points say how many have fewer', async () => {
    const pools = poolsOf(unequal);
    expect([pools.candidates, pools.most]).toEqual([1, 6]);
    const outcomes = await outcomesOf(pools, { sizes: [6] });
    expect(accuracyCurve(pools, outcomes, { resamples: 10 })[0]).toMatchObject({
      n: 6,
      smaller: unequal.filter(({ candidates }) => candidates.length < 6).length,
    });
    await expect(outcomesOf(pools, { sizes: [7] })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('what was skipped', () => {
  test.each(settings)(
    'of whole pools strategies choose as select does, and it is said of how many: $fallback, unknown as $unknown',
    async (options) => {
      const outcomes = await outcomesOf(poolsOf(partial), { ...options, sizes: [6], subsets: ALL });
      for (const name of selectorNames) {
        const expected = partial.map((problem) => slowly(problem, name, 6, options));
        expect([...(outcomes.accuracy.get(name)?.[0] ?? [])], name).toEqual(expected);
        const partly = partial.filter(({ candidates }) =>
          isPartial(candidates.map(scored), name, options.fallback, options.unknown),
        );
        expect(outcomes.partial[name] ?? 0, name).toBe(partly.length);
      }
      expect(outcomes.partial).toMatchObject({ weighted: expect.any(Number), tool: expect.any(Number) });
      expect(outcomes.partial.majority).toBeUndefined();
    },
  );

  test('a strategy has a figure for an N exactly where no subset lacks what its rule looks at', async () => {
    const random = new Random(53);
    for (let i = 0; i < 60; i++) {
      const one = withSkips(randomProblems(random.next(), 1, 5), random.next());
      const fallback = (['reward', 'majority', 'abstain'] as const)[i % 3] ?? 'reward';
      const pools = poolsOf(one);
      if (!pools.has.tool || !pools.has.reward) continue;
      const { accuracy, sizes } = await outcomesOf(pools, { fallback, sizes: [1, 2, 3, 4], subsets: ALL });
      const all = one[0]?.candidates ?? [];
      for (const name of selectorNames) {
        sizes.forEach((n, s) => {
          const lacking = subsetsOf(all, n).some((subset) => isPartial(subset.map(scored), name, fallback));
          const figure = accuracy.get(name)?.[s] ?? null;
          if (lacking) expect(figure, `${name} at ${n}`).toBeNull();
          if (!lacking && !isPartial(all.map(scored), name, fallback)) expect(figure, `${name} at ${n}`).not.toBeNull();
        });
      }
    }
  });

  test('the majority of a pool with skipped verdicts is that without any tool', async () => {
    const bare = partial.map((problem) => ({
      ...problem,
      candidates: problem.candidates.map(({ answer }) => ({ answer })),
    }));
    const of = async (problems: readonly PoolProblem[]) =>
      (await outcomesOf(poolsOf(problems), { subsets: ALL })).accuracy.get('majority');
    expect(await of(partial)).toEqual(await of(bare));
    const decided = (problems: readonly PoolProblem[]) =>
      problems.map(({ candidates }) => {
        const { verified: _, ...decision } = select(candidates.map(scored), 'majority', 'abstain');
        return decision;
      });
    expect(decided(partial)).toEqual(decided(bare));
  });

  const one = (candidates: readonly PoolCandidate[]): PoolProblem => ({ id: 'a', gold: '1', candidates });

  test('is no unknown: it never passes, also where unknown ones do', () => {
    const pool = [
      { answer: '1', tool: 'skipped', reward: 0.9 },
      { answer: '2', tool: 'unknown', reward: 0.1 },
    ] as const;
    expect(select(pool.map(scored), 'weighted', 'reward', 'pass').answer).toBe('2');
    expect(select(pool.map(scored), 'tool', 'majority', 'pass').answer).toBe('2');
  });

  test('a reward that nobody asked for adds nothing, and its candidate is still the only one that passes', () => {
    const pool = [
      { answer: '1', tool: 'fail', reward: 0.9 },
      { answer: '2', tool: 'pass', reward: 'skipped' },
    ] as const;
    expect(select(pool.map(scored), 'weighted', 'reward')).toMatchObject({
      answer: '2',
      verified: true,
      weights: [0, 0],
    });
  });

  test('the reward of a refuted candidate is not missed, unless nobody passes and it decides', () => {
    const refuted = { answer: '1', tool: 'fail', reward: 'skipped' } as const;
    const passing = { answer: '2', tool: 'pass', reward: 0.5 } as const;
    const lacks = (pool: readonly PoolCandidate[], fallback: 'reward' | 'majority' | 'abstain') =>
      isPartial(pool.map(scored), 'weighted', fallback);
    expect(lacks([refuted, passing], 'reward')).toBe(false);
    expect(lacks([refuted], 'reward')).toBe(true);
    expect(lacks([refuted], 'majority')).toBe(false);
    expect(lacks([refuted], 'abstain')).toBe(false);
    expect(lacks([{ ...passing, reward: 'skipped' }], 'abstain')).toBe(true);
    expect(lacks([{ answer: null, tool: 'skipped', reward: 'skipped' }, passing], 'reward')).toBe(false);
  });

  test('parts of a pool have no figure, and say why', async () => {
    const pools = poolsOf([
      one([
        { answer: '1', tool: 'pass', reward: 0.5 },
        { answer: '2', tool: 'skipped', reward: 0.5 },
      ]),
    ]);
    const outcomes = await outcomesOf(pools);
    expect(outcomes.accuracy.get('weighted')).toEqual([null, Float64Array.of(1)]);
    const [part, whole] = accuracyCurve(pools, outcomes, { resamples: 10 });
    expect(Object.keys(part?.strategies ?? {})).toEqual(['mean', 'oracle', 'majority', 'reward']);
    expect(Object.keys(whole?.strategies ?? {})).toContain('weighted');
    expect(() => compareStrategies(pools, outcomes, 'weighted', 'majority', 1)).toThrow('whole pools only');
    expect(accuracyByPart(pools, outcomes, 'level', 1, { resamples: 10 })[0]?.strategies.tool).toBeUndefined();
    expect(accuracyByPart(pools, outcomes, 'level', 2, { resamples: 10 })[0]?.strategies.tool?.accuracy).toBe(1);
  });

  test('of a candidate without an answer nothing is missed', async () => {
    const pools = poolsOf([
      one([
        { answer: '1', tool: 'pass', reward: 0.5 },
        { answer: null, tool: 'skipped', reward: 'skipped' },
      ]),
    ]);
    const { partial: none, accuracy } = await outcomesOf(pools, { subsets: ALL });
    expect([pools.skipped, none]).toEqual([{ tool: 0, reward: 0 }, {}]);
    expect(accuracy.get('weighted')).toEqual([Float64Array.of(0.5), Float64Array.of(1)]);
  });

  test('everywhere: the strategy is left out, and so is the judge', async () => {
    const pools = poolsOf([
      one([
        { answer: '1', tool: 'skipped', reward: 0.5 },
        { answer: null, tool: 'unknown', reward: null },
      ]),
    ]);
    expect([pools.has.tool, pools.has.reward, pools.skipped]).toEqual([false, true, { tool: 1, reward: 0 }]);
    const { leftOut } = await outcomesOf(pools);
    expect(leftOut.weighted).toBe('no candidate has a verdict of the tool');
    expect(Object.keys(verifierQuality(pools, { resamples: 10 }).judges)).toEqual(['reward']);
  });

  test('a gap without a word is still refused, with the words that there are', () => {
    expect(() => poolsOf([one([{ answer: '1', tool: 'skipped' }, { answer: '2' }])])).toThrow(
      /"skipped" where nobody asked/,
    );
    expect(() => poolsOf([one([{ answer: '1', reward: 0.5 }, { answer: '2' }])])).toThrow(
      /"skipped" where nobody asked/,
    );
  });

  test('cannot be played again', () => {
    const pools = poolsOf(partial.filter(({ candidates }) => candidates.length === 6));
    expect(() => simulateAdaptive(pools, { strategy: 'weighted' })).toThrow(/only what was asked can be played again/);
    expect(() => simulateAdaptive(pools, { strategy: 'majority', resamples: 10 })).not.toThrow();
  });
});

describe('verifier quality', () => {
  const all = randomProblems(54, 30, 6);
  /** Problems with some of their candidates marked, and the same without these candidates. */
  const marked = (name: 'tool' | 'reward') => {
    const random = new Random(55);
    const skips = all.map(({ candidates }) => candidates.map(({ answer }) => answer !== null && random.below(3) === 0));
    const map = (of: (candidate: PoolCandidate, skip: boolean) => readonly PoolCandidate[]) =>
      poolsOf(
        all.map((problem, p) => ({
          ...problem,
          candidates: problem.candidates.flatMap((candidate, i) => of(candidate, skips[p]?.[i] ?? false)),
        })),
      );
    return {
      count: skips.flat().filter(Boolean).length,
      skipping: map((candidate, skip) => [skip ? { ...candidate, [name]: 'skipped' } : candidate]),
      without: map((candidate, skip) => (skip ? [] : [candidate])),
    };
  };

  test('of the tool, over the candidates that it was asked about', () => {
    const { count, skipping, without } = marked('tool');
    const [quality, expected] = [skipping, without].map((pools) => verifierQuality(pools, { resamples: 50 }));
    expect(quality?.candidates).toBe(180);
    expect(quality?.judges.tool).toEqual({ ...expected?.judges.tool, skipped: count });
    expect(quality?.judges.reward?.skipped).toBe(0);
  });

  test('of the reward, its curves included', () => {
    const { count, skipping, without } = marked('reward');
    const [quality, expected] = [skipping, without].map((pools) => verifierQuality(pools, { resamples: 50 }));
    expect(quality?.judges.reward).toEqual({ ...expected?.judges.reward, skipped: count });
    expect(quality?.reward).toEqual({ ...expected?.reward, skipped: count });
  });

  test('of both: one that rejects is enough, and else both must have been asked', () => {
    const pools = poolsOf([
      {
        id: 'a',
        gold: '1',
        candidates: [
          { answer: '1', tool: 'pass', reward: 0.9, kind: 'k' },
          { answer: '1', tool: 'pass', reward: 'skipped' },
          { answer: '1', tool: 'skipped', reward: 0.9 },
          { answer: '2', tool: 'fail', reward: 'skipped', kind: 'k' },
          { answer: '2', tool: 'skipped', reward: 0.1, kind: 'k' },
          { answer: '2', tool: 'skipped', reward: 'skipped', kind: 'k' },
          { answer: null, tool: 'skipped', reward: 'skipped' },
        ],
      },
    ]);
    const { judges, kinds } = verifierQuality(pools, { resamples: 10 });
    const cells = Object.entries(judges).map(([name, j]) => [
      name,
      [j.truePositives, j.falsePositives, j.falseNegatives, j.trueNegatives],
      j.skipped,
    ]);
    expect(cells).toEqual([
      ['tool', [2, 0, 0, 2], 3],
      ['reward', [2, 0, 0, 2], 3],
      ['both', [1, 0, 0, 3], 3],
    ]);
    expect(kinds['k']).toMatchObject({ candidates: 3, rejected: { tool: { mean: 1 }, both: { mean: 1 } } });
  });
});

test('files say it with the same word', () => {
  const lines = [
    { id: 1, gold: 1, candidates: [{ answer: 1, tool: 'skipped', reward: 'skipped' }] },
    {
      id: 2,
      gold: 1,
      candidates: [{ answer: 1, tool: 'pass', reward: null, opinions: ['fail', 'pass'], toolTokens: 8 }],
    },
  ];
  const read = (all: readonly object[]) =>
    readPools(Buffer.from(all.map((line) => JSON.stringify(line)).join('\n')), 'f');
  expect(read(lines).flatMap(({ candidates }) => candidates)).toEqual([
    { answer: '1', tool: 'skipped', reward: 'skipped' },
    { answer: '1', tool: 'pass', reward: null, opinions: ['fail', 'pass'], toolTokens: 8 },
  ]);
  for (const [wrong, message] of [
    [{ reward: 'unknown' }, /give 0…1, null where there was nothing to score, "skipped" where nobody asked/],
    [{ reward: 1.5 }, /not from 0 to 1/],
    [{ tool: 'maybe' }, /"skipped"/],
    [{ opinions: ['skipped'] }, /opinions\[0\]/],
  ] as const)
    expect(() => read([{ id: 1, gold: 1, candidates: [{ answer: 1, ...wrong }] }])).toThrow(message);
});
