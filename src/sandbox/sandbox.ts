/**
 * Runs untrusted Python programs.
 *
 * Request → pool (queue, limits) → a worker of the backend: a locked child process with CPython in WebAssembly, or the
 * system's CPython as a fork server. A result comes back the same way; only the host says timeout, output or died.
 */
import { aborted } from '../abort.js';
import { T1Error } from '../errors.js';
import { message, type Message } from '../message.js';
import type { Backend, BackendInternals, BackendName, BackendOptions } from './backend.js';
import { runInOrderOfCompletion, type BatchResult, type BatchSource } from './batch.js';
import type { GuestProcess } from './guest-process.js';
import { Pool } from './process-pool.js';
import { refusedUnrun, toJob, type ProgramRequest, type ProgramResult } from './program.js';
import { parseSandboxOptions, type SandboxOptions } from './sandbox-options.js';
import { selfTest } from './self-test.js';

export { decodeProgram } from './decode.js';
export { SANDBOXES, type SandboxChoice, type SandboxOptions } from './sandbox-options.js';
export type { BackendName } from './backend.js';
export type { BatchProgram, BatchResult, BatchSource } from './batch.js';
export type { ProgramError, ProgramRequest, ProgramResult, ProgramStatus } from './program.js';

/** Loaded when it is asked for. */
const backends = {
  pyodide: async (options: BackendOptions, internals?: BackendInternals) =>
    (await import('./pyodide-backend.js')).pyodideBackend(options, internals),
  cpython: async (options: BackendOptions, internals?: BackendInternals) =>
    (await import('./cpython/cpython-backend.js')).cpythonBackend(options, internals),
} satisfies Record<BackendName, unknown>;

export type SandboxIdentity = Readonly<Record<string, string | number | null>>;

const identityOf = (backend: Backend, { memoryBytes }: Parsed): SandboxIdentity => ({
  ...backend.identity,
  memoryBytes,
});

type Parsed = ReturnType<typeof parseSandboxOptions>;

export class Sandbox implements AsyncDisposable {
  /** Names what computes a result: backend, versions of Python and SymPy. Part of cache keys. */
  readonly version: string;
  /** All that results depend on, as plain data: part of the key of whatever ran here. */
  readonly identity: SandboxIdentity;
  readonly backend: BackendName;
  /** For people: what runs the programs, in what. */
  readonly description: string;
  readonly #pool: Pool;
  readonly #workers: number;
  /** Ends workers that are starting. */
  readonly #stop: AbortController;
  readonly #release: () => Promise<void>;
  #disposal: Promise<void> | undefined;

  private constructor(backend: Backend, pool: Pool, parsed: Parsed, stop: AbortController) {
    this.version = backend.version;
    this.identity = identityOf(backend, parsed);
    this.backend = backend.name;
    this.description = backend.description();
    this.#pool = pool;
    this.#workers = parsed.workers;
    this.#stop = stop;
    this.#release = () => backend.close();
  }

  /**
   * Starts one worker and tests that nothing gets out of it; more workers start when programs wait.
   * @param signal ends the start at once; a sandbox that has started is ended by `dispose`
   * @throws T1Error SANDBOX_UNAVAILABLE; USAGE, INPUT, FILE_NOT_FOUND for options that cannot be used; ABORTED
   */
  static async start(
    options: SandboxOptions = {},
    internals: BackendInternals = {},
    signal?: AbortSignal,
  ): Promise<Sandbox> {
    const parsed = parseSandboxOptions(options);
    if (parsed.backend !== 'auto')
      return Sandbox.#startWith(await backends[parsed.backend](parsed, internals), parsed, signal);
    const [sandbox, why] = await Sandbox.#startAny(parsed, internals, signal);
    const line = message`sandbox: ${sandbox.description}${why ? message`, since ${why}` : ''}`;
    options.onChoice?.(String(line), line);
    return sandbox;
  }

  /** cpython, if it can be had and passes its self-test; for everything that the user got wrong the error stays. */
  static async #startAny(
    options: Parsed,
    internals: BackendInternals,
    signal: AbortSignal | undefined,
  ): Promise<[Sandbox, Message?]> {
    try {
      const { sympy: _, ...others } = options;
      return [await Sandbox.#startWith(await backends.cpython(others, internals), options, signal)];
    } catch (error) {
      if (!(error instanceof T1Error) || error.code !== 'SANDBOX_UNAVAILABLE') throw error;
      return [await Sandbox.#startWith(await backends.pyodide(options, internals), options, signal), error.text];
    }
  }

  static async #startWith(backend: Backend, parsed: Parsed, signal: AbortSignal | undefined): Promise<Sandbox> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const { workers, spares = backend.spares, memoryBytes } = parsed;
    let first: GuestProcess | undefined;
    try {
      if (signal?.aborted) throw aborted(signal);
      first = await backend.start(stop.signal);
      const tested = first;
      await selfTest((job) => tested.run(job), backend.probes(), memoryBytes);
    } catch (error) {
      first?.kill();
      await backend.close();
      throw signal?.aborted ? aborted(signal) : error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    const pool = new Pool({ size: workers, spares, start: () => backend.start(stop.signal) });
    pool.adopt(first);
    return new Sandbox(backend, pool, parsed, stop);
  }

  /**
   * What `version` of a sandbox with these options is, without starting it where that can be known.
   * @returns null for `auto`, which depends on a self-test
   */
  static async versionOf(options: SandboxOptions): Promise<string | null> {
    const parsed = parseSandboxOptions(options);
    return parsed.backend === 'auto' ? null : (await backends[parsed.backend](parsed)).version;
  }

  /** The same of `identity`. */
  static async identityOf(options: SandboxOptions): Promise<SandboxIdentity | null> {
    const parsed = parseSandboxOptions(options);
    return parsed.backend === 'auto' ? null : identityOf(await backends[parsed.backend](parsed), parsed);
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
    this.#stop.abort();
    this.#disposal ??= this.#pool.dispose().then(this.#release);
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
