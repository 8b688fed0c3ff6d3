/** Runs the built command line as a user does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCurrent, typescriptBuild } from '../../scripts/build-stamp.mjs';
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

let built: boolean | undefined;

/** Results of another build would say nothing of this source. */
function checkBuild(): void {
  built ??= isCurrent(typescriptBuild());
  if (!built) throw new Error('dist/ was not built from src/ as it is now: npm run build');
}

export function start(args: readonly string[], { stdin = '', environment = {} as NodeJS.ProcessEnv } = {}): Running {
  checkBuild();
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
