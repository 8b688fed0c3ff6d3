import { T1Error } from '../errors.js';
import { GuestProcess, type ChildSpec } from './guest-process.js';

const START_TIMEOUT_MS = 60_000;

/** Waits for a child that knows no signal: an abort kills it, and so ends the wait. */
export async function whileStarting<Value>(
  child: GuestProcess,
  signal: AbortSignal | undefined,
  work: () => Promise<Value>,
): Promise<Value> {
  const kill = (): void => child.kill();
  if (signal?.aborted) kill();
  signal?.addEventListener('abort', kill, { once: true });
  try {
    return await work();
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

/**
 * @param signal kills a child that is still starting
 * @throws T1Error SANDBOX_UNAVAILABLE if it does not get ready
 */
export async function startWorker(spec: ChildSpec, signal?: AbortSignal): Promise<GuestProcess> {
  const child = new GuestProcess(spec);
  try {
    await whileStarting(child, signal, () => child.ready(START_TIMEOUT_MS));
    return child;
  } catch (cause) {
    child.kill();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new T1Error('SANDBOX_UNAVAILABLE', `the sandbox did not start: ${why}`, { cause });
  }
}
