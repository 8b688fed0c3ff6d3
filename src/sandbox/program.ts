/** A program for the sandbox and what can become of it. */

export interface ProgramRequest {
  readonly code: string;
  /** Wall time of the program alone; waiting for a free worker does not count. */
  readonly timeoutMs?: number | undefined;
  /** Bytes of standard output that are kept; printing more ends in status `output`. */
  readonly outputBytes?: number | undefined;
  /** Seed of Python's `random`, so that the same program prints the same. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ProgramError {
  /** Name of the Python exception, or what the host saw: `Timeout`, `Died`, `OutputLimit`, … */
  readonly type: string;
  readonly message: string;
  /** Line of the program, where known. */
  readonly line: number | null;
  /** Name of the module whose absence ended the program; null for any other failure. */
  readonly missingModule: string | null;
}

interface Ran {
  readonly stdout: string;
  /** True when stdout or value was cut. */
  readonly truncated: boolean;
  readonly ms: number;
}

export interface ProgramOk extends Ran {
  readonly status: 'ok';
  /** `repr` of the last expression, or null if the program does not end in one or it is None. */
  readonly value: string | null;
  readonly error: null;
}

export interface ProgramFailure extends Ran {
  /**
   * error: an exception. timeout: killed at the limit. memory: MemoryError. output: printed too much.
   * died: the worker crashed. Only the host ever says timeout, output or died.
   */
  readonly status: 'error' | 'timeout' | 'memory' | 'output' | 'died';
  readonly value: null;
  readonly error: ProgramError;
}

export type ProgramResult = ProgramOk | ProgramFailure;
export type ProgramStatus = ProgramResult['status'];

/** A request with every default filled in. */
export interface Job {
  readonly code: string;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  readonly seed: number;
}

export const DEFAULT_TIMEOUT_MS = 2000;
export const DEFAULT_OUTPUT_BYTES = 64 * 1024;
export const MAX_CODE_BYTES = 1024 * 1024;
const MAX_TIMEOUT_MS = 10 * 60 * 1000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const MAX_SEED = 2 ** 53 - 1;

/** @throws RangeError for limits that make no sense; these come from the caller, not from the guest. */
export function toJob(request: ProgramRequest): Job {
  const { code, timeoutMs = DEFAULT_TIMEOUT_MS, outputBytes = DEFAULT_OUTPUT_BYTES, seed = 0 } = request;
  return {
    code,
    timeoutMs: within('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS),
    outputBytes: within('outputBytes', outputBytes, 1, MAX_OUTPUT_BYTES),
    seed: within('seed', seed, 0, MAX_SEED),
  };
}

/** @throws RangeError */
export function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

/** A result known without running anything, or null if the program can be run. */
export function refusedUnrun(code: string): ProgramFailure | null {
  const bytes = Buffer.byteLength(code, 'utf8');
  if (bytes > MAX_CODE_BYTES) {
    return failed('error', 'ProgramTooLarge', `${bytes} bytes, the limit is ${MAX_CODE_BYTES}`);
  }
  const lone = /\p{Surrogate}/u.exec(code);
  if (lone) {
    const line = code.slice(0, lone.index).split('\n').length;
    return failed('error', 'UnicodeEncodeError', 'the program contains a lone surrogate', { line });
  }
  return null;
}

export function failed(
  status: ProgramFailure['status'],
  type: string,
  message: string,
  more: { line?: number | null; missingModule?: string | null; stdout?: string; truncated?: boolean; ms?: number } = {},
): ProgramFailure {
  const { line = null, missingModule = null, stdout = '', truncated = false, ms = 0 } = more;
  return { status, stdout, value: null, truncated, error: { type, message, line, missingModule }, ms };
}

export const timedOut = (timeoutMs: number, ms: number): ProgramFailure =>
  failed('timeout', 'Timeout', `killed after ${timeoutMs} ms`, { ms });
