/** Waiting that can be interrupted, whatever is waited for. */
import { T1Error } from './errors.js';

/** @throws T1Error ABORTED */
export function checkSignal(signal: AbortSignal): void {
  if (signal.aborted) throw aborted(signal);
}

/**
 * What still runs is not stopped by it, only no longer waited for.
 *
 * @throws T1Error ABORTED once the signal fires
 */
export async function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([interrupted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const aborted = (signal: AbortSignal): T1Error => new T1Error('ABORTED', 'aborted', { cause: signal.reason });
