/** Processes: none left behind, none in the way, and a second lock behind the gate. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { GuestProcess } from '../../src/sandbox/guest-process.js';
import { LazySandbox } from '../../src/sandbox/lazy-sandbox.js';
import { childEntry, lockdownFlags, pyodideChild, pyodideUrl } from '../../src/sandbox/lockdown.js';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import { openSnapshot } from '../../src/sandbox/snapshot.js';
import { ofThisTest } from '../support/children.js';
import { allSandboxes, cpythonSandboxes } from './backends.js';
import { cacheDir, canaryIsRight } from './support.js';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A process that has ended, but was not yet waited for by anyone, is gone too. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

async function gone(pid: number, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end && isRunning(pid)) await sleep(20);
  return !isRunning(pid);
}

/** Starts fixtures/parent.ts, or another script, and waits for the id of its child. */
async function startParent(mode: string, file = 'parent.ts', ...more: string[]) {
  const runner = join(dirname(createRequire(import.meta.url).resolve('vite-node/package.json')), 'vite-node.mjs');
  const script = fileURLToPath(new URL(`./fixtures/${file}`, import.meta.url));
  const parent = ofThisTest(
    spawn(process.execPath, [runner, script, mode, ...more], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const exited = once(parent, 'exit');
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  return { parent, exited, pid: Number(line.toString()) };
}

describe('when the parent is killed without warning', () => {
  test('an idle child ends at once', async () => {
    const { parent, pid } = await startParent('wait');
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await gone(pid, 20_000)).toBe(true);
  });

  test('a child in an endless loop ends soon after the limit of its program', async () => {
    const { parent, pid } = await startParent('spin');
    await sleep(300);
    parent.kill('SIGKILL');
    await sleep(300);
    expect(isRunning(pid)).toBe(true);
    expect(await gone(pid, 8000)).toBe(true);
  });
});

/** @returns the process and all below it */
function withDescendants(pid: number): number[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parentOf = (each: number) => {
    try {
      return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${each}/stat`, 'utf8'))?.[1]);
    } catch {
      return 0; // it has ended meanwhile
    }
  };
  const below = processes.filter((each) => parentOf(each) === pid);
  return [pid, ...below.flatMap(withDescendants)];
}

test.each(cpythonSandboxes)(
  'when the parent is killed, a fork server and its endless program end at once: $name',
  async ({ isolation = '', python = '' }) => {
    const { parent, pid } = await startParent(isolation, 'cpython-parent.ts', python);
    const family = withDescendants(pid);
    // The server, the program, the one that waits; bubblewrap itself is two more.
    expect(family.length).toBeGreaterThanOrEqual(3);
    parent.kill('SIGKILL');
    for (const each of family) expect(await gone(each, 3000)).toBe(true);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a child is out of reach of Ctrl-C, which is for its parent to act on',
  async () => {
    const { parent, pid } = await startParent('wait');
    const [, session] = /\) \S \d+ \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    expect(Number(session)).toBe(pid);
    parent.kill('SIGKILL');
    expect(await gone(pid, 20_000)).toBe(true);
  },
);

test('an idle sandbox that was never disposed does not keep a program from ending', async () => {
  const { exited, pid } = await startParent('idle');
  expect(await exited).toEqual([0, null]);
  expect(await gone(pid, 20_000)).toBe(true);
});

test('waiting for the end of an idle child keeps a program alive until it has come', async () => {
  const { exited, pid } = await startParent('kill');
  // Node ends with code 13 when nothing is left that could settle what a module waits for.
  expect(await exited).toEqual([0, null]);
  expect(await gone(pid, 20_000)).toBe(true);
});

describe.each(allSandboxes)('a running sandbox: $name', ({ start }) => {
  test('ends a program when its caller aborts, and runs the next', async () => {
    await using sandbox = await start({ workers: 1 });
    const abort = new AbortController();
    const running = sandbox.run({ code: 'while True: pass', timeoutMs: 60_000, signal: abort.signal });
    const queued = sandbox.run({ code: '1', signal: abort.signal });
    setTimeout(() => abort.abort(), 200);
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(queued).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await canaryIsRight(sandbox)).toBe(true);
  });

  test('rejects what runs when it is disposed, also twice', async () => {
    const sandbox = await start({ workers: 1 });
    const running = sandbox.run({ code: 'while True: pass', timeoutMs: 60_000 });
    const outcome = expect(running).rejects.toMatchObject({ code: 'DISPOSED' });
    await Promise.all([sandbox.dispose(), sandbox.dispose()]);
    await outcome;
    await expect(sandbox.run({ code: '1' })).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('a start that nobody wants any more ends, and leaves nothing', () => {
  const fresh = (): string => mkdtempSync(join(tmpdir(), 't1-start-'));

  test('while the start image is being made', async () => {
    const folder = fresh();
    const abort = new AbortController();
    const starting = Sandbox.start({ cacheDir: folder }, {}, abort.signal);
    setTimeout(() => abort.abort(), 300);
    await expect(starting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('when the session closes', async () => {
    const folder = fresh();
    const lazy = new LazySandbox({ cacheDir: folder });
    const starting = lazy.start();
    const outcome = expect(starting).rejects.toMatchObject({ code: 'DISPOSED' });
    await sleep(300);
    await lazy.dispose();
    await outcome;
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('before it began', async () => {
    await expect(Sandbox.start({ cacheDir }, {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('a broken sandbox', () => {
  test('a child that cannot start is a clear error', async () => {
    const broken = { childEntry: join(dirname(childEntry), 'no-such-file.mjs') };
    await expect(Sandbox.start({ cacheDir }, broken)).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      message: expect.stringMatching(/^the sandbox did not start: [^\n]+$/) as string,
    });
  });
});

/** Runs JavaScript under the flags of a child, to see what Node itself refuses. */
async function underLockdown(code: string): Promise<string> {
  const flags = lockdownFlags(childEntry);
  const child = ofThisTest(
    spawn(process.execPath, [...flags, '--input-type=module', '-e', code], {
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}

describe("Node's own locks hold without the gate", () => {
  test.each([
    ['a host command', "import('node:child_process').then((m) => m.execSync('echo OUT'))", 'ERR_ACCESS_DENIED'],
    [
      'a file of the host',
      `import('node:fs').then((m) => console.log('OUT', m.readFileSync(${JSON.stringify(fileURLToPath(import.meta.url))}, 'utf8')))`,
      'ERR_ACCESS_DENIED',
    ],
    ['writing a file', "import('node:fs').then((m) => m.writeFileSync('/tmp/t1-escaped', 'OUT'))", 'ERR_ACCESS_DENIED'],
    [
      'a worker thread',
      "import('node:worker_threads').then((m) => new m.Worker('1', { eval: true }))",
      'ERR_ACCESS_DENIED',
    ],
    ['evaluating a string', "console.log('OUT', eval('1 + 1'))", 'EvalError'],
  ])('%s is refused', async (_what, code, refusal) => {
    const output = await underLockdown(code);
    expect(output).toContain(refusal);
    expect(output).not.toMatch(/^OUT/m);
  });

  test('a guest whose gate is wide open still runs no host command', async () => {
    const trace = '/tmp/t1-escaped';
    rmSync(trace, { force: true });
    const snapshot = await openSnapshot(cacheDir);
    const entry = fileURLToPath(new URL('./fixtures/weak-child.mjs', import.meta.url));
    const alsoAllowed = ['_emscripten_system'];
    const options = {
      mode: 'serve',
      pyodideUrl,
      memoryBytes: 2 ** 28,
      snapshotBytes: snapshot.imageBytes,
      packagesBytes: snapshot.packagesBytes,
      alsoAllowed,
    };
    const child = new GuestProcess(pyodideChild(entry, options, snapshot.fd));
    await child.ready(60_000);
    await child.run({ code: `import os\nos.system('touch ${trace}')`, timeoutMs: 5000, outputBytes: 100, seed: 0 });
    child.kill();
    await snapshot.close();
    expect(existsSync(trace)).toBe(false);
  });
});
