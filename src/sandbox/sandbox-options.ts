/** Settings of a sandbox: one schema for library and command line. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import type { BackendOptions } from './backend.js';
import { within } from './program.js';

export const SANDBOXES = ['pyodide', 'cpython', 'auto'] as const;
export type SandboxChoice = (typeof SANDBOXES)[number];

const MEBIBYTE = 1024 * 1024;

export interface SandboxOptions extends Partial<BackendOptions> {
  /**
   * What runs the programs. pyodide: CPython in WebAssembly, the same everywhere (default). cpython: the system's Python,
   * locked in by Linux. auto: cpython where it passes its self-test, else pyodide.
   */
  readonly backend?: SandboxChoice | undefined;
  /** Programs that run at the same time; one per core by default. */
  readonly workers?: number | undefined;
  /** Workers kept ready to replace one that had to be killed. */
  readonly spares?: number | undefined;
  /** auto: is told once which backend was taken, and why. */
  readonly onChoice?: ((line: string) => void) | undefined;
}

/** @throws T1Error USAGE for an unknown backend. RangeError for numbers out of range. */
export function parseSandboxOptions(options: SandboxOptions) {
  const { backend = 'pyodide', workers = availableParallelism(), spares, memoryBytes = 512 * MEBIBYTE } = options;
  const parsed = z.enum(SANDBOXES).safeParse(backend);
  if (!parsed.success) throw new T1Error('USAGE', `sandbox: ${String(backend)} is none of ${SANDBOXES.join(', ')}`);
  return {
    ...options,
    backend: parsed.data,
    workers: within('workers', workers, 1, 1024),
    spares: spares === undefined ? undefined : within('spares', spares, 0, 1024),
    memoryBytes: within('memoryBytes', memoryBytes, 64 * MEBIBYTE, 2047 * MEBIBYTE),
  };
}
