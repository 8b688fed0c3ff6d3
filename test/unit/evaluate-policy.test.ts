/** Policies played over recorded pools: against the plain rule for candidates, and by hand. */
import { describe, expect, test } from 'vitest';
import type { Work } from '../../src/budget/work.js';
import type { Known } from '../../src/budget/known.js';
import { adaptivePolicy, type Policy, type Seen, type Stop } from '../../src/budget/policy.js';
import { poolsOf, type PoolCandidate, type PoolProblem, type Pools } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { simulateAdaptive, type AdaptiveStrategy } from '../../src/statistics/simulate-adaptive.js';
import { simulatePolicy, type PolicyOptions } from '../../src/statistics/simulate-policy.js';
import type { Plan } from '../../src/budget/stages.js';
import { fallbackSelector, selectors } from '../../src/select/select.js';
import { stopping } from '../../src/statistics/stopping.js';
import type { Opinion } from '../../src/types.js';
import { judge } from '../../src/verify/opinion-rules.js';
import { oneOf, randomProblems } from '../support/pools.js';

const STOP: Stop = { kind: 'stop', confidence: 0.97 };

/** What is still to be asked of the candidates that are known. */
const openWork = (known: Known): Work | undefined => {
  for (const { index, opinionsLeft, judgementsLeft } of known) {
    if (opinionsLeft > 0) return { kind: 'opinion', candidate: index };
    if (judgementsLeft > 0) return { kind: 'judgement', candidate: index };
  }
  return undefined;
};
const everything = (): Policy => (seen) => openWork(seen.known) ?? { kind: 'candidate' };
/** Looks only when everything of the candidates so far was asked. */
const stopsAfter =
  (candidates: number, stop: Stop = STOP) =>
  (): Policy =>
  ({ known }) =>
    openWork(known) ?? (known.length >= candidates ? stop : { kind: 'candidate' });

const play = (pools: Pools, policy: () => Policy, more: Partial<PolicyOptions> = {}) =>
  simulatePolicy(pools, { strategy: 'weighted', policy, resamples: 100, ...more });

/** Candidates with several looks each, whose verdict is what these come to. */
const withLooks = (problems: readonly PoolProblem[], seed: number): PoolProblem[] => {
  const random = new Random(seed);
  return problems.map((problem) => ({
    ...problem,
    candidates: problem.candidates.map((candidate): PoolCandidate => {
      const opinions = Array.from({ length: 3 }, () => oneOf<Opinion>(random, 'pass', 'fail', 'fail', 'unknown'));
      return {
        ...candidate,
        opinions,
        tool: judge(opinions, 'any'),
        generatedTokens: 100,
        toolTokens: 90,
        rewardTokens: 7,
        verifierTokens: 97,
      };
    }),
  }));
};
const pools = poolsOf(withLooks(randomProblems(41, 60, 8), 42));

describe('the whole budget', () => {
  test.each(['majority', 'reward', 'tool', 'weighted', 'best-of-n'] as const)(
    '%s: a policy that asks for everything gives its answer, at its cost',
    async (strategy) => {
      const result = await play(pools, everything, { strategy });
      expect(result.adaptive).toEqual(result.fixed);
      expect(result).toMatchObject({ differs: { mean: 0 }, tokensRatio: { mean: 1, low: 1, high: 1 }, exhausted: 1 });
      expect(result.calibration.every(({ plays, same }) => plays === 0 && same === null)).toBe(true);
    },
  );

  test('costs only what the strategy or its fallback looks at', async () => {
    const answered = (name: AdaptiveStrategy, fallback: PolicyOptions['fallback']) =>
      play(pools, everything, { strategy: name, fallback }).then(({ fixed: { work, tokens } }) => [
        work.opinion.mean > 0,
        work.judgement.mean > 0,
        tokens?.candidate.mean,
      ]);
    expect(await answered('majority', 'reward')).toEqual([false, false, 800]);
    expect(await answered('tool', 'majority')).toEqual([true, false, 800]);
    expect(await answered('tool', 'reward')).toEqual([true, true, 800]);
    expect(await answered('weighted', 'reward')).toEqual([true, true, 800]);
  });
});

describe('candidates alone', () => {
  /** The rule of `simulateAdaptive`, told through what a policy may see. */
  const likeStopping =
    (strategy: AdaptiveStrategy, confidence: number) =>
    (): Policy =>
    ({ known, candidatesLeft }) => {
      const open = openWork(known);
      if (open) return open;
      const weights = new Map<number, number>();
      for (const { group, opinions, reward } of known) {
        if (group === null) continue;
        const passes = strategy === 'majority' || strategy === 'reward' || judge(opinions, 'any') === 'pass';
        const weight = strategy === 'majority' || strategy === 'tool' ? 1 : (reward ?? 0);
        if (passes) weights.set(group, (weights.get(group) ?? 0) + weight);
      }
      const { stop, confidence: stated } = stopping([...weights.values()], { confidence, left: candidatesLeft });
      return stop && known.length > 0 ? { kind: 'stop', confidence: stated } : { kind: 'candidate' };
    };

  test.each(['majority', 'reward', 'tool', 'weighted'] as const)(
    '%s: as simulateAdaptive plays it',
    async (strategy) => {
      for (const confidence of [1, 0.9]) {
        const options = { strategy, orders: 'pool', resamples: 100 } as const;
        const plain = simulateAdaptive(pools, { ...options, confidence });
        const played = await play(pools, likeStopping(strategy, confidence), options);
        expect(played.adaptive.accuracy).toEqual(plain.adaptive.accuracy);
        expect(played.adaptive.work.candidate).toEqual(plain.adaptive.candidates);
        expect(played.difference).toEqual(plain.difference);
        expect(played.adaptive.tokens?.candidate.mean).toBeCloseTo(plain.adaptive.costs.generatedTokens ?? NaN, 9);
        if (confidence === 1) expect(played.differs.mean).toBe(0);
      }
    },
  );
});

describe('by hand', () => {
  const one = (candidates: readonly PoolCandidate[], id = 'a'): PoolProblem => ({ id, gold: '1', candidates });
  const said = (answer: string | null, opinions: readonly Opinion[], reward: number | null): PoolCandidate => ({
    answer,
    opinions,
    tool: judge(opinions, 'any'),
    reward,
    generatedTokens: 100,
    toolTokens: 30,
    rewardTokens: 5,
  });
  const pool = poolsOf([
    one([
      said('1', ['fail', 'pass', 'fail'], 0.9),
      said('2', ['pass', 'pass', 'pass'], 0.5),
      said(null, ['unknown'], null),
      said('2.0', ['pass', 'unknown', 'unknown'], 0.5),
    ]),
  ]);
  const scripted =
    (...steps: readonly (Work | Stop)[]) =>
    (): Policy => {
      let next = 0;
      return () => steps[next++] ?? STOP;
    };
  const candidate: Work = { kind: 'candidate' };
  const opinion = (of: number): Work => ({ kind: 'opinion', candidate: of });
  const judgement = (of: number): Work => ({ kind: 'judgement', candidate: of });
  const inOrder = { orders: 'pool' } as const;

  test('what was asked decides and costs, and nothing else', async () => {
    const steps = [candidate, candidate, opinion(0), opinion(1), judgement(1), STOP];
    const { adaptive, fixed, differs, tokensRatio } = await play(pool, scripted(...steps), inOrder);
    expect(adaptive).toMatchObject({
      accuracy: { mean: 0 }, // 2: the one program of the first says fail, the second would pass it
      work: { candidate: { mean: 2 }, opinion: { mean: 2 }, judgement: { mean: 1 } },
      tokens: { candidate: { mean: 200 }, opinion: { mean: 20 }, judgement: { mean: 5 } },
    });
    expect(fixed).toMatchObject({
      accuracy: { mean: 0 }, // 2: 0.5 + 0.5 against 0.9
      work: { candidate: { mean: 4 }, opinion: { mean: 9 }, judgement: { mean: 3 } },
      tokens: { candidate: { mean: 400 }, opinion: { mean: 90 }, judgement: { mean: 15 } },
    });
    expect([differs.mean, tokensRatio?.mean]).toEqual([0, 225 / 505]);
    const second = await play(pool, scripted(candidate, opinion(0), opinion(0), judgement(0), STOP), inOrder);
    expect(second).toMatchObject({
      adaptive: { accuracy: { mean: 1 } },
      differs: { mean: 1 },
      difference: { difference: 1 },
    });
  });

  test('a policy sees what was asked, and as groups the first candidate with the answer', async () => {
    const seen: Seen[] = [];
    const watching = (): Policy => {
      const steps = scripted(candidate, candidate, candidate, candidate, opinion(3), judgement(0), opinion(1), STOP)();
      return (now) => {
        seen.push({ ...now, known: [...now.known], spent: structuredClone(now.spent), chosen: () => chosen });
        const chosen = now.chosen();
        return steps(now);
      };
    };
    await play(pool, watching, inOrder);
    expect(seen[0]).toMatchObject({ known: [], candidatesLeft: 4, spent: { candidate: { pieces: 0, tokens: 0 } } });
    expect(seen.map(({ chosen }) => chosen())).toEqual([
      { group: null, byFallback: true }, // nobody
      ...Array.from({ length: 4 }, () => ({ group: 0, byFallback: true })), // nobody passes
      { group: 1, byFallback: false },
      { group: 1, byFallback: false },
      { group: 1, byFallback: false },
    ]);
    const last = seen.at(-1);
    const open = { opinions: [], opinionsLeft: 3, reward: undefined, judgements: 0, judgementsLeft: 1 };
    expect(last?.known).toEqual([
      { ...open, index: 0, group: 0, reward: 0.9, judgements: 1, judgementsLeft: 0 },
      { ...open, index: 1, group: 1, opinions: ['pass'], opinionsLeft: 2 },
      { ...open, index: 2, group: null, opinionsLeft: 0, reward: null, judgementsLeft: 0 },
      { ...open, index: 3, group: 1, opinions: ['pass'], opinionsLeft: 2 },
    ]);
    expect(last?.spent.opinion).toEqual({ pieces: 2, tokens: 20 });
  });

  test('which answer is right, a policy cannot tell', async () => {
    const told = async (gold: string) => {
      const seen: string[] = [];
      const watching = (): Policy => (now) => (seen.push(JSON.stringify([now.known, now.chosen()])), everything()(now));
      await play(poolsOf([{ ...one(pool.runs[0]?.candidates ?? []), gold }]), watching, inOrder);
      return seen;
    };
    expect(await told('2')).toEqual(await told('1'));
  });

  test('a candidate of which there are fewer looks than of others says so when it is asked, not before', async () => {
    const steps = poolsOf([one([said('1', ['fail'], 0.2), said('1', ['pass', 'pass'], 0.2)])]);
    const left: number[] = [];
    const policy = (): Policy => {
      const next = scripted(candidate, opinion(0), STOP)();
      return (now) => (left.push(now.known[0]?.opinionsLeft ?? NaN), next(now));
    };
    await play(steps, policy, inOrder);
    expect(left).toEqual([NaN, 2, 0]);
  });

  test('where only verdicts were recorded, a verdict is one look', async () => {
    const bare = poolsOf([
      one([
        { answer: '1', tool: 'pass', reward: 0.5 },
        { answer: '2', tool: 'fail', reward: 0.5 },
      ]),
    ]);
    const { fixed, tokensRatio, adaptive } = await play(bare, stopsAfter(1), inOrder);
    expect([fixed.work.opinion.mean, adaptive.work.opinion.mean]).toEqual([2, 1]);
    expect([fixed.tokens, tokensRatio]).toEqual([null, null]); // nobody counted
  });

  test('confidences that were stated, against how often the answer was the same', async () => {
    const problems = Array.from({ length: 10 }, (_, i) =>
      one([{ answer: '1' }, { answer: i < 3 ? '2' : '1' }, { answer: i < 3 ? '2' : '1' }], String(i)),
    );
    const { calibration, differs } = await play(poolsOf(problems), stopsAfter(1, { kind: 'stop', confidence: 0.92 }), {
      ...inOrder,
      strategy: 'majority',
    });
    const bin = calibration.find(({ plays }) => plays > 0);
    expect(bin).toMatchObject({ from: 0.9, to: 0.95, plays: 10, same: { mean: 0.7 } });
    expect(bin?.meanConfidence).toBeCloseTo(0.92, 12);
    expect(bin?.same?.low).toBeLessThan(0.7);
    expect(differs.mean).toBeCloseTo(0.3, 12);
    expect(calibration.map(({ plays }) => plays).reduce((sum, plays) => sum + plays)).toBe(10);
    const certain = await play(poolsOf(problems), stopsAfter(1, { kind: 'stop', confidence: 1 }), {
      ...inOrder,
      strategy: 'majority',
    });
    expect(certain.calibration.at(-1)).toMatchObject({ plays: 10, meanConfidence: 1 });
  });

  test.each([
    ['a look that is not left', [candidate, opinion(0), opinion(0), opinion(0), opinion(0)]],
    ['a candidate that nobody knows', [candidate, opinion(1)]],
    ['a reward twice', [candidate, judgement(0), judgement(0)]],
    ['a fifth candidate', [candidate, candidate, candidate, candidate, candidate]],
    ['confidence above 1', [{ kind: 'stop', confidence: 1.1 }]],
    ['no number', [{ kind: 'stop', confidence: NaN }]],
  ] as const)('a policy that asks for %s is at fault', async (_, steps) => {
    await expect(play(pool, scripted(...steps), inOrder)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('what cannot be played is refused', async () => {
    const skipped = poolsOf([
      one([
        { answer: '1', tool: 'pass', reward: 1 },
        { answer: '2', tool: 'skipped', reward: 1 },
      ]),
    ]);
    await expect(play(skipped, everything)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(play(poolsOf([one([{ answer: '1' }])]), everything)).rejects.toThrow('no candidate has a verdict');
    await expect(play(pool, everything, { rule: 'all' })).rejects.toMatchObject({ code: 'INPUT' });
    for (const wrong of [{ maximum: 5 }, { maximum: 0 }, { orders: 0 }])
      await expect(play(pool, everything, wrong)).rejects.toThrow(Object.keys(wrong)[0]);
    await expect(play(pool, everything, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});

test('the same seed, the same plays', async () => {
  const result = (seed: number) => play(pools, stopsAfter(3), { seed });
  expect(await result(1)).toEqual(await result(1));
  expect((await result(1)).adaptive.accuracy.mean).not.toBe((await result(2)).adaptive.accuracy.mean);
});

test('looks come in random orders too, so a part of them is any part', async () => {
  const problem = (id: number): PoolProblem => ({
    id: String(id),
    gold: '1',
    candidates: [{ answer: '1', opinions: ['pass', 'fail', 'fail', 'fail'], tool: 'pass', reward: 1 }],
  });
  const firstLook = (): Policy => {
    const steps: readonly Work[] = [{ kind: 'candidate' }, { kind: 'opinion', candidate: 0 }];
    let next = 0;
    return () => steps[next++] ?? STOP;
  };
  const { adaptive } = await play(poolsOf(Array.from({ length: 50 }, (_, i) => problem(i))), firstLook, {
    orders: 40,
    fallback: 'abstain',
  });
  expect(Math.abs(adaptive.accuracy.mean - 0.25)).toBeLessThan(0.03); // 3 standard errors of 2,000 plays
});

describe('what --budget adaptive decides', () => {
  const planOf = (confidence: number): Plan => ({
    candidates: 4,
    opinions: 3,
    rule: 'any',
    judgements: 1,
    strategy: selectors.weighted,
    otherwise: fallbackSelector(selectors.weighted, 'reward'),
    unknown: 'fail',
    confidence,
    reproducible: false,
  });
  const few = poolsOf(withLooks(randomProblems(43, 12, 4), 44));
  const at = (confidence: number) =>
    play(few, () => adaptivePolicy(planOf(confidence)), { orders: 'pool', fallback: 'reward' });

  test('with confidence 1 it is never another answer, and with less it asks for less', async () => {
    const [sure, likely] = [await at(1), await at(0.8)];
    expect([sure.differs.mean, sure.difference.difference]).toEqual([0, 0]);
    expect(sure.calibration.slice(0, -1).every(({ plays }) => plays === 0)).toBe(true);
    expect(sure.tokensRatio?.mean).toBeLessThanOrEqual(1);
    expect(likely.tokensRatio?.mean ?? NaN).toBeLessThan(sure.tokensRatio?.mean ?? NaN);
    expect(likely.calibration.some(({ to, plays }) => to < 1 && plays > 0)).toBe(true);
    expect(likely.calibration.every(({ to, plays }) => to > 0.8 || plays === 0)).toBe(true);
  });
});
