/** Two runs: which is better, and is the difference more than chance? */
import { describe, expect, test } from 'vitest';
import { compareRuns, type ComparedRun } from '../../src/runs/compare-runs.js';
import type { RunRecord } from '../../src/runs/record.js';
import { syntheticManifest, syntheticRecords } from '../support/synthetic-run.mjs';

const manifest = syntheticManifest(100, 4);
const run = (records: readonly RunRecord[], task: Partial<ComparedRun['manifest']['task']> = {}): ComparedRun => ({
  manifest: { ...manifest, task: { ...manifest.task, ...task } },
  records,
});
const records = [...syntheticRecords({ problems: 100, samples: 4, seed: 5 })] as RunRecord[];
const answered = (correct: (i: number) => boolean, seed = 0): RunRecord[] =>
  records.map((record, i) => ({ ...record, seed, correct: correct(i) }) as RunRecord);

describe('compareRuns', () => {
  test('a run is as good as itself', () => {
    const { problems, onlyA, onlyB, asRun, strategies } = compareRuns(run(records), run(records));
    expect({ problems, onlyA, onlyB }).toEqual({ problems: 100, onlyA: [], onlyB: [] });
    expect([asRun, ...Object.values(strategies)]).toHaveLength(6);
    for (const { a, b, difference, low, high, p } of [asRun, ...Object.values(strategies)])
      expect([a - b, difference, low, high, p]).toEqual([0, 0, 0, 0, 1]);
  });

  test('pairs problems: where one is right and the other is not', () => {
    // A is right on 60, B on 40 of these and on 10 others: the difference's variance is (20 + 10 − 100 · 0.1²) / 100².
    const { both, onlyA, onlyB, asRun } = compareRuns(
      run(answered((i) => i < 60)),
      run(answered((i) => i < 40 || i >= 90)),
    );
    expect([both, onlyA.length, onlyB.length]).toEqual([40, 20, 10]);
    expect(onlyA[0]).toBe('made-40');
    expect(asRun).toMatchObject({ a: 0.6, b: 0.5 });
    expect(asRun.difference).toBeCloseTo(0.1, 10);
    const deviation = Math.sqrt(0.3 - 0.01) / 10;
    expect(asRun.low).toBeCloseTo(0.1 - 1.96 * deviation, 1);
    expect(asRun.high).toBeCloseTo(0.1 + 1.96 * deviation, 1);
  });

  test('several seeds of a problem are one, with the share that is right', () => {
    const two = [...answered((i) => i < 50), ...answered((i) => i < 70, 1)];
    const { problems, both, onlyA, asRun } = compareRuns(run(two), run(answered((i) => i < 50)));
    expect([problems, both, onlyA.length]).toEqual([100, 50, 20]);
    expect(asRun.a).toBeCloseTo(0.6, 10);
  });

  test('problems that only one run has, or that failed, do not count', () => {
    const failed = records.map(
      (record, i) => (i < 10 ? { ...record, outcome: 'failed', code: 'INPUT', message: 'm' } : record) as RunRecord,
    );
    expect(compareRuns(run(failed), run(records.slice(0, 50))).problems).toBe(40);
  });

  test('claims are right where tool and thinking together are', () => {
    const claim = (id: string, byThinking: boolean, byProgram: boolean): RunRecord => ({
      outcome: 'claim',
      id,
      seed: 0,
      problem: 'p',
      gold: 'True',
      byThinking,
      byProgram,
      thought: '',
      program: '',
      printed: '',
      tokens: 1,
      toolTokens: 1,
    });
    const { asRun, strategies } = compareRuns(
      run([claim('a', true, true), claim('b', true, false)]),
      run([claim('a', false, true), claim('b', false, true)]),
    );
    expect([asRun.a, asRun.b, strategies]).toEqual([0.5, 0, {}]);
  });

  test.each([
    ['another task', run(records, { name: 'other' })],
    ['other data', run(records, { sha256: '1'.repeat(64) })],
    ['no problem in common', run(records.map((record) => ({ ...record, id: `x${record.id}` })))],
  ])('%s is refused', (_, other) => {
    expect(() => compareRuns(run(records), other)).toThrow(expect.objectContaining({ code: 'RUN_MISMATCH' }) as Error);
  });
});
