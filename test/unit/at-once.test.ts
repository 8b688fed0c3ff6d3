import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mapAtOnce } from '../../src/at-once.js';

const numbers = Array.from({ length: 100 }, (_, i) => i);
/** Work that goes on until it hears its signal. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

test('results are in the order of the items, and so many run at once', async () => {
  let [now, most] = [0, 0];
  const work = async (n: number, _: AbortSignal, index: number): Promise<number> => {
    most = Math.max(most, ++now);
    for (let turns = 0; turns < (n * 7) % 5; turns++) await turn();
    now--;
    return n * 10 + (index - n);
  };
  expect(await mapAtOnce(numbers, work, { width: 7 })).toEqual(numbers.map((n) => n * 10));
  expect(most).toBe(7);
  expect(await mapAtOnce([], work)).toEqual([]);
});

test('the first failure ends what runs, and nothing begins after it', async () => {
  const begun: number[] = [];
  const heard: unknown[] = [];
  const failure = new Error('no credit left');
  const work = async (n: number, signal: AbortSignal): Promise<void> => {
    begun.push(n);
    await turn();
    if (n === 3) throw failure;
    await untilAborted(signal).catch(async (reason: unknown) => {
      await turn();
      heard.push(reason);
      throw new Error('told to end');
    });
  };
  await expect(mapAtOnce(numbers, work, { width: 5 })).rejects.toBe(failure);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(heard).toEqual([failure, failure, failure, failure]); // they had ended before the call did
});

test('work that fails without waiting is a failure too', async () => {
  const work = (): never => {
    throw new RangeError('at once');
  };
  await expect(mapAtOnce(numbers, work)).rejects.toThrow('at once');
});

test('a signal ends it, and is left as it was', async () => {
  const stop = new AbortController();
  let begun = 0;
  const waiting = mapAtOnce(numbers, (_, signal) => (begun++, untilAborted(signal)), { width: 4, signal: stop.signal });
  await turn();
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  expect(begun).toBe(4);
  await expect(mapAtOnce(numbers, () => begun++, { signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  expect(begun).toBe(4);

  const other = new AbortController();
  await mapAtOnce(numbers, (n) => n, { signal: other.signal });
  expect(getEventListeners(other.signal, 'abort')).toEqual([]);
});
