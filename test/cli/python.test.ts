/** `t1 python` as a user runs it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { t1, temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());
const file = (name: string, content: string | Buffer) => {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
};

describe('one program', () => {
  test('prints what it prints and exits 0', async () => {
    const result = await t1(['python', file('hello.py', 'print(sum(range(10)))')]);
    expect(result).toMatchObject({ code: 0, stdout: '45\n', stderr: '' });
  });

  test('comes from standard input, and --json tells everything', async () => {
    const result = await t1(['python', '-', '--json'], { stdin: 'print("a")\n6 * 7' });
    expect(JSON.parse(result.stdout)).toMatchObject({ status: 'ok', stdout: 'a\n', value: '42', error: null });
    expect(result.code).toBe(0);
  });

  test('that fails exits 1 with one line on standard error', async () => {
    const result = await t1(['python', '-'], { stdin: 'print("before")\n1 / 0' });
    expect(result).toMatchObject({ code: 1, stdout: 'before\n' });
    expect(result.stderr).toMatch(/^t1: program ended with error: ZeroDivisionError: .*line 2.*\n$/);
  });

  test('that never ends is stopped at --timeout', async () => {
    const result = await t1(['python', '-', '--json', '--timeout', '300'], { stdin: 'while True: pass' });
    expect(JSON.parse(result.stdout)).toMatchObject({ status: 'timeout' });
    expect(result.code).toBe(1);
  });

  test('that is not UTF-8 is refused', async () => {
    const result = await t1(['python', file('latin1.py', Buffer.from([0x70, 0xff, 0xfe]))]);
    expect(result.stderr).toMatch(/^t1: INPUT: .*latin1\.py.*\n$/);
    expect(result.code).toBe(2);
  });
});

describe('--batch', () => {
  test('answers every line by its id', async () => {
    const lines = Array.from({ length: 30 }, (_, id) => JSON.stringify({ id, code: `print(${id} * 2)` }));
    const result = await t1(['python', '--batch', file('batch.jsonl', `${lines.join('\n')}\n\n`)]);
    const rows = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.sort((a, b) => a.id - b.id).map(({ id, status, stdout }) => ({ id, status, stdout }))).toEqual(
      lines.map((_, id) => ({ id, status: 'ok', stdout: `${id * 2}\n` })),
    );
    expect(Object.keys(rows[0])).toEqual(['version', 'id', 'status', 'stdout', 'value', 'error', 'ms']);
    expect(result.code).toBe(0);
  });

  test('names the line that cannot be read', async () => {
    const result = await t1(['python', '--batch', file('bad.jsonl', '{"id":1,"code":"1"}\n{"id":2}\n')]);
    expect(result.stderr).toMatch(/^t1: INPUT: .*bad\.jsonl:2: .+\n$/);
    expect(result.code).toBe(2);
  });

  test('a missing file', async () => {
    const result = await t1(['python', '--batch', join(folder.path, 'absent.jsonl')]);
    expect(result.stderr).toMatch(/^t1: FILE_NOT_FOUND: .+\n$/);
    expect(result.code).toBe(2);
  });

  test('file and batch together, or neither, is wrong usage', async () => {
    expect((await t1(['python'])).stderr).toMatch(/^t1: USAGE: .+\n$/);
    expect((await t1(['python', 'x.py', '--batch', 'y.jsonl'])).code).toBe(2);
  });
});

describe('--sandbox', () => {
  test('a value that is none is wrong usage, and names those that are', async () => {
    const result = await t1(['python', '-', '--sandbox', 'docker'], { stdin: '1' });
    expect(result.stderr).toMatch(/^t1: USAGE: --sandbox: must be one of pyodide, cpython, auto, not '.*'\n$/);
    expect(result.code).toBe(2);
  });

  test('auto without any python3 is pyodide, and says so in one line', async () => {
    const result = await t1(['python', '-', '--sandbox', 'auto'], {
      stdin: 'print(6 * 7)',
      environment: { PATH: folder.path, T1_PYTHON: undefined },
    });
    expect(result).toMatchObject({ code: 0, stdout: '42\n' });
    expect(result.stderr).toMatch(/^t1: sandbox: Pyodide [^\n]+\n$/);
  });

  test('cpython without any python3 is an error that says how to mend it', async () => {
    const result = await t1(['python', '-', '--sandbox', 'cpython'], {
      stdin: 'print(6 * 7)',
      environment: { PATH: folder.path, T1_PYTHON: undefined },
    });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^t1: SANDBOX_UNAVAILABLE: .+ --sandbox pyodide\n$/);
  });

  test('an interpreter or packages that are not there are named', async () => {
    const absent = join(folder.path, 'absent');
    const python = await t1(['python', '-', '--sandbox', 'cpython', '--python', absent], { stdin: '1' });
    if (process.platform === 'linux')
      expect(python).toMatchObject({ code: 2, stderr: expect.stringContaining('check --python') as string });
    const packages = await t1(['python', '-', '--sympy', absent], { stdin: '1' });
    expect(packages.stderr).toMatch(/^t1: FILE_NOT_FOUND: --sympy: .+absent.+\n$/);
    expect(packages.code).toBe(2);
  });

  test('a module that is not there is named in --json', async () => {
    const result = await t1(['python', '-', '--json'], { stdin: 'import no_such_module' });
    expect(JSON.parse(result.stdout)).toMatchObject({
      status: 'error',
      error: { type: 'ModuleNotFoundError', missingModule: 'no_such_module' },
    });
  });
});
