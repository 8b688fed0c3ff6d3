/** Quality of tool and reward: against the paper's own table, and against slow, obvious sums. */
import { describe, expect, test } from 'vitest';
import { calibrationOf } from '../../src/statistics/calibration.js';
import { averagePrecision, rank, rocArea } from '../../src/statistics/curves.js';
import { poolsOf, type PoolCandidate } from '../../src/statistics/pools.js';
import { Random } from '../../src/numbers/random.js';
import { verifierQuality } from '../../src/statistics/verifier-quality.js';
import { randomProblems, uniform } from '../support/pools.js';

const repeated = (times: number, candidate: PoolCandidate): PoolCandidate[] =>
  Array.from({ length: times }, () => candidate);
const problem = (candidates: readonly PoolCandidate[], id = 'a') => ({ id, gold: '1', candidates });

test('counts of the paper give the rates of the paper (table 3)', () => {
  const table = [
    ...repeated(6684, { answer: '1', reward: 0.5 }),
    ...repeated(1930, { answer: '1', reward: 0.49 }),
    ...repeated(4179, { answer: '2', reward: 1 }),
    ...repeated(19_207, { answer: '2', reward: null }),
  ];
  const { judges, candidates, right } = verifierQuality(poolsOf([problem(table)]), { resamples: 10 });
  expect([candidates, right]).toEqual([32_000, 8614]);
  expect(judges.reward?.precision?.mean).toBeCloseTo(0.6153, 4);
  expect(judges.reward?.recall?.mean).toBeCloseTo(0.7759, 4);
  expect(judges.reward?.f1?.mean).toBeCloseTo(0.6863, 4);
  expect(judges.reward?.accuracy?.mean).toBeCloseTo(0.8091, 4);
  expect(judges.tool).toBeUndefined();
});

describe('judges', () => {
  const pools = poolsOf([
    problem([
      { answer: '1', tool: 'pass', reward: 0.9 },
      { answer: '1', tool: 'unknown', reward: 0.9 },
      { answer: '1', tool: 'pass', reward: 0.1 },
      { answer: '2', tool: 'pass', reward: 0.9, kind: 'sum' },
      { answer: '2', tool: 'fail', reward: 0.9, kind: 'sum' },
      { answer: null, tool: 'fail', reward: null, kind: 'logic' },
    ]),
  ]);

  test('tool, reward, and both', () => {
    const { judges } = verifierQuality(pools, { resamples: 10 });
    const cells = Object.entries(judges).map(([name, j]) => [
      name,
      j.truePositives,
      j.falsePositives,
      j.falseNegatives,
      j.trueNegatives,
    ]);
    expect(cells).toEqual([
      ['tool', 2, 1, 1, 2],
      ['reward', 2, 2, 1, 1],
      ['both', 1, 1, 2, 2],
    ]);
    expect(verifierQuality(pools, { resamples: 10, unknown: 'pass' }).judges.tool?.truePositives).toBe(3);
    expect(verifierQuality(pools, { resamples: 10, threshold: 0.05 }).judges.reward?.truePositives).toBe(3);
  });

  test('by kind of error', () => {
    const { kinds } = verifierQuality(pools, { resamples: 10 });
    expect(Object.keys(kinds)).toEqual(['logic', 'sum']);
    expect(kinds['sum']).toMatchObject({
      candidates: 2,
      rejected: { tool: { mean: 0.5 }, reward: { mean: 0 }, both: { mean: 0.5 } },
    });
    expect(kinds['sum']?.rocArea?.mean).toBeCloseTo(2 / 6, 12); // wins 0, ties 4 of 6
    expect(kinds['logic']).toMatchObject({ candidates: 1, rejected: { tool: { mean: 1 } }, rocArea: null });
  });

  test('nothing to divide by is null, not 0', () => {
    const { judges, reward } = verifierQuality(poolsOf([problem([{ answer: '2', tool: 'fail', reward: 0.1 }])]), {
      resamples: 10,
    });
    expect(judges.tool).toMatchObject({ precision: null, recall: null, f1: null, accuracy: { mean: 1 } });
    expect(reward).toMatchObject({ rocArea: null, averagePrecision: null, roc: [], precisionRecall: [] });
  });
});

describe('curves', () => {
  const random = new Random(11);
  const scored = Array.from({ length: 300 }, (_, run) => {
    const right = uniform(random) < 0.4;
    return { score: Math.round(10 * (right ? Math.sqrt(uniform(random)) : uniform(random))) / 10, right, run };
  });
  const [rights, wrongs] = [scored.filter(({ right }) => right), scored.filter(({ right }) => !right)];

  test('ROC area: pairs won, ties half', () => {
    const won = rights.flatMap(({ score: a }) => wrongs.map(({ score: b }): number => (a > b ? 1 : a === b ? 0.5 : 0)));
    expect(rocArea(rank(scored))).toBeCloseTo(won.reduce((sum, each) => sum + each, 0) / won.length, 12);
  });

  test('average precision: over thresholds, recall gained times precision', () => {
    const thresholds = [...new Set(scored.map(({ score }) => score))].sort((a, b) => b - a);
    let [area, before] = [0, 0];
    for (const threshold of thresholds) {
      const recall = rights.filter(({ score }) => score >= threshold).length / rights.length;
      area +=
        (recall - before) *
        (rights.filter(({ score }) => score >= threshold).length /
          scored.filter(({ score }) => score >= threshold).length);
      before = recall;
    }
    expect(averagePrecision(rank(scored))).toBeCloseTo(area, 12);
  });

  test('a weight is so many copies', () => {
    const weightOf = (run: number) => run % 3;
    const copies = scored.flatMap((each) => Array.from({ length: weightOf(each.run) }, () => each));
    expect(rocArea(rank(scored), weightOf)).toBeCloseTo(rocArea(rank(copies)) ?? NaN, 12);
    expect(averagePrecision(rank(scored), weightOf)).toBeCloseTo(averagePrecision(rank(copies)) ?? NaN, 12);
  });

  test('end where all are accepted', () => {
    const { reward } = verifierQuality(poolsOf(randomProblems(12, 20, 8)), { resamples: 50 });
    expect(reward?.roc.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
    expect(reward?.precisionRecall.at(-1)?.recall).toBe(1);
    expect(reward?.rocArea?.low).toBeLessThan(reward?.rocArea?.mean ?? 0);
    expect(reward?.rocArea?.high).toBeGreaterThan(reward?.rocArea?.mean ?? 1);
  });
});

describe('calibration', () => {
  test('by hand', () => {
    const { bins, expectedError, brier } = calibrationOf(
      Float64Array.of(0.1, 0.3, 0.9, 1),
      Uint8Array.of(0, 1, 1, 0),
      2,
    );
    expect(bins).toEqual([
      { from: 0, to: 0.5, candidates: 2, meanScore: 0.2, shareRight: 0.5 },
      { from: 0.5, to: 1, candidates: 2, meanScore: 0.95, shareRight: 0.5 },
    ]);
    expect(expectedError).toBeCloseTo((0.3 + 0.45) / 2, 12);
    expect(brier).toBeCloseTo((0.01 + 0.49 + 0.01 + 1) / 4, 12);
  });

  test('scores that mean what they say', () => {
    const random = new Random(13);
    const scores = Float64Array.from({ length: 50_000 }, () => uniform(random));
    const right = Uint8Array.from(scores, (score) => (uniform(random) < score ? 1 : 0));
    const { expectedError, brier, bins } = calibrationOf(scores, right);
    expect(expectedError).toBeLessThan(0.01);
    expect(brier).toBeCloseTo(1 / 6, 2); // ∫ p (1 − p)
    expect(bins).toHaveLength(10);
  });
});
