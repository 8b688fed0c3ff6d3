/**
 * The sandboxes that can be had on this machine: Pyodide everywhere, the system's CPython where Linux can lock it in.
 */
import type { BackendInternals } from '../../src/sandbox/backend.js';
import { Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.js';
import { cacheDir } from './support.js';

export interface TestedSandbox {
  readonly name: string;
  readonly isolation?: 'bubblewrap' | 'landlock';
  /** The interpreter, where it is not the one that is found without being named. */
  readonly python?: string | undefined;
  readonly start: (options?: SandboxOptions, internals?: BackendInternals) => Promise<Sandbox>;
}

const pyodide: TestedSandbox = {
  name: 'pyodide',
  start: (options, internals) => Sandbox.start({ cacheDir, ...options }, internals),
};

/** Root's server gives root up, so that its Python must be one that everyone can read. */
const PYTHONS = [process.env['T1_PYTHON'], undefined, '/usr/bin/python3'];

async function cpython(isolation: 'bubblewrap' | 'landlock'): Promise<TestedSandbox | string> {
  let reason = '';
  for (const python of new Set(PYTHONS)) {
    const start: TestedSandbox['start'] = (options, internals) =>
      Sandbox.start({ backend: 'cpython', python, systemSympy: false, ...options }, { isolation, ...internals });
    try {
      await (await start({ workers: 1 })).dispose();
      return { name: `cpython in ${isolation}`, isolation, python, start };
    } catch (error) {
      reason ||= error instanceof Error ? error.message : String(error);
    }
  }
  return reason;
}

async function cpythons(): Promise<TestedSandbox[]> {
  const found: TestedSandbox[] = [];
  for (const isolation of ['bubblewrap', 'landlock'] as const) {
    const sandbox = await cpython(isolation);
    if (typeof sandbox === 'string') console.log(`skipped: cpython in ${isolation}: ${sandbox}`);
    else found.push(sandbox);
  }
  return found;
}

export const cpythonSandboxes: readonly TestedSandbox[] = await cpythons();
export const allSandboxes: readonly TestedSandbox[] = [pyodide, ...cpythonSandboxes];
