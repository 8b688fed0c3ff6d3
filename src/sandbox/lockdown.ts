/** How a sandbox child is started: which files, which flags, which environment. */
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { ChildSpec } from './guest-process.js';

/**
 * The child is plain JavaScript and is run from the source tree in both cases: this address leads to
 * the same file from `src/sandbox` and from `dist/sandbox`.
 */
export const childEntry = realpathSync(fileURLToPath(new URL('../../src/sandbox/child/main.mjs', import.meta.url)));

const pyodideFolder = dirname(realpathSync(createRequire(import.meta.url).resolve('pyodide/package.json')));

export const pyodideUrl = pathToFileURL(pyodideFolder + sep).href;

export const pyodideVersion = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(pyodideFolder, 'package.json'), 'utf8')) as unknown).version;

/**
 * A second layer behind the gate, independent of it: no evaluation of strings, no child processes,
 * no worker threads, no addons, and of the disk only what Pyodide needs.
 */
export function lockdownFlags(entry: string): string[] {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const readable = new Set([pyodideFolder, dirname(childEntry), dirname(entry)]);
  return [
    '--disallow-code-generation-from-strings',
    permission,
    ...[...readable].map((folder) => `--allow-fs-read=${folder}${sep}`),
    '--max-old-space-size=128',
    // Optimise only functions that stay hot: by default the optimiser competes with the start.
    '--wasm-tiering-budget=100000000',
    '--no-warnings',
  ];
}

/**
 * @param entry script of the child; tests use one whose gate is weakened
 * @param snapshotFd descriptor of the snapshot file
 */
export const pyodideChild = (entry: string, options: object, snapshotFd?: number): ChildSpec => ({
  command: process.execPath,
  args: [...lockdownFlags(entry), entry, JSON.stringify(options)],
  env: childEnvironment(),
  inherits: snapshotFd,
  graceMs: 0,
});

/** No variable of the user reaches the child. A fixed time zone keeps output the same everywhere. */
function childEnvironment(): Record<string, string> {
  const root = process.env['SystemRoot'];
  return { TZ: 'UTC', ...(process.platform === 'win32' && root ? { SystemRoot: root } : {}) };
}
