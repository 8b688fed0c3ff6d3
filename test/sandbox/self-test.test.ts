/** A sandbox that does not hold is refused before any program runs. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import type { Job, ProgramResult } from '../../src/sandbox/program.js';
import { failed } from '../../src/sandbox/program.js';
import { PYODIDE_PROBES } from '../../src/sandbox/probes.js';
import { selfTest } from '../../src/sandbox/self-test.js';
import { cacheDir } from './support.js';

interface WebAssemblyModules {
  readonly Module: { new (bytes: Buffer): object; imports(module: object): { readonly name: string }[] };
}

const weakChild = fileURLToPath(new URL('./fixtures/weak-child.mjs', import.meta.url));
const wasm = createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm');
/** The types of Node 20 know WebAssembly only as a namespace. */
const { Module } = (globalThis as unknown as { WebAssembly: WebAssemblyModules }).WebAssembly;
const everyImport = (): string[] => Module.imports(new Module(readFileSync(wasm))).map(({ name }) => name);

const startWeak = (alsoAllowed: string[]) =>
  Sandbox.start({ cacheDir, workers: 1 }, { childEntry: weakChild, childOptions: { alsoAllowed } });

describe('a weakened gate is refused', () => {
  test.each([
    ['JavaScript objects', () => everyImport().filter((name) => /^_?(js|pyproxy|python2js|proxy_cache)/i.test(name))],
    ['host commands', () => ['_emscripten_system']],
    ['sockets', () => ['__syscall_socket']],
    ['everything', everyImport],
  ])('that lets through %s', async (_what, imports) => {
    await expect(startWeak(imports())).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      message: expect.stringMatching(
        /^the sandbox is not safe to use here, nothing was run: the self-test [^\n]+$/,
      ) as string,
    });
  });

  test('while the same child with the gate as it is starts and runs', async () => {
    await using sandbox = await startWeak([]);
    expect(await sandbox.run({ code: 'print(2 ** 10)' })).toMatchObject({ status: 'ok', stdout: '1024\n' });
  });
});

describe('the self-test', () => {
  /** A sandbox that holds, but for the probes that `break` names. */
  const pretend = (spoiled: (job: Job) => ProgramResult | null) => (job: Job) => {
    const canary = job.code.includes('isqrt');
    const good: ProgramResult = canary
      ? { status: 'ok', stdout: '6 4 3/2\n', value: '18446744073709551616', truncated: false, error: null, ms: 1 }
      : failed('error', 'PermissionError', 'no');
    return Promise.resolve(spoiled(job) ?? good);
  };

  test('passes a sandbox that holds', async () => {
    await expect(
      selfTest(
        pretend(() => null),
        PYODIDE_PROBES,
        1,
      ),
    ).resolves.toBeUndefined();
  });

  test('refuses one where a single probe gets out', async () => {
    const escaped: ProgramResult = {
      status: 'ok',
      stdout: 'ESCAPED\n',
      value: null,
      truncated: false,
      error: null,
      ms: 1,
    };
    await expect(
      selfTest(
        pretend(({ code }) => (code.includes('socket') ? escaped : null)),
        PYODIDE_PROBES,
        1,
      ),
    ).rejects.toThrow('reached a socket');
  });

  test('refuses one that computes wrongly', async () => {
    const wrong: ProgramResult = {
      status: 'ok',
      stdout: '7 4 3/2\n',
      value: '1',
      truncated: false,
      error: null,
      ms: 1,
    };
    await expect(
      selfTest(
        pretend(({ code }) => (code.includes('isqrt') ? wrong : null)),
        PYODIDE_PROBES,
        1,
      ),
    ).rejects.toThrow('computes wrongly');
  });

  test('refuses one whose worker dies of a probe', async () => {
    const died = failed('died', 'Died', 'exit code 1');
    await expect(
      selfTest(
        pretend(({ code }) => (code.includes('ctypes') ? died : null)),
        PYODIDE_PROBES,
        1,
      ),
    ).rejects.toThrow('could not finish');
  });
});
