import { T1Error } from '../errors.js';
import { GuestProcess, type ChildSpec } from './guest-process.js';

const START_TIMEOUT_MS = 60_000;

/** @throws T1Error SANDBOX_UNAVAILABLE if it does not get ready */
export async function startWorker(spec: ChildSpec): Promise<GuestProcess> {
  const child = new GuestProcess(spec);
  try {
    await child.ready(START_TIMEOUT_MS);
    return child;
  } catch (cause) {
    child.kill();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new T1Error('SANDBOX_UNAVAILABLE', `the sandbox did not start: ${why}`, { cause });
  }
}
