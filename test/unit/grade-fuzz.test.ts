/** No text may hang or crash the grader. The seed is fixed. */
import { afterAll, describe, expect, test } from 'vitest';
import { Grader } from '../../src/grade/grader.js';

const TIMEOUT_MS = 1000;
const grader = new Grader({ workers: 1, timeoutMs: TIMEOUT_MS });
afterAll(() => grader.dispose());

const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
const MEGABYTE = 1_000_000;

const HOSTILE: readonly (readonly [string, string])[] = [
  ['a megabyte of digits', '1'.repeat(MEGABYTE)],
  ['a megabyte of bytes that are no text', '\u0000\u0001\ufffd'.repeat(MEGABYTE / 3)],
  ['open boxes', '\\boxed{'.repeat(100_000)],
  ['many boxes', '\\boxed{1},'.repeat(100_000)],
  ['fractions that never end', '\\frac{'.repeat(1500)],
  ['fractions without braces', '\\frac1'.repeat(1600)],
  ['deep brackets', nested('(', ')', 1500)],
  ['deep braces', nested('{', '}', 1500)],
  ['deep roots', nested('\\sqrt{', '}', 300)],
  ['bars', `${'|'.repeat(61)}1`],
  ['a tower of powers', '9**9**9**9'],
  ['a tower of powers in LaTeX', `2${'^{2'.repeat(40)}${'}'.repeat(40)}`],
  ['a long tower', `${'2^'.repeat(2000)}2`],
  ['a factorial', '9999999!'],
  ['factorials of factorials', '((((9!)!)!)!)'],
  ['a long sum', '\\sum_{k=1}^{10^9} k'],
  ['sums in sums', '\\sum_{a=1}^{9999}\\sum_{b=1}^{9999}\\sum_{c=1}^{9999} abc'],
  ['integrals in integrals', `${'\\int_0^1 '.repeat(8)}x${' dx'.repeat(8)}`],
  ['a binomial', '\\binom{1000000000}{500000000}'],
  ['an exponent', '1e999999999'],
  ['a large matrix', `\\begin{pmatrix}${'1&2\\\\'.repeat(1200)}\\end{pmatrix}`],
  ['open matrices', '\\begin{pmatrix}'.repeat(500)],
  ['a long list', Array.from({ length: 2000 }, (_, i) => i * 7).join(', ')],
  ['plus or minus', '(1\\pm '.repeat(900)],
  ['relations', 'x='.repeat(4000)],
  ['ratios', '1:'.repeat(4000)],
  ['a NUL', '\u0000'],
  ['a lone surrogate', '\ud800'],
  ['a lone surrogate in a box', '\\boxed{\udc00}'],
  ['emoji', '😀'.repeat(2000)],
  ['backslashes', '\\'.repeat(9000)],
  ['spaces', `${' '.repeat(9000)}1${' '.repeat(900)}`],
];

describe('hostile texts, on either side, with and without extraction', () => {
  test.each(HOSTILE)('%s', async (_name, text) => {
    for (const [gold, prediction] of [
      ['2', text],
      [text, '2'],
    ] as const) {
      for (const fromText of [false, true]) {
        const { equal } = await grader.grade(gold, prediction, { fromText, kind: 'math' });
        expect(equal).not.toBe(true);
      }
    }
    await grader.grade('A', text, { kind: 'choice' });
  });
});

const CHARACTERS = [...'\\{}()[]^_$,;:|&%+-*/=<>.! 0123456789abxyzAB\n\u0000πé答', '\ud800'];
const COMMANDS = [
  '\\frac',
  '\\sqrt',
  '\\boxed{',
  '\\left',
  '\\text{',
  '\\begin{pmatrix}',
  '\\end{pmatrix}',
  '\\cup',
  '\\pm',
  '\\sum_',
  '\\le',
  '\\in',
  ' and ',
  'answer is ',
  '\\{',
  '^{',
  '\\int_0^1 ',
  '\\sin',
  'dx',
];

test('2,000 texts made of what answers are made of', { timeout: 300_000 }, async () => {
  let seed = 20261123;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % n;
  };
  const piece = () => (random(10) < 3 ? COMMANDS[random(COMMANDS.length)] : CHARACTERS[random(CHARACTERS.length)]);
  const text = () => Array.from({ length: 1 + random(60) }, piece).join('');
  for (let i = 0; i < 2000; i++) {
    const [gold, prediction] = [random(2) === 0 ? '1' : text(), text()];
    const { equal, why } = await grader.grade(gold, prediction, { fromText: random(2) === 0 });
    expect([true, false, null]).toContain(equal);
    expect([gold, prediction, why]).not.toContain('undecided: the comparison failed');
  }
});
