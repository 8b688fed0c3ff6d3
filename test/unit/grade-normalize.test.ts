import { describe, expect, test } from 'vitest';
import { extractBoxed } from '../../src/grade/boxed.js';
import { normalizeAnswer, sameAnswer } from '../../src/grade/normalize.js';

describe('extractBoxed', () => {
  test.each([
    ['Step 1: 1 + 1 = 2\nThe answer is \\boxed{2}.', '2'],
    ['\\boxed{1} no, \\boxed{ 3 }', '3'],
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['\\boxed{\\text{a {b} c}} done', '\\text{a {b} c}'],
    ['first \\boxed{7}, then cut off \\boxed{12', '7'],
    ['\\boxed{}', null],
    ['The answer is 5.', null],
    ['', null],
  ])('%j gives %j', (text, answer) => expect(extractBoxed(text)).toBe(answer));

  test('unbalanced braces in a long text do not take quadratic time to give up', () => {
    expect(extractBoxed('\\boxed{'.repeat(20_000))).toBeNull();
  });
});

describe('normalizeAnswer', () => {
  test.each([
    ['42', ' $42$ '],
    ['42', '42.'],
    ['42', '042.0'],
    ['1000', '1,000'],
    ['1234567', '1{,}234{,}567'],
    ['0', '-0.00'],
    ['0.5', '.50'],
    ['1/2', '\\dfrac{2}{4}'],
    ['-1/2', '-\\frac{1}{2}'],
    ['-1/2', '\\frac{1}{-2}'],
    ['3', '6/2'],
    ['blue', '\\text{Blue}'],
    ['123456789012345678901234567890', '123,456,789,012,345,678,901,234,567,890'],
  ])('%j is the normal form of %j', (normal, answer) => expect(normalizeAnswer(answer)).toBe(normal));

  test.each([
    ['1', '1.5'],
    ['12', '1,2'],
    ['1/0', '0'],
    ['5', '-5'],
    ['x', 'y'],
  ])('%j and %j stay apart', (a, b) => expect(sameAnswer(a, b)).toBe(false));
});
