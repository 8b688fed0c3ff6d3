/** Runs the built command line as a user does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/paths.js';
import { ofThisTest } from './children.js';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

export function start(args: readonly string[], { stdin = '', environment = {} as NodeJS.ProcessEnv } = {}): Running {
  const child = ofThisTest(
    spawn(process.execPath, [join(packageRoot, 'dist', 'cli.js'), ...args], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => {}); // a command that refuses early does not read its input
  child.stdin.end(stdin);
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, finished };
}

export const t1 = (args: readonly string[], options: Parameters<typeof start>[1] = {}): Promise<Finished> =>
  start(args, options).finished;

/** A folder of its own for a test, gone with `remove`. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 't1-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
