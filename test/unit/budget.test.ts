/** Adaptive budgets: rounds that double until the leader is settled. */
import { expect, test } from 'vitest';
import { adaptively } from '../../src/budget.js';
import type { SolveResult } from '../../src/types.js';

/** A result whose candidates weigh what `weights` says, answer by answer. */
const resultOf = (
  answers: readonly (readonly [string | null, number])[],
  fallback: SolveResult['fallback'] = null,
): SolveResult =>
  ({
    candidates: answers.map(([answer, weight], index) => ({
      index,
      answer,
      weight,
      group: answer === null ? null : answers.findIndex(([other]) => other === answer),
    })),
    fallback,
  }) as unknown as SolveResult;

const rounds = (pool: readonly (readonly [string | null, number])[], fallback: SolveResult['fallback'] = null) => {
  const asked: number[] = [];
  const round = async (n: number): Promise<SolveResult> => (asked.push(n), resultOf(pool.slice(0, n), fallback));
  return { asked, round };
};

const same = (n: number) => Array.from({ length: n }, () => ['7', 1] as const);
const budget = { samples: 64, select: 'weighted', confidence: 0.95 } as const;

test('stops when the answer that leads is not likely to be overtaken', async () => {
  const { asked, round } = rounds(same(64));
  await adaptively(budget, round);
  expect(asked).toEqual([4]); // P(share > ½ | 4 : 0) = 1 − 2⁻⁵ = 0.969
});

test('goes on as long as it is close', async () => {
  const { asked, round } = rounds(Array.from({ length: 64 }, (_, i) => [String(i % 2), 1] as const));
  await adaptively(budget, round);
  expect(asked).toEqual([4, 8, 16, 32, 64]);
});

test('with confidence 1 only what cannot be overtaken ends it', async () => {
  const { asked, round } = rounds(same(64));
  await adaptively({ ...budget, confidence: 1 }, round);
  expect(asked).toEqual([4, 8, 16, 32]); // 32 : 0, and 32 are left: a tie goes to the first seen
});

test('nothing is settled while nobody passed the tool', async () => {
  const { asked, round } = rounds(same(64), 'reward');
  await adaptively(budget, round);
  expect(asked.at(-1)).toBe(64);
});

test('fewer samples than the first round', async () => {
  const { asked, round } = rounds(same(64));
  await adaptively({ ...budget, samples: 2 }, round);
  expect(asked).toEqual([2]);
});

test('the best one alone can always be overtaken', async () => {
  const { round } = rounds(same(64));
  await expect(adaptively({ ...budget, select: 'best-of-n' }, round)).rejects.toMatchObject({ code: 'USAGE' });
});
