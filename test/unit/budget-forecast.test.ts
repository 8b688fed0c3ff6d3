/** What is left of a budget, played out. */
import { expect, test } from 'vitest';
import { newAnswerShares, TOOL_KINDS, toolShares } from '../../src/budget/expected.js';
import { forecastOf } from '../../src/budget/forecast.js';
import type { KnownCandidate } from '../../src/budget/known.js';
import { isSettled } from '../../src/budget/policy.js';
import type { Plan } from '../../src/budget/stages.js';
import { fallbackSelector, selectors } from '../../src/select/select.js';
import type { Opinion } from '../../src/types.js';

const plan: Plan = {
  candidates: 16,
  opinions: 1,
  rule: 'any',
  judgements: 1,
  strategy: selectors.weighted,
  otherwise: fallbackSelector(selectors.weighted, 'reward'),
  unknown: 'fail',
  confidence: 0.95,
  reproducible: false,
};

/** One candidate: its answer, and what the tool said of it. */
const candidate = (index: number, group: number | null, opinion?: Opinion): KnownCandidate => ({
  index,
  group,
  opinions: opinion ? [opinion] : [],
  opinionsLeft: opinion || group === null ? 0 : 1,
  reward: undefined,
  judgements: 0,
  judgementsLeft: group === null ? 0 : 1,
});

test('the same known gives the same forecast', () => {
  const known = [candidate(0, 0, 'pass'), candidate(1, 1)];
  expect(forecastOf(known, plan)).toEqual(forecastOf(known, plan));
});

test('who agree and pass are surer than one alone, and one alone than who differ', () => {
  const [pair, alone, differing] = [
    [candidate(0, 0, 'pass'), candidate(1, 0)],
    [candidate(0, 0, 'pass')],
    [candidate(0, 0, 'pass'), candidate(1, 1), candidate(2, 2)],
  ].map((known) => forecastOf(known, plan));
  expect(pair?.leader).toEqual({ group: 0, byFallback: false });
  expect(pair?.confidence).toBeGreaterThan(alone?.confidence ?? NaN);
  expect(alone?.confidence).toBeGreaterThan(differing?.confidence ?? NaN);
});

test('an answer that leads is not settled before it is known whether it passes', () => {
  const known = [0, 1, 2, 3].map((index) => candidate(index, 0));
  const forecast = forecastOf(known, plan);
  expect(forecast.confidence).toBeLessThan(0.95);
  expect(isSettled(forecast, { group: 0, byFallback: true }, plan)).toBe(false);
  expect(forecast.worth[0]?.work.kind).toBe('opinion');
});

test('where nothing passes, what stands in can be settled too, and by it alone', () => {
  const known = Array.from({ length: 14 }, (_, index) => ({
    ...candidate(index, 0, 'fail'),
    reward: 0.5,
    judgements: 1,
    judgementsLeft: 0,
  }));
  const forecast = forecastOf(known, plan);
  expect(forecast.leader).toEqual({ group: 0, byFallback: true });
  expect(forecast.certain).toBe(false);
  expect(isSettled(forecast, { group: 0, byFallback: true }, plan)).toBe(true);
  expect(isSettled(forecast, { group: 0, byFallback: false }, plan)).toBe(false);
});

test('an end without an answer is one too', () => {
  const known = Array.from({ length: 15 }, (_, index) => candidate(index, null));
  const forecast = forecastOf(known, plan);
  expect(forecast.leader).toEqual({ group: null, byFallback: true });
  expect(isSettled(forecast, { group: null, byFallback: false }, { confidence: 0.9 })).toBe(true);
});

test('what is on its way settles it the likelier the more it can say', () => {
  const known = [0, 1, 2].map((index) => candidate(index, 0));
  expect(forecastOf(known, plan).settles).toBe(0);
  const [program, one] = [
    forecastOf(known, plan, [{ kind: 'opinion', candidate: 0 }]),
    forecastOf(known, plan, [{ kind: 'candidate' }]),
  ];
  expect(program.settles).toBeGreaterThan(0.5);
  expect(one.settles).toBe(0);
});

test('candidates that agree make a new answer unlikely, those that all differ a likely one; thousands are no limit', () => {
  const weightOf = (shares: readonly number[]): number =>
    shares.reduce((sum, share, i) => sum + share * ([0.25, 1, 4, 16][i] ?? 0), 0);
  const [before, agreeing, differing, many] = [
    newAnswerShares(0, 0),
    newAnswerShares(8, 1),
    newAnswerShares(8, 8),
    newAnswerShares(100_000, 20),
  ];
  expect(weightOf(agreeing)).toBeLessThan(weightOf(before) / 4);
  expect(weightOf(differing)).toBeGreaterThan(2 * weightOf(before));
  for (const shares of [before, agreeing, differing, many])
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 9);
});

const [consistent, fickle] = TOOL_KINDS;

test('of a tool that is consistent an answer passes the likelier the more agree on it, and hardly where another one has', () => {
  const passing = (agreeing: number, candidates: number, against: boolean): number =>
    consistent?.odds(agreeing, candidates, against)[0] ?? NaN;
  expect(passing(3, 3, false)).toBeGreaterThan(passing(1, 1, false));
  expect(passing(1, 1, false)).toBeGreaterThan(passing(1, 3, false));
  expect(passing(3, 6, true)).toBeLessThan(passing(3, 6, false));
});

test('odds are probabilities, and so are the shares of the kinds of tool', () => {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  for (const { odds } of TOOL_KINDS)
    for (const [agreeing, candidates] of [
      [1, 1],
      [1, 64],
      [64, 64],
    ] as const)
      for (const against of [true, false]) {
        const all = odds(agreeing, candidates, against);
        expect(sum(all)).toBeCloseTo(1, 9);
        expect(Math.min(...all)).toBeGreaterThan(0);
      }
  expect(sum(toolShares([{ looks: [40, 0, 900], agreeing: 300, against: false }], 1000))).toBeCloseTo(1, 9);
});

test('a tool that says the same of an answer each time is soon known, and one that says now this, now nothing', () => {
  expect(TOOL_KINDS).toHaveLength(2);
  const fickleAfter = (...looks: [number, number, number][]): number =>
    toolShares(
      looks.map((each) => ({ looks: each, agreeing: 2, against: false })),
      4,
    )[1] ?? NaN;
  expect(fickleAfter()).toBe(fickle?.prior);
  expect(fickleAfter([3, 0, 0])).toBeLessThan(0.05);
  expect(fickleAfter([0, 0, 2])).toBeGreaterThan(0.4);
  expect(fickleAfter([1, 1, 2], [0, 1, 3])).toBeGreaterThan(0.99);
});

test('what passed once is no settled answer where the tool is fickle', () => {
  const four: Plan = { ...plan, candidates: 8, opinions: 4 };
  const asked = (index: number, group: number, ...opinions: Opinion[]): KnownCandidate => ({
    ...candidate(index, group),
    opinions,
    opinionsLeft: 4 - opinions.length,
  });
  const first = forecastOf([asked(0, 0, 'pass'), asked(1, 0)], four);
  const soon = forecastOf(
    [asked(0, 0, 'unknown', 'unknown', 'pass'), asked(1, 0), asked(2, 2, 'unknown', 'fail')],
    four,
  );
  expect(first.confidence).toBeGreaterThan(soon.confidence);
  expect(soon.confidence).toBeLessThan(0.95);
});
