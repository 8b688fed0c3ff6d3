import { T1Error } from './errors.js';

/** What an abort ends with: the signal's own reason when that is an error of ours. */
export const aborted = (signal: AbortSignal | undefined): T1Error =>
  signal?.reason instanceof T1Error ? signal.reason : new T1Error('ABORTED', 'aborted', { cause: signal?.reason });

/**
 * Waits for something that knows no signal, as long as nobody wants to stop: the work may go on, the wait ends.
 *
 * @throws T1Error ABORTED (or the T1Error that the signal was aborted with) at once when the signal fires; what `work`
 *   rejects with
 */
export async function untilAborted<Value>(work: PromiseLike<Value> | Value, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) throw aborted(signal);
  let stop: () => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
