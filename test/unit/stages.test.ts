/** The small pure functions between the stages. */
import { describe, expect, test } from 'vitest';
import { sampleSeed } from '../../src/generate/seeds.js';
import { parseOptions } from '../../src/options.js';
import { MAX_PROBLEM_BYTES, parseProblem } from '../../src/problem/problem.js';
import { goodShare } from '../../src/reward/verdict-words.js';
import type { ProgramRun } from '../../src/types.js';
import { extractCode } from '../../src/verify/extract-code.js';
import { opinionOf } from '../../src/verify/math.js';
import { judge } from '../../src/verify/opinion-rules.js';
import { codeOf } from '../support/code-of.js';

describe('extractCode', () => {
  test.each([
    ['```python\nprint(1)\n```', 'print(1)'],
    ['Here:\n```py\na = 1\nprint(a)\n```\nand ```python\nprint(2)\n```', 'a = 1\nprint(a)'],
    ['```\nprint(True)\n```', 'print(True)'],
    ['```python\nprint(True)', 'print(True)'],
    ['print(True)', null],
    ['```python\n\n```', null],
    ['```python', null],
    ['', null],
  ])('%j gives %j', (text, code) => expect(extractCode(text)).toBe(code));
});

describe('judge', () => {
  const run = (status: ProgramRun['status'], stdout: string): ProgramRun => ({ code: 'x', status, stdout, ms: 1 });
  test.each<[string, ProgramRun[], string]>([
    ['one clean True among failures', [run('ok', 'False\n'), run('error', ''), run('ok', 'True\n')], 'pass'],
    ['only False', [run('ok', 'False\n')], 'fail'],
    ['False and a crash', [run('died', ''), run('ok', 'False')], 'fail'],
    [
      'a crash is not a refutation',
      [run('error', ''), run('timeout', ''), run('memory', ''), run('died', '')],
      'unknown',
    ],
    ['True before a crash is not clean', [run('error', 'True\n')], 'unknown'],
    ['more than the word', [run('ok', 'True\nTrue\n'), run('ok', 'the answer is True')], 'unknown'],
    ['another case of the word', [run('ok', 'true')], 'unknown'],
    ['no program', [], 'unknown'],
    ['a reply without a program', [{ code: null, status: 'missing', stdout: '', ms: 0 }], 'unknown'],
  ])('%s', (_name, programs, verdict) => expect(judge(programs.map(opinionOf), 'any')).toBe(verdict));

  const said = (text: string) => [...text].map((word) => run('ok', { t: 'True', f: 'False' }[word] ?? 'perhaps'));
  test.each([
    ['any', 'fft', 'pass'],
    ['all', 'tt', 'pass'],
    ['all', 'tt?', 'unknown'],
    ['all', 'tf?', 'fail'],
    ['all', 'ttf', 'fail'],
    ['majority', 'ttf', 'pass'],
    ['majority', 'tf?', 'fail'],
    ['majority', 'ff?', 'fail'],
    ['all', '???', 'unknown'],
  ] as const)('%s of %s', (rule, text, verdict) => expect(judge(said(text).map(opinionOf), rule)).toBe(verdict));
});

describe('goodShare', () => {
  test('is P(good) / (P(good) + P(bad))', () => {
    expect(goodShare(Float32Array.of(Math.log(0.3), Math.log(0.1)), 1)).toBeCloseTo(0.75, 6);
    expect(goodShare(Float32Array.of(Math.log(0.1), Math.log(0.2), Math.log(0.1)), 2)).toBeCloseTo(0.75, 6);
  });
  test('stays exact where both are far below what a double can hold', () => {
    expect(goodShare(Float32Array.of(-2000, -2000 - Math.log(3)), 1)).toBeCloseTo(0.75, 3);
  });
  test('refuses what is no number', () => {
    expect(codeOf(() => goodShare(Float32Array.of(Number.NaN, 0), 1))).toBe('DECODE_FAILED');
    expect(codeOf(() => goodShare(Float32Array.of(-Infinity, -Infinity), 1))).toBe('DECODE_FAILED');
  });
});

describe('sampleSeed', () => {
  test('gives every sample of neighbouring bases a seed of its own', () => {
    const seeds = new Set<number>();
    for (let base = 0; base < 50; base++) for (let index = 0; index < 256; index++) seeds.add(sampleSeed(base, index));
    expect(seeds.size).toBe(50 * 256);
  });
  test('does not depend on how many samples are drawn', () => {
    expect([0, 1, 2].map((index) => sampleSeed(7, index))).toEqual([0, 1, 2].map((index) => sampleSeed(7, index)));
    for (const seed of [sampleSeed(0, 0), sampleSeed(0xffffffff, 255)]) expect(seed).toBe(seed >>> 0);
  });
});

describe('parseProblem', () => {
  test('trims', () => expect(parseProblem('  2 + 2?\n')).toEqual({ text: '2 + 2?' }));
  test.each([[''], [' \n\t'], ['x'.repeat(MAX_PROBLEM_BYTES + 1)], ['a\u0000b']])('refuses %#', (text) => {
    expect(codeOf(() => parseProblem(text))).toBe('INPUT');
  });
});

describe('parseOptions', () => {
  test("has the paper's defaults", () => {
    expect(parseOptions({})).toMatchObject({
      samples: 16,
      temperature: 0.8,
      topK: 0,
      topP: 1,
      minP: 0,
      select: 'weighted',
      fallback: 'reward',
    });
  });
  test.each([
    { samples: 0 },
    { samples: 65_537 },
    { samples: 1.5 },
    { samples: Number.NaN },
    { seed: -1 },
    { temperature: -0.1 },
    { topP: 0 },
    { topP: 1.1 },
    { minP: 2 },
    { maxTokens: 0 },
    { programs: 0 },
    { select: 'best' },
    { fallback: 'guess' },
    { sampels: 3 },
  ])('refuses %j', (settings) => {
    expect(codeOf(() => parseOptions(settings as object))).toBe('USAGE');
  });
  test('says what may be and what was given', () => {
    expect(() => parseOptions({ samples: 100_000 })).toThrow(
      'samples: must be a whole number from 1 to 65536, not 100000',
    );
  });
});
