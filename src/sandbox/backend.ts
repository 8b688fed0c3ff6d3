/** What differs between the sandboxes. Queue, limits, self-test and results are the same. */
import type { GuestProcess } from './guest-process.js';
import type { Probes } from './probes.js';

export type BackendName = 'pyodide' | 'cpython';

export interface Backend {
  readonly name: BackendName;
  /** Names what computes a result: the backend and the versions of Python and SymPy. Part of cache keys. */
  readonly version: string;
  /** All that results depend on, but for what the caller chooses: `version`, and what that does not name. */
  readonly identity: Readonly<Record<string, string | null>>;
  /** For people: what it is made of. Complete once a worker has started. */
  readonly description: () => string;
  /** Workers worth keeping ready for one that had to be killed; 0 where a start takes no time. */
  readonly spares: number;
  /**
   * @param signal ends the start, and whatever it has begun, at once
   * @throws T1Error SANDBOX_UNAVAILABLE, also when the signal fired
   */
  start(signal?: AbortSignal): Promise<GuestProcess>;
  /** What the self-test tries. Complete once a worker has started. */
  probes(): Probes;
  close(): Promise<void>;
}

/** Settings that a backend reads; each says whose they are. */
export interface BackendOptions {
  /** Cap of a program's memory, Python itself (30 MiB) included. */
  readonly memoryBytes: number;
  /** pyodide: where the start image is kept. */
  readonly cacheDir?: string | undefined;
  /** pyodide: folders or wheels that hold sympy and mpmath. Their code is trusted as T1's own. */
  readonly sympy?: readonly string[] | undefined;
  /** cpython: the interpreter; the first usable python3 on the PATH when absent. */
  readonly python?: string | undefined;
  /** cpython: whether programs may use the SymPy of that Python, where it has one; true when absent. */
  readonly systemSympy?: boolean | undefined;
}

/** For tests: weaker sandboxes, to see that they are refused. */
export interface BackendInternals {
  /** pyodide: another child script. */
  readonly childEntry?: string;
  readonly childOptions?: object;
  /** cpython: another server script; one isolation only; more arguments for bubblewrap. */
  readonly serverEntry?: string;
  readonly serverOptions?: object;
  readonly isolation?: 'bubblewrap' | 'landlock';
  readonly bubblewrapArguments?: readonly string[];
}
