/** Pools for the tests of the statistics. */
import type { PoolCandidate, PoolProblem } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { normalizeAnswer } from '../../src/grade/normalize.js';
import type { ScoredCandidate } from '../../src/types.js';

export const uniform = (random: Random): number => random.next() / 2 ** 32;

export const oneOf = <T>(random: Random, ...choices: readonly [T, ...T[]]): T =>
  choices[random.below(choices.length)] ?? choices[0];

/**
 * Few answers and coarse rewards, so that ties and pools without a pass are common. Right is 1, which is written in
 * three ways.
 */
export const randomCandidate = (random: Random): PoolCandidate => ({
  answer: oneOf<string | null>(random, '1', '1.0', '\\frac{2}{2}', '2', '3', '3.0', '4', null),
  reward: oneOf(random, null, 0, 0.25, 0.5, 0.75, 0.1),
  tool: oneOf(random, 'pass', 'fail', 'fail', 'unknown'),
});

export const randomProblems = (seed: number, problems: number, candidates: number): PoolProblem[] => {
  const random = new Random(seed);
  return Array.from({ length: problems }, (_, id) => ({
    id: String(id),
    gold: '1',
    candidates: Array.from({ length: candidates }, () => randomCandidate(random)),
  }));
};

const forms: string[] = [];

/** A number for each normal form. */
function groupOf(answer: string): number {
  const form = normalizeAnswer(answer);
  const known = forms.indexOf(form);
  return known === -1 ? forms.push(form) - 1 : known;
}

/** What `select` wants of a candidate. */
export const scored = ({ answer, reward = null, tool = 'unknown' }: PoolCandidate, index: number): ScoredCandidate => ({
  index,
  seed: index,
  text: '',
  tokens: new Int32Array(),
  logprobs: new Float32Array(),
  finish: 'eog',
  answer,
  group: answer === null ? null : groupOf(answer),
  tool: { verdict: tool, programs: [] },
  reward,
});

/** All subsets of a list, each in its order. */
export function subsetsOf<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsetsOf(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

export function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
}
