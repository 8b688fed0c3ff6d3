/** How long a run still takes, told from what it has done. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgressMeter } from '../../src/runs/progress-meter.js';
import type { RunRecord } from '../../src/runs/record.js';
import type { Candidate, SolveEvent } from '../../src/types.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const SAMPLES = 4;
const PROBLEMS = 20;
/** Of each candidate, and of its program. */
const [CANDIDATE, PROGRAM] = [150, 50];
const PROBLEM = SAMPLES * (CANDIDATE + PROGRAM);

const sampled = (index: number): SolveEvent => ({
  type: 'candidate',
  candidate: { index, tokens: new Int32Array(CANDIDATE) } as Candidate,
});
const progress = (stage: 'sample' | 'verify', finished: number, generatedTokens: number): SolveEvent => ({
  type: 'progress',
  stage,
  finished,
  total: SAMPLES,
  generatedTokens,
});
const solved = {
  outcome: 'solved',
  correct: true,
  candidates: Array.from({ length: SAMPLES }, (_, i) => ({
    text: `solution ${i}`,
    tokens: CANDIDATE,
    toolTokens: PROGRAM,
    rewardTokens: 0,
  })),
} as unknown as RunRecord;

/** @param fresh how much of a problem is generated now; the rest comes from the cache */
function done(meter: ProgressMeter, fresh: number, seconds: number): void {
  const { event, end } = meter.problem();
  vi.advanceTimersByTime(1000 * seconds);
  for (let i = 0; i < SAMPLES; i++) event(sampled(i));
  event(progress('sample', SAMPLES, fresh * SAMPLES * CANDIDATE));
  event(progress('verify', SAMPLES, fresh * SAMPLES * PROGRAM));
  end(solved);
}

test('from what the first ones took', () => {
  const meter = new ProgressMeter(PROBLEMS, SAMPLES, undefined);
  for (let i = 0; i < 5; i++) done(meter, 1, 10);
  expect(meter.now().secondsLeft).toBeCloseTo((PROBLEMS - 5) * 10, 0);
});

test('those that came from the cache say what a problem takes, not how fast it goes', () => {
  const meter = new ProgressMeter(PROBLEMS, SAMPLES, undefined);
  for (let i = 0; i < 4; i++) done(meter, 0.01, 0.1);
  done(meter, 1, 10);
  const { secondsLeft } = meter.now();
  expect(secondsLeft).toBeGreaterThan(((PROBLEMS - 5) * 10) / 1.1);
  expect(secondsLeft).toBeLessThan((PROBLEMS - 5) * 10 * 1.1);
});

test('before any is done, from candidates and programs, the ones from the cache too', () => {
  const meter = new ProgressMeter(PROBLEMS, SAMPLES, undefined);
  const rate = 100;
  const { event } = meter.problem();
  vi.advanceTimersByTime((1000 * (2 * CANDIDATE + PROGRAM)) / rate);
  event(sampled(0)); // from the cache
  event(sampled(1));
  event(sampled(2));
  event(progress('sample', 3, 2 * CANDIDATE));
  event(progress('verify', 1, PROGRAM));
  const left = PROBLEMS * PROBLEM - 3 * CANDIDATE - PROGRAM;
  const { secondsLeft, programs, candidates } = meter.now();
  expect([programs, candidates]).toEqual([1, 3]);
  expect(secondsLeft).toBeGreaterThan(left / rate / 1.5);
  expect(secondsLeft).toBeLessThan((left / rate) * 1.5);
});

test('one that takes longer than all others has what is begun of it left', () => {
  const meter = new ProgressMeter(6, SAMPLES, undefined);
  for (let i = 0; i < 5; i++) done(meter, 1, 10);
  const { event } = meter.problem();
  vi.advanceTimersByTime(20_000);
  for (let i = 0; i < SAMPLES; i++) event(sampled(i));
  event(progress('sample', SAMPLES, 3 * SAMPLES * CANDIDATE));
  event({ type: 'progress', stage: 'verify', finished: 1, total: 9, generatedTokens: PROGRAM });
  const { secondsLeft, seconds, generatedTokens } = meter.now();
  expect(secondsLeft).toBeGreaterThan((8 * PROGRAM * seconds) / generatedTokens / 1.5);
  expect(secondsLeft).toBeLessThan(((8 * PROGRAM * seconds) / generatedTokens) * 1.5);
});

test('is not known before anything is done, and nothing at the end', () => {
  const meter = new ProgressMeter(1, SAMPLES, undefined);
  vi.advanceTimersByTime(3000);
  expect(meter.now().secondsLeft).toBeNull();
  done(meter, 1, 1);
  expect(meter.now().secondsLeft).toBe(0);
});

test('where all comes from the cache, problems are what there is to go by', () => {
  const meter = new ProgressMeter(10, SAMPLES, undefined);
  for (let i = 0; i < 5; i++) done(meter, 0, 2);
  expect(meter.now().secondsLeft).toBeCloseTo(10, 5);
});
