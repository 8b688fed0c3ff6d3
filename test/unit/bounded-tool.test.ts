/** A user's tool may be slow, broken or deaf; a run ends all the same. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { boundedCall, CallLimit, type Tool, type ToolRequest } from '../../src/verify/bounded-tool.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<never>(() => {});
const request = { problem: 'p', solution: 's', answer: 'a' };
const toolOf = (verify: Tool['verify']): Tool => ({ name: 'own', version: 1, verify });
const call = (
  tool: Tool,
  { timeoutMs = 1000, limit = new CallLimit(16, timeoutMs), signal = new AbortController().signal } = {},
) => boundedCall(tool, request, { timeoutMs, limit, signal });

test('a reply is handed on, and may be kept', async () => {
  const seen: ToolRequest[] = [];
  const tool = toolOf((asked) => (seen.push(asked), { verdict: 'fail', note: 'units' }));
  expect(await call(tool)).toEqual({ verdict: 'fail', note: 'units', transient: false });
  expect(seen).toEqual([{ ...request, signal: expect.any(AbortSignal) as unknown }]);
  expect(seen[0]?.signal.aborted).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no connection');
    },
    'Error: no connection',
  ],
  ['rejects', () => Promise.reject(new Error('no connection')), 'Error: no connection'],
  ['says something else', () => ({ verdict: 'perhaps' }) as never, 'own gave no verdict'],
] satisfies [string, Tool['verify'], string][])('one that %s says nothing, for now', async (_, verify, note) => {
  expect(await call(toolOf(verify))).toEqual({ verdict: 'unknown', note, transient: true });
});

test('one that never comes back is given up after its time, and told so', async () => {
  const reasons: unknown[] = [];
  const tool = toolOf(({ signal }) => {
    signal.addEventListener('abort', () => reasons.push(signal.reason));
    return never;
  });
  const asked = call(tool);
  await vi.advanceTimersByTimeAsync(999);
  expect(reasons).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(await asked).toEqual({ verdict: 'unknown', note: 'own gave no verdict within 1 s', transient: true });
  expect(reasons).toMatchObject([{ name: 'TimeoutError' }]);
});

test('an abort ends the call at once, whether the tool hears it or not', async () => {
  const stop = new AbortController();
  const deaf = call(
    toolOf(() => never),
    { signal: stop.signal },
  );
  await Promise.resolve();
  stop.abort();
  await expect(deaf).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(
    call(
      toolOf(() => never),
      { signal: stop.signal },
    ),
  ).rejects.toMatchObject({ code: 'ABORTED' });
  expect(vi.getTimerCount()).toBe(0);
});

test('2,000 candidates are not 2,000 calls at once', async () => {
  let [now, most, all] = [0, 0, 0];
  const tool = toolOf(async () => {
    most = Math.max(most, ++now);
    all++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
    return { verdict: 'pass' };
  });
  const limit = new CallLimit(16, 1000);
  const asked = Promise.all(Array.from({ length: 2000 }, () => call(tool, { limit })));
  await vi.runAllTimersAsync();
  expect((await asked).every(({ verdict }) => verdict === 'pass')).toBe(true);
  expect({ most, all }).toEqual({ most: 16, all: 2000 });
});

test('calls that were given up count as long as they run; those that wait for them are refused, and asked again later', async () => {
  let begun = 0;
  let comeBack = (): void => {};
  const tool = toolOf(() => (begun++, new Promise((resolve) => (comeBack = () => resolve({ verdict: 'pass' })))));
  const limit = new CallLimit(2, 1000);
  const asked = Array.from({ length: 5 }, () => call(tool, { limit }));
  await vi.advanceTimersByTimeAsync(1999);
  expect(begun).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect((await Promise.all(asked)).map(({ note }) => note)).toEqual([
    ...Array.from({ length: 2 }, () => 'own gave no verdict within 1 s'),
    ...Array.from({ length: 3 }, () => 'own was not asked: 2 calls of it have not come back'),
  ]);
  expect((await call(tool, { limit })).note).toContain('was not asked');
  comeBack();
  await vi.advanceTimersByTimeAsync(0);
  // One place is free again: who comes waits for it.
  const later = [call(tool, { limit }), call(tool, { limit })];
  await vi.advanceTimersByTimeAsync(0);
  comeBack();
  await vi.advanceTimersByTimeAsync(0);
  comeBack();
  for (const reply of later) expect(await reply).toEqual({ verdict: 'pass', transient: false });
});

test('who waits for a place can leave, and leaves the place to the next', async () => {
  let finish = (): void => {};
  const tool = toolOf(() => new Promise((resolve) => (finish = () => resolve({ verdict: 'pass' }))));
  const limit = new CallLimit(1, 1000);
  const stop = new AbortController();
  const first = call(tool, { limit });
  const second = call(tool, { limit, signal: stop.signal });
  const third = call(tool, { limit });
  await vi.advanceTimersByTimeAsync(0);
  stop.abort();
  await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
  finish();
  await vi.advanceTimersByTimeAsync(0);
  finish();
  expect([await first, await third].map(({ verdict }) => verdict)).toEqual(['pass', 'pass']);
});
