/** Where the answer stands in a solution. */
import { describe, expect, test } from 'vitest';
import { choiceOfAnswer, extractChoice } from '../../src/grade/choice.js';
import { extractAnswer } from '../../src/grade/extract.js';
import { cpuTimeOf } from '../support/cpu-time.js';

describe('extractAnswer', () => {
  test.each([
    ['a box', 'so $x = \\boxed{\\frac{3}{4}}$.', '\\frac{3}{4}'],
    ['the last box', '\\boxed{1}, wait. That was wrong: \\boxed{2}', '2'],
    ['boxes that belong together', '\\boxed{2} and \\boxed{3}', '2, 3'],
    ['boxes in a formula each', '\\[ \\boxed{(1,2)} \\quad \\text{or} \\quad \\boxed{(3,4)} \\]', '(1,2), (3,4)'],
    ['a box that is cut off', 'so \\boxed{12', '12'],
    [
      'a final answer behind the box',
      'We get \\boxed{255}. So $10,455. Final Answer: The final answer is $10,455$. I hope it is correct.',
      '10,455',
    ],
    ['a box behind the final answer', 'Final answer: see below. \\boxed{7}', '7'],
    ['a stated answer', 'The answer is 42. There were 50 at first.', '42'],
    ['a stated answer in words', 'So the answer is Tuesday.', 'Tuesday'],
    ['of several the last', 'The answer is 4. No: the answer is 5.', '5'],
    ['a stated calculation', 'The answer is 3 + 4 = 7.', '3 + 4 = 7'],
    ['a name before the number', 'Final Answer: The area of $ABCD$ is 120. I hope it is correct.', '120'],
    ['GSM8K', 'She has 2+3=<<2+3=5>>5 left.\n#### 1,205', '1,205'],
    ['the last formula', 'Thus we find that the point is $(7, 6)$.', '(7, 6)'],
    ['the last number behind a formula', 'There are 2 values of $f(x)$ for each, so 19 points', '19'],
    ['a fraction in prose', 'Then Alice wins the game with probability 2/3.', '2/3'],
    ['a chat mark', 'We conclude that it was 2/3. <|im_start|>user', '2/3'],
    ['after thinking', '<think>Is it \\boxed{1}?</think> It is \\boxed{2}.', '2'],
    ['French', 'La réponse est 42 euros.', '42'],
    ['German', 'Die Antwort lautet: 17 Äpfel.', '17'],
    ['Chinese', '所以一共有858颗糖果。答案是858。', '858'],
    ['Chinese without spaces', '因此总共有99颗弹珠。', '99'],
    ['Russian', 'Ответ: 15 яблок', '15'],
    ['dollars are no formula', 'it costs $5 and they pay about 12$', '12'],
    ['an answer alone', '\\frac{4}{23}', '\\frac{4}{23}'],
    ['an answer with a unit alone', '64 square feet', '64 square feet'],
    [
      'a long formula alone',
      Array.from({ length: 120 }, (_, i) => `(${i}, ${i + 1})`).join(','),
      Array.from({ length: 120 }, (_, i) => `(${i}, ${i + 1})`).join(','),
    ],
    ['nothing', 'I do not know how to do this at all. Sorry about that.', null],
    ['empty', ' \n ', null],
  ])('%s', (_name, text, answer) => expect(extractAnswer(text)).toBe(answer));
});

describe('extractChoice', () => {
  test.each([
    ['stated', 'The answer is (C). Not (D).', 10, 'C'],
    ['the first that is stated', 'The answer is A. Or rather, the answer is B.', 10, 'A'],
    ['labelled', 'Reasoning about B.\nAnswer: D\nBecause of C', 10, 'D'],
    ['the last of the first line', 'answer: A or answer: B\nAnswer: C', 10, 'B'],
    ['a label with a line break behind it', 'Answer:\n\n  E', 10, 'E'],
    ['a label before a label', 'Answer: Answer: B', 10, 'B'],
    ['the last that stands alone', 'It is B or C, I say C! DNA', 10, 'C'],
    ['not within other letters', 'éA 选B项 C_1', 10, null],
    ['with fewer options', 'The answer is (E). B', 4, 'B'],
    ['with more options', 'The answer is (P)', 16, 'P'],
    ['no letter', 'no idea', 10, null],
  ])('%s', (_name, text, choices, letter) => expect(extractChoice(text, { choices })).toBe(letter));

  /** The expressions of TIGER-AI-Lab/MMLU-Pro as they are; the last one takes minutes on long texts. */
  const original = (text: string): string | null =>
    /answer is \(?([A-J])\)?/.exec(text)?.[1] ??
    /.*[aA]nswer:\s*([A-J])/.exec(text)?.[1] ??
    /\b[A-J]\b(?!.*\b[A-J]\b)/s.exec(text)?.[0] ??
    null;

  test("is what the benchmark's own expressions find, in texts made of what they look for", () => {
    const pieces = [
      'answer is ',
      '(',
      ')',
      'A',
      'B',
      'J',
      'K',
      'Answer:',
      'answer:',
      ' ',
      '\n',
      'x',
      '.',
      '_',
      '5',
      'A nswer',
    ];
    let seed = 1;
    const random = (n: number) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n;
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: 1 + random(12) }, () => pieces[(random(1 << 16) >> 4) % pieces.length]).join(
        '',
      );
      expect([text, extractChoice(text)]).toEqual([text, original(text)]);
    }
  });

  test('refuses numbers of options that there are no letters for', () =>
    expect(() => extractChoice('A', { choices: 27 })).toThrow(RangeError));
});

test.each([
  ['(B)', 'B'],
  ['\\boxed{\\text{C}}', 'C'],
  ['(D) Alina', 'D'],
  ['B. 12 apples', 'B'],
  ['A dog and B', 'B'],
  ['I think it is C', 'C'],
  ['The answer is for sure D, it cannot be A', 'D'],
  ['B。 不是 A', 'B'],
  ['none', null],
])('the choice of the short answer %j is %j', (answer, letter) => expect(choiceOfAnswer(answer)).toBe(letter));

test.each([
  ['boxes that never close', '\\boxed{'.repeat(150_000)],
  ['dollars', '$'.repeat(1_000_000)],
  ['labels', 'answer:\n'.repeat(120_000)],
  ['a label and spaces', `answer:${' '.repeat(1_000_000)}`],
  ['letters that stand alone', 'A '.repeat(500_000)],
  ['cues', 'the answer is '.repeat(70_000)],
  ['digits', '1'.repeat(1_000_000)],
  ['words', 'abc '.repeat(250_000)],
])('a megabyte of %s is searched in linear time', (_name, text) => {
  const searching = (): void => {
    extractAnswer(text);
    extractChoice(text);
  };
  expect(cpuTimeOf(searching)).toBeLessThan(3000);
});
