import { describe, expect, test } from 'vitest';
import { normalizeAnswer } from '../../src/grade/normalize.js';
import { select, selectors, type SelectorName } from '../../src/select/select.js';
import type { ScoredCandidate } from '../../src/types.js';

type Short = [answer: string | null, verdict: 'pass' | 'fail' | 'unknown', reward: number | null];

const pool = (...candidates: Short[]): ScoredCandidate[] =>
  candidates.map(([answer, verdict, reward], index) => ({
    index,
    seed: index,
    text: `\\boxed{${answer}}`,
    tokens: new Int32Array(),
    logprobs: new Float32Array(),
    finish: 'eog',
    answer,
    group:
      answer === null
        ? null
        : candidates.findIndex(([other]) => other !== null && normalizeAnswer(other) === normalizeAnswer(answer)),
    tool: { verdict, programs: [] },
    reward,
  }));

// Majority says 1, reward alone 2, the tool alone 3, the highest single product 4, the heaviest sum of products 5.
const contested = pool(
  ['1', 'fail', 0.1],
  ['1', 'fail', 0.1],
  ['1', 'fail', 0.1],
  ['1', 'fail', 0.1],
  ['2', 'fail', 1],
  ['2', 'unknown', 1],
  ['3', 'pass', 0.1],
  ['3', 'pass', 0.1],
  ['3', 'pass', 0.1],
  ['4', 'pass', 0.9],
  ['5', 'pass', 0.6],
  ['5', 'pass', 0.6],
);

test('what a candidate counts as does not verify its answer, nor does a pass of another one', () => {
  expect(
    select(pool(['1', 'unknown', 0.5], ['1', 'unknown', 0.5], ['2', 'pass', 0.4]), 'weighted', 'reward', 'pass'),
  ).toMatchObject({ answer: '1', verified: false });
  expect(
    select(pool(['1', 'unknown', 0.5], ['1.0', 'pass', 0.5], ['2', 'pass', 0.4]), 'weighted', 'reward', 'pass'),
  ).toMatchObject({ answer: '1', verified: true });
});

describe('every strategy chooses by its own rule', () => {
  test.each<[SelectorName, string, boolean]>([
    ['majority', '1', false],
    ['reward', '2', false],
    ['tool', '3', true],
    ['best-of-n', '4', true],
    ['weighted', '5', true],
  ])('%s', (name, answer, verified) => {
    expect(select(contested, name, 'abstain')).toMatchObject({ answer, verified, fallback: null });
  });

  test('there is no strategy that the tests leave out', () => {
    expect(Object.keys(selectors).sort()).toEqual(['best-of-n', 'majority', 'reward', 'tool', 'weighted']);
  });
});

test('answers that are written differently count together', () => {
  expect(
    select(pool(['1,000', 'pass', 0.4], ['7', 'pass', 0.6], ['1000.0', 'pass', 0.4]), 'weighted', 'reward').answer,
  ).toBe('1,000');
});

test.each([null, undefined])('an answer whose group is %j is refused: all such would be one', (group) => {
  const made = pool(['1', 'pass', 0.5], ['2', 'pass', 0.4]).map((candidate) => ({
    ...candidate,
    group,
  })) as ScoredCandidate[];
  expect(() => select(made, 'weighted', 'reward')).toThrow(
    expect.objectContaining({ code: 'INPUT', message: expect.stringContaining('answerGroups') as unknown }),
  );
});

test('a tie goes to the first seen', () => {
  expect(select(pool(['9', 'pass', 0.5], ['4', 'pass', 0.5]), 'weighted', 'reward').answer).toBe('9');
  expect(select(pool(['9', 'fail', 0.5], ['4', 'pass', 0.5]), 'majority', 'reward').answer).toBe('9');
});

test('a passing candidate without reward still beats refuted ones', () => {
  expect(select(pool(['1', 'fail', 0.9], ['2', 'pass', null]), 'weighted', 'reward')).toMatchObject({
    answer: '2',
    verified: true,
  });
});

test('an unknown verdict does not count as a pass', () => {
  expect(select(pool(['1', 'unknown', 0.9], ['2', 'pass', 0.1]), 'weighted', 'reward').answer).toBe('2');
});

describe('nothing passed', () => {
  const refuted = pool(['1', 'fail', 0.3], ['1', 'unknown', 0.3], ['2', 'fail', 0.5], [null, 'unknown', null]);

  test('reward: the rewards decide, with the same way to combine them', () => {
    expect(select(refuted, 'weighted', 'reward')).toMatchObject({ answer: '1', verified: false, fallback: 'reward' });
    expect(select(refuted, 'best-of-n', 'reward')).toMatchObject({ answer: '2', verified: false, fallback: 'reward' });
  });

  test('majority', () => {
    expect(select(refuted, 'best-of-n', 'majority')).toMatchObject({
      answer: '1',
      verified: false,
      fallback: 'majority',
    });
  });

  test('abstain', () => {
    expect(select(refuted, 'weighted', 'abstain')).toEqual({
      answer: null,
      chosen: null,
      verified: false,
      fallback: 'abstain',
      weights: [0, 0, 0, 0],
    });
  });

  test('strategies that do not ask the tool need no fallback', () => {
    expect(select(refuted, 'majority', 'abstain')).toMatchObject({ answer: '1', verified: false, fallback: null });
  });
});

test('a pool without any answer abstains whatever the strategy', () => {
  for (const name of Object.keys(selectors) as SelectorName[]) {
    expect(select(pool([null, 'unknown', null]), name, 'reward')).toMatchObject({
      answer: null,
      chosen: null,
      verified: false,
    });
  }
});

test('weights say what each candidate contributed', () => {
  expect(select(contested, 'weighted', 'reward').weights.slice(6)).toEqual([0.1, 0.1, 0.1, 0.9, 0.6, 0.6]);
  expect(select(contested, 'weighted', 'reward').weights.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
});
