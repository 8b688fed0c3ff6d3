/** Streaming of many programs, without processes. */
import { expect, test } from 'vitest';
import { runInOrderOfCompletion } from '../../src/sandbox/batch.js';
import type { ProgramResult } from '../../src/sandbox/program.js';

const ok = (stdout: string): ProgramResult => ({
  status: 'ok',
  stdout,
  value: null,
  truncated: false,
  error: null,
  ms: 1,
});
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** The code of these programs is how long they take. */
const run = async (code: string): Promise<ProgramResult> => {
  await after(Number(code));
  return ok(code);
};

async function ids(results: AsyncIterable<{ id: string }>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id } of results) seen.push(id);
  return seen;
}

test('results come in order of completion', async () => {
  const programs = [
    { id: 'slow', code: '60' },
    { id: 'fast', code: '1' },
    { id: 'middle', code: '25' },
  ];
  expect(await ids(runInOrderOfCompletion(programs, 3, run))).toEqual(['fast', 'middle', 'slow']);
});

test('no more than the given number run at once, and the input is read no further ahead', async () => {
  let read = 0;
  let running = 0;
  let most = 0;
  function* programs() {
    for (; read < 50; ) yield { id: String(read++), code: '1' };
  }
  const counted = async (code: string) => {
    most = Math.max(most, ++running);
    const result = await run(code);
    running--;
    return result;
  };
  let seen = 0;
  for await (const _ of runInOrderOfCompletion(programs(), 4, counted)) expect(read - ++seen).toBeLessThanOrEqual(4);
  expect(seen).toBe(50);
  expect(most).toBe(4);
});

test('a result is handed out while the input keeps waiting', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  async function* programs() {
    yield { id: 'first', code: '1' };
    await gate;
    yield { id: 'second', code: '1' };
  }
  const results = runInOrderOfCompletion(programs(), 4, run);
  expect((await results.next()).value).toMatchObject({ id: 'first' });
  release();
  expect((await results.next()).value).toMatchObject({ id: 'second' });
  expect((await results.next()).done).toBe(true);
});

test('stopping early aborts what runs and closes the input', async () => {
  let closed = false;
  const signals: AbortSignal[] = [];
  async function* programs() {
    try {
      for (let i = 0; ; i++) yield { id: String(i), code: String(i === 0 ? 1 : 10_000) };
    } finally {
      closed = true;
    }
  }
  const abortable = (code: string, signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<ProgramResult>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      void after(Number(code)).then(() => resolve(ok(code)));
    });
  };
  for await (const { id } of runInOrderOfCompletion(programs(), 3, abortable)) {
    expect(id).toBe('0');
    break;
  }
  await after(5);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
  expect(closed).toBe(true);
});

test('an error of the input or of a run ends the stream with it', async () => {
  function* broken() {
    yield { id: 'a', code: '1' };
    throw new Error('line 2 is not JSON');
  }
  await expect(ids(runInOrderOfCompletion(broken(), 2, run))).rejects.toThrow('line 2');
  const failing = () => Promise.reject(new Error('no sandbox'));
  await expect(ids(runInOrderOfCompletion([{ id: 'a', code: '1' }], 2, failing))).rejects.toThrow('no sandbox');
});
