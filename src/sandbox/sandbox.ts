/**
 * Runs untrusted Python programs.
 *
 * Request → pool (queue, limits) → child process (Node's locks) → gate (import allow-list) → CPython in
 * WebAssembly. A result comes back the same way; only the host says timeout, output or died.
 */
import { availableParallelism } from 'node:os';
import { T1Error } from '../errors.js';
import { cacheFolder } from '../paths.js';
import { runInOrderOfCompletion, type BatchResult, type BatchSource } from './batch.js';
import { GuestProcess } from './guest-process.js';
import { childEntry, pyodideUrl, pyodideVersion } from './lockdown.js';
import { Pool } from './pool.js';
import { refusedUnrun, toJob, within, type ProgramRequest, type ProgramResult } from './program.js';
import { selfTest } from './self-test.js';
import { openSnapshot } from './snapshot.js';

export { decodeProgram } from './decode.js';
export type { BatchProgram, BatchResult, BatchSource } from './batch.js';
export type { ProgramError, ProgramRequest, ProgramResult, ProgramStatus } from './program.js';

/** Names what computed a stored result. Raise the number when the same program could end otherwise. */
export const SANDBOX_VERSION = `pyodide-${pyodideVersion}/1`;

const START_TIMEOUT_MS = 60_000;
const MEBIBYTE = 1024 * 1024;

export interface SandboxOptions {
  /** Programs that run at the same time; one per core by default. */
  readonly workers?: number | undefined;
  /** Workers kept ready to replace one that had to be killed. */
  readonly spares?: number | undefined;
  /** Cap of a program's memory, Python itself (30 MiB) included. */
  readonly memoryBytes?: number | undefined;
  /** Where the start image is kept. */
  readonly cacheDir?: string | undefined;
}

/** For tests: another child script, to see that a weakened gate is refused. */
export interface SandboxInternals {
  readonly childEntry?: string;
  readonly childOptions?: object;
}

export class Sandbox implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #workers: number;
  readonly #release: () => Promise<void>;
  #disposal: Promise<void> | undefined;

  private constructor(pool: Pool, workers: number, release: () => Promise<void>) {
    this.#pool = pool;
    this.#workers = workers;
    this.#release = release;
  }

  /**
   * Starts one worker and tests that nothing gets out of it; more workers start when programs wait.
   * @throws T1Error SANDBOX_UNAVAILABLE
   */
  static async start(options: SandboxOptions = {}, internals: SandboxInternals = {}): Promise<Sandbox> {
    const { workers = availableParallelism(), spares = 1, memoryBytes = 512 * MEBIBYTE } = options;
    within('workers', workers, 1, 1024);
    within('spares', spares, 0, 1024);
    within('memoryBytes', memoryBytes, 64 * MEBIBYTE, 2047 * MEBIBYTE);
    const snapshot = await openSnapshot(options.cacheDir ?? cacheFolder());
    const spec = {
      entry: internals.childEntry ?? childEntry,
      options: { mode: 'serve', pyodideUrl, memoryBytes, snapshotBytes: snapshot.bytes, ...internals.childOptions },
      snapshotFd: snapshot.fd,
    };
    let first: GuestProcess | undefined;
    try {
      first = await startGuest(spec);
      const tested = first;
      await selfTest((job) => tested.run(job), memoryBytes);
    } catch (error) {
      first?.kill();
      await snapshot.close();
      throw error;
    }
    const pool = new Pool({ size: workers, spares, start: () => startGuest(spec) });
    pool.adopt(first);
    return new Sandbox(pool, workers, () => snapshot.close());
  }

  /**
   * Never rejects for anything the program does.
   * @throws T1Error ABORTED, DISPOSED, SANDBOX_UNAVAILABLE. RangeError for limits out of range.
   */
  async run(request: ProgramRequest): Promise<ProgramResult> {
    const job = toJob(request);
    return refusedUnrun(request.code) ?? (await this.#pool.run(job, request.signal));
  }

  /**
   * Runs programs from any iterable, results in order of completion; reads only a little ahead.
   * Stopping early ends what still runs.
   */
  runBatch<Id>(
    programs: BatchSource<Id>,
    limits: Omit<ProgramRequest, 'code'> = {},
  ): AsyncGenerator<BatchResult<Id>, void, undefined> {
    const outer = limits.signal;
    return runInOrderOfCompletion(programs, 2 * this.#workers, (code, stop) =>
      this.run({ ...limits, code, signal: outer ? AbortSignal.any([outer, stop]) : stop }),
    );
  }

  /** Kills every worker; what still runs is rejected with DISPOSED. May be called twice. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#pool.dispose().then(this.#release);
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

async function startGuest(spec: ConstructorParameters<typeof GuestProcess>[0]): Promise<GuestProcess> {
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
