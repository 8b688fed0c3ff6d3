/** What a caller of the sandbox can rely on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProgramRequest, ProgramResult, Sandbox } from '../../src/sandbox/sandbox.js';
import { allSandboxes } from './backends.js';

let sandbox: Sandbox;
/** The limit is generous: only the test of the limit is about time, and the machine may be busy. */
const run = (request: ProgramRequest): Promise<ProgramResult> => sandbox.run({ timeoutMs: 20_000, ...request });

describe.each(allSandboxes)('$name', ({ start }) => {
  beforeAll(async () => {
    sandbox = await start({ workers: 2 });
  });
  afterAll(() => sandbox.dispose());

  describe('a program that ends', () => {
    test('gives what it printed and the repr of its last expression', async () => {
      const result = await run({ code: 'x = 6\nprint("a", "é")\nx * 7' });
      expect(result).toMatchObject({ status: 'ok', stdout: 'a é\n', value: '42', truncated: false, error: null });
      expect(result.ms).toBeGreaterThan(0);
    });

    test.each([
      ['nothing', ''],
      ['a comment', '# only this\n'],
      ['a statement', 'x = 1'],
      ['None', 'None'],
      ['exit()', 'import sys\nsys.exit()'],
      ['exit(0)', 'raise SystemExit(0)'],
    ])('has value null when its end is %s', async (_what, code) => {
      expect(await run({ code })).toMatchObject({ status: 'ok', stdout: '', value: null });
    });

    test('has a long value cut, and says so', async () => {
      const result = await run({ code: '"x" * 5000' });
      expect(result).toMatchObject({ status: 'ok', truncated: true });
      expect(result.value).toHaveLength(4096);
    });
  });

  describe('a program that fails', () => {
    test('gives type, message and line of the exception, and what it printed before', async () => {
      const result = await run({ code: 'print("before")\ndef f():\n    return 1 / 0\nf()' });
      expect(result).toMatchObject({
        status: 'error',
        stdout: 'before\n',
        value: null,
        error: { type: 'ZeroDivisionError', message: 'division by zero', line: 3 },
      });
    });

    test('gives the line of a syntax error', async () => {
      expect(await run({ code: 'x = 1\ny = (' })).toMatchObject({
        status: 'error',
        error: { type: 'SyntaxError', line: 2 },
      });
    });

    test('is an error when it exits with a code', async () => {
      expect(await run({ code: 'import sys\nsys.exit(3)' })).toMatchObject({
        status: 'error',
        error: { type: 'SystemExit', message: '3' },
      });
    });

    test('is named for a module that is not there', async () => {
      const code = 'print("before")\nimport sympy.abc';
      expect(await run({ code })).toMatchObject({
        status: 'error',
        error: { type: 'ModuleNotFoundError', missingModule: 'sympy' },
      });
      expect(await run({ code: '1 / 0' })).toMatchObject({ error: { missingModule: null } });
      expect(await run({ code: 'from math import nothing' })).toMatchObject({
        error: { type: 'ImportError', missingModule: null },
      });
      expect(await run({ code: 'try: import sympy\nexcept ImportError: print("without")' })).toMatchObject({
        status: 'ok',
        stdout: 'without\n',
      });
    });
  });

  describe('limits', () => {
    test('time: the program is killed, and the next one runs', async () => {
      const result = await run({ code: 'while True: pass', timeoutMs: 300 });
      expect(result).toMatchObject({ status: 'timeout', value: null, error: { type: 'Timeout' } });
      expect(await run({ code: 'print(1)' })).toMatchObject({ status: 'ok', stdout: '1\n' });
    });

    test('memory: MemoryError is status memory, also when the cap is lower', async () => {
      await using small = await start({ workers: 1, memoryBytes: 96 * 1024 * 1024 });
      const code = 'x = bytearray(200 * 1024 * 1024)\nprint(len(x))';
      expect(await small.run({ code, timeoutMs: 20_000 })).toMatchObject({
        status: 'memory',
        error: { type: 'MemoryError' },
      });
      expect(await run({ code })).toMatchObject({ status: 'ok', stdout: '209715200\n' });
    });

    test('output: exactly the limit is kept, one byte more is status output', async () => {
      const at = (count: number) => run({ code: `print("x" * ${count}, end="")`, outputBytes: 1000 });
      expect(await at(1000)).toMatchObject({ status: 'ok', stdout: 'x'.repeat(1000), truncated: false });
      expect(await at(1001)).toMatchObject({ status: 'output', stdout: 'x'.repeat(1000), truncated: true });
    });

    test('output: a character that the limit cuts in two is left out', async () => {
      expect(await run({ code: 'print("aé" * 10)', outputBytes: 2 })).toMatchObject({ status: 'output', stdout: 'a' });
    });

    test('output: a program cannot catch its way past the limit', async () => {
      const code = 'for i in range(100):\n  try: print("x" * 1000, flush=True)\n  except OSError: pass\nprint("end")';
      expect(await run({ code, outputBytes: 2000 })).toMatchObject({ status: 'output', truncated: true });
    });

    test.each([{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { outputBytes: -1 }, { seed: 1.5 }])(
      '%o is refused',
      async (limit) => {
        await expect(run({ code: '1', ...limit })).rejects.toThrow(RangeError);
      },
    );
  });

  describe('odd input has a clear result', () => {
    test('a program of 1 MB runs', async () => {
      const code = `x = "${'é'.repeat(500_000)}"\nprint(len(x))`;
      expect(await run({ code })).toMatchObject({ status: 'ok', stdout: '500000\n' });
    });

    test('a larger one is refused unrun', async () => {
      expect(await run({ code: '#'.repeat(1024 * 1024 + 1) })).toMatchObject({
        status: 'error',
        error: { type: 'ProgramTooLarge' },
      });
    });

    test('NUL bytes are an error before anything runs', async () => {
      // Which one, was changed within Python 3.11.
      const type = expect.stringMatching(/^(SyntaxError|ValueError)$/) as string;
      expect(await run({ code: 'print("before")\nprint("a\0b")' })).toMatchObject({
        status: 'error',
        stdout: '',
        error: { type },
      });
    });

    test('a lone surrogate is refused unrun, with its line', async () => {
      expect(await run({ code: 'x = 1\nprint("\ud800")' })).toMatchObject({
        status: 'error',
        error: { type: 'UnicodeEncodeError', line: 2 },
      });
    });
  });

  describe('programs do not see each other', () => {
    test('names, modules and builtins are as at the start', async () => {
      await run({ code: 'import builtins, math, sys\nleft = 1\nbuiltins.len = None\nmath.pi = 3\nsys.path.clear()' });
      for (let i = 0; i < 4; i++) {
        const code = 'import math, fractions, hashlib\nprint(len("ab"), math.pi > 3.1, "left" in globals())';
        expect(await run({ code })).toMatchObject({ status: 'ok', stdout: '2 True False\n' });
      }
    });

    test('random follows the seed of the request', async () => {
      const draw = async (seed?: number) => (await run({ code: 'import random\nrandom.random()', seed })).value;
      expect(await draw(1)).toBe('0.13436424411240122');
      expect(await draw(1)).toBe(await draw(1));
      expect(await draw(2)).not.toBe(await draw(1));
      expect(await draw()).toBe(await draw(0));
    });

    test('sets of strings print in the same order in every process', async () => {
      const code = 'print({"apple", "pear", "plum", "fig", "kiwi"})';
      await using other = await start({ workers: 1 });
      expect((await other.run({ code, timeoutMs: 20_000 })).stdout).toBe((await run({ code })).stdout);
    });
  });
});
