/** The system's CPython as a sandbox: which Python, in what, and that it is refused where a layer is missing. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findInterpreter } from '../../src/sandbox/cpython/interpreter.js';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import { temporaryFolder } from '../support/t1.js';
import { cpythonSandboxes } from './backends.js';
import { cacheDir } from './support.js';

const weakServer = fileURLToPath(new URL('./fixtures/weak-server.py', import.meta.url));
const isRoot = process.getuid?.() === 0;
const REFUSAL = /^the sandbox is not safe to use here, nothing was run: the self-test reached [^\n]+$/;

const refused = (by: RegExp) => ({ code: 'SANDBOX_UNAVAILABLE', message: expect.stringMatching(by) as string });

describe.each(cpythonSandboxes)('$name', ({ name, start }) => {
  const weakened = (without: readonly string[], bubblewrapArguments: readonly string[] = []) =>
    start({ workers: 1 }, { serverEntry: weakServer, serverOptions: { without }, bubblewrapArguments });

  test('starts with all of its layers', async () => {
    await using sandbox = await weakened([]);
    expect(await sandbox.run({ code: 'print(2 ** 10)' })).toMatchObject({ status: 'ok', stdout: '1024\n' });
  });

  const layers: [what: string, layer: string, by: RegExp][] = [
    ['the filter of system calls', 'filter', /reached/],
    ['the limit of memory', 'memory', /reached memory above the limit/],
    ['closing the descriptors', 'closing', /reached a descriptor of the server/],
    ['the refusal of signals', 'signals', /reached another process by a signal/],
    ['the refusal of sockets', 'sockets', /reached a socket/],
    ['the refusal of tracing', 'tracing', /reached tracing by ctypes/],
    ['the refusal of exec', 'exec', /reached exec by ctypes/],
    ['the refusal of io_uring', 'io_uring', /reached the kernel by raw system calls/],
    ['the refusal of other limits', 'limits', /reached its own limits/],
  ];
  if (isRoot) layers.push(['giving up root', 'user', /reached root's rights/]);
  if (name.endsWith('landlock')) layers.push(['Landlock', 'landlock', /reached a file of the host/]);
  test.each(layers)('is refused without %s', async (_what, layer, by) => {
    await expect(weakened([layer])).rejects.toMatchObject(refused(REFUSAL));
    await expect(weakened([layer])).rejects.toMatchObject(refused(by));
  });

  test('is refused where a file can be written', async () => {
    // The file system is read-only as well, so both have to be missing.
    const weak = name.endsWith('landlock')
      ? weakened(['reading', 'landlock'])
      : weakened(['reading'], ['--perms', '0777', '--tmpfs', '/tmp']);
    await expect(weak).rejects.toMatchObject(refused(/reached (writing a file|a file of the host)/));
    rmSync('/tmp/t1-probe', { force: true });
  });

  test.runIf(name.endsWith('bubblewrap')).each([
    ['a folder of the host', ['--ro-bind', '/etc', '/etc'], /reached a file of the host/],
    ['all of the host', ['--ro-bind', '/', '/host'], /reached a folder of the host/],
    ['the processes of the host', ['--ro-bind', '/proc', '/proc'], /reached a file of the host/],
    ['a variable of the host', ['--setenv', 'TOKEN', 'secret'], /reached the host environment/],
  ])('is refused when it shows %s', async (_what, bubblewrapArguments, by) => {
    await expect(weakened([], bubblewrapArguments)).rejects.toMatchObject(refused(by));
  });

  test('ends a program that numbers its system calls as another architecture does', async () => {
    await using sandbox = await start({ workers: 1 });
    const x32 = 'import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)\nprint("went on")';
    const expected =
      process.arch === 'x64'
        ? { status: 'died', error: { message: expect.stringContaining('SIGSYS') as string } }
        : { status: 'ok' };
    expect(await sandbox.run({ code: x32 })).toMatchObject(expected);
  });

  test('goes on after a program that had to be killed, in the same process', async () => {
    await using sandbox = await start({ workers: 1 });
    // Where the heap of a server lies is drawn at its start; its process id is always the same in a namespace of its
    // own.
    const server = async () => (await sandbox.run({ code: 'id(len)' })).value;
    const before = await server();
    expect(before).toMatch(/^\d+$/);
    expect(await sandbox.run({ code: 'while True: pass', timeoutMs: 200 })).toMatchObject({ status: 'timeout' });
    expect(await sandbox.run({ code: 'import os\nos._exit(3)' })).toMatchObject({ status: 'died' });
    expect(await server()).toBe(before);
  });

  test('computes with modules that were not imported ahead', async () => {
    await using sandbox = await start({ workers: 1 });
    const code = 'import hashlib, colorsys, zlib\nprint(hashlib.sha256(b"t1").hexdigest()[:8], zlib.crc32(b"t1"))';
    expect(await sandbox.run({ code })).toMatchObject({ status: 'ok', stdout: '628b49d9 1532276279\n' });
  });

  test('takes no more of a result than fits, and stays', async () => {
    await using sandbox = await start({ workers: 1 });
    const flood = 'import os\nwhile True: os.write(3, b"x" * 50000)';
    expect(await sandbox.run({ code: flood })).toMatchObject({ status: 'error', error: { type: 'NoResult' } });
    expect(await sandbox.run({ code: '6 * 7' })).toMatchObject({ status: 'ok', value: '42' });
  });

  test('names backend, Python and SymPy in its version', async () => {
    await using sandbox = await start({ workers: 1 });
    const { value } = await sandbox.run({ code: 'import sys\n"%d.%d.%d" % sys.version_info[:3]' });
    expect(`'${sandbox.version}'`).toBe(`'cpython-${value?.slice(1, -1)}/1'`);
    expect(sandbox.description).toContain(name.split(' ')[2]);
  });

  test('has the SymPy of its Python, where there is one', async () => {
    await using sandbox = await start({ workers: 1, systemSympy: true });
    const result = await sandbox.run({
      code: 'import sympy\nx = sympy.Symbol("x")\nsympy.solve(x**2 - 4, x)',
      timeoutMs: 20_000,
    });
    if (/\+sympy-/.test(sandbox.version)) expect(result).toMatchObject({ status: 'ok', value: '[-2, 2]' });
    else expect(result).toMatchObject({ status: 'error', error: { missingModule: 'sympy' } });
  });
});

describe('which Python', () => {
  const folder = temporaryFolder();
  const { PATH: path } = process.env;
  let number = 0;

  beforeEach(() => (process.env['PATH'] = join(folder.path, String(++number))));
  afterEach(() => (process.env['PATH'] = path));
  afterAll(() => folder.remove());

  /** @returns a python3 on the PATH that is a shell script */
  function pythonThat(does: string): string {
    const bin = process.env['PATH'] ?? '';
    mkdirSync(bin);
    writeFileSync(join(bin, 'python3'), `#!/bin/sh\n${does}\n`);
    chmodSync(join(bin, 'python3'), 0o755);
    return join(bin, 'python3');
  }

  test.each([
    ['too old', `echo '{"tooOld": [3, 8, 10]}'`, /is Python 3\.8\.10, and 3\.9 or newer is needed/],
    [
      'another Python',
      `echo '{"executable":"/p","implementation":"pypy","version":[3,10,0],"hasPidfd":true,"library":["/l"],"libraries":[],"packages":{"sympy":null,"mpmath":null}}'`,
      /is pypy/,
    ],
    ['no Python', 'echo hello', /cannot run/],
    ['broken', 'exit 3', /cannot run/],
  ])('one that is %s is refused', async (_what, script, by) => {
    const named = pythonThat(script);
    await expect(findInterpreter(named)).rejects.toMatchObject({ message: expect.stringMatching(by) as string });
    await expect(findInterpreter()).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      message: expect.stringMatching(by) as string,
    });
  });

  test.skipIf(cpythonSandboxes.length === 0)('a shim leads to the interpreter behind it', async () => {
    process.env['PATH'] = path;
    const behind = (await findInterpreter()).executable;
    process.env['PATH'] = join(folder.path, 'shims');
    const shim = pythonThat(`exec "${behind}" "$@"`);
    expect(await findInterpreter()).toMatchObject({ executable: behind });
    expect(shim).not.toBe(behind);
  });

  test('one that is not there is the fault of who named it', async () => {
    const sandbox = Sandbox.start({ backend: 'cpython', python: join(folder.path, 'absent') });
    await expect(sandbox).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/check sandbox\.python$/) as string,
    });
    const auto = Sandbox.start({ backend: 'auto', python: join(folder.path, 'absent'), cacheDir });
    await expect(auto).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('without any, cpython is a clear error and auto is pyodide, which it says once', async () => {
    const message = expect.stringMatching(
      /^there is no python3 on the PATH: install Python 3\.9 or newer, .+sandbox\.backend pyodide$/,
    ) as string;
    await expect(Sandbox.start({ backend: 'cpython' })).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE', message });
    const told: string[] = [];
    await using sandbox = await Sandbox.start({
      backend: 'auto',
      workers: 1,
      cacheDir,
      onChoice: (line) => told.push(line),
    });
    expect(sandbox.backend).toBe('pyodide');
    expect(told).toEqual([expect.stringMatching(/^sandbox: Pyodide [\d.]+, since there is no python3/)]);
  });

  test.skipIf(cpythonSandboxes.length === 0)('auto is cpython where that can be had', async () => {
    process.env['PATH'] = path;
    const told: string[] = [];
    await using sandbox = await Sandbox.start({
      backend: 'auto',
      workers: 1,
      systemSympy: false,
      cacheDir,
      onChoice: (line) => told.push(line),
    });
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(sandbox.backend === 'cpython' ? 'sandbox: CPython 3.' : 'since');
  });

  test('on another system, cpython is a clear error and auto is pyodide', async () => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    try {
      await expect(Sandbox.start({ backend: 'cpython' })).rejects.toMatchObject({
        code: 'SANDBOX_UNAVAILABLE',
        message: 'the cpython sandbox needs Linux, this is darwin: use sandbox.backend pyodide',
      });
      await using sandbox = await Sandbox.start({ backend: 'auto', workers: 1, cacheDir });
      expect(sandbox.backend).toBe('pyodide');
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });

  test.skipIf(process.platform !== 'linux')('the SymPy of the other backend is wrong usage', async () => {
    await expect(Sandbox.start({ backend: 'cpython', sympy: ['x'] })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('an unknown backend is wrong usage', async () => {
    await expect(Sandbox.start({ backend: 'docker' as 'auto' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('pyodide, cpython, auto') as string,
    });
  });
});
