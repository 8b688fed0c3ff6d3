/** Much work at once, as one piece of work: it ends together, with the first failure when there is one. */
import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import { aborted } from './abort.js';

export interface AtOnce {
  /** At the same time, at most; no limit when absent. */
  readonly width?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` on every item. After the first failure, or when the signal fires, nothing more begins, what runs hears it
 * through the signal that it was given, and the call waits until all of it has ended.
 *
 * @returns [items] results, in the items' order
 * @throws the first failure; T1Error ABORTED when the signal fired before
 */
export async function mapAtOnce<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item, signal: AbortSignal, index: number) => Result | Promise<Result>,
  { width = Infinity, signal }: AtOnce = {},
): Promise<Result[]> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const onAbort = (): void => stop.abort(aborted(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  const running = new Set<Promise<unknown>>();
  const begin = (item: Item, index: number): Promise<Result> => {
    const result = Promise.resolve().then(() => work(item, stop.signal, index));
    running.add(result);
    const ended = (): boolean => running.delete(result);
    result.then(ended, ended);
    return result;
  };
  try {
    stop.signal.throwIfAborted();
    return await pMap(items, begin, { concurrency: width, signal: stop.signal });
  } catch (failure) {
    stop.abort(failure);
    await Promise.allSettled(running);
    throw failure;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
