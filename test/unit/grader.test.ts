/** The grader: the cheap way, the workers, their limits. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { T1Error } from '../../src/errors.js';
import { Grader } from '../../src/grade/grader.js';
import { JudgePool } from '../../src/grade/worker-pool.js';

const grader = new Grader({ workers: 1, timeoutMs: 5000 });
afterAll(() => grader.dispose());

/** The code that a promise is rejected with. */
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof T1Error ? error.code : error),
  );

/** The parser needs time exponential in these bars. */
const HANGS = `${'|'.repeat(61)}1`;

describe('grade', () => {
  test('says what was extracted and why', async () => {
    expect(await grader.grade('1000', 'The answer is 1,000.')).toEqual({
      equal: true,
      extracted: '1,000',
      why: 'the same number',
    });
    expect(await grader.grade('x^2-1', '(x-1)(x+1)')).toEqual({
      equal: true,
      extracted: '(x-1)(x+1)',
      why: 'the same expression',
    });
  });

  test('of a whole solution only the extracted answer counts', async () => {
    const text = 'She buys 5 apples and then gets 7 more.';
    expect(await grader.grade('5', text, { fromText: true })).toMatchObject({ equal: false, extracted: '7' });
    expect(
      await grader.grade('4', 'I have no idea at all. Who could know what this should be?', { fromText: true }),
    ).toMatchObject({ equal: false, extracted: null });
  });

  test.each([
    ['no gold', null, '0'],
    ['no prediction', '0', null],
    ['an empty gold', ' ', ' '],
    ['an empty prediction', '5', ''],
  ])('%s: not equal', async (_name, gold, prediction) =>
    expect((await grader.grade(gold, prediction)).equal).toBe(false),
  );

  test.each([
    ['a letter and prose', 'C', 'I think that the answer is C', 'auto', true],
    ['a letter and another', 'C', 'The answer is (D).', 'auto', false],
    ['letters that are maths', 'E', 'E = mc^2 + A', 'auto', false],
    ['an option with its text', '(D) Alina', 'D', 'auto', true],
    ['an option with its text, as a choice', 'A Peter', 'A', 'choice', true],
    ['a letter as maths', 'B', 'B+A', 'math', false],
  ] as const)('%s', async (_name, gold, prediction, kind, equal) =>
    expect((await grader.grade(gold, prediction, { kind })).equal).toBe(equal),
  );

  test('a choice without any letter in gold is undecided', async () => {
    expect(await grader.grade('42', 'B', { kind: 'choice' })).toMatchObject({ equal: null, extracted: 'B' });
  });

  test('an answer of megabytes is undecided, unless it is the same text', async () => {
    const long = `x^{${'2+'.repeat(500_000)}1}`;
    expect(await grader.grade(`\\boxed{${long}}`, '5')).toMatchObject({ equal: null });
    expect(await grader.grade(`\\boxed{${long}}`, `\\boxed{${long}}`)).toMatchObject({ equal: true });
  });

  test.each([{ decimals: -1 }, { decimals: 0.5 }, { choices: 0 }, { choices: 27 }])(
    'options out of range: %j',
    async (options) => {
      expect(await codeOf(grader.grade('1', '1', options))).toBe('USAGE');
    },
  );

  test('limits out of range', () =>
    expect(() => new Grader({ timeoutMs: 0 })).toThrow(expect.objectContaining({ code: 'USAGE' })));
});

describe('plain numbers', () => {
  test.each([
    ['-5', '−5.0', true],
    ['-5', '5', false],
    ['1/2', '0.50', true],
    ['\\frac{-1}{2}', '-1/2', true],
    ['1,234,567', '$1{,}234{,}567$', true],
    ['12345678901234567890', '12345678901234567891', false],
    ['0.1', '.1', true],
    ['1,23', '123', false],
    ['0,111', '0.111', true],
  ])('%s and %s: %s', async (gold, prediction, equal) => {
    expect((await grader.grade(gold, prediction)).equal).toBe(equal);
    expect((await grader.grade(prediction, gold)).equal).toBe(equal);
  });
});

/** An honest comparison stays below it on a busy machine too. */
const LIMIT_MS = 3000;

describe('workers', () => {
  test('a comparison that takes too long is undecided, and the next one is answered', async () => {
    await using impatient = new Grader({ workers: 1, timeoutMs: LIMIT_MS });
    const [first, second] = await Promise.all([impatient.grade('2', HANGS), impatient.grade('x+y', 'y+x')]);
    expect(first).toMatchObject({ equal: null, why: expect.stringContaining(`${LIMIT_MS} ms`) as string });
    expect(second.equal).toBe(true);
  });

  test('results come in the order of the pairs', async () => {
    await using impatient = new Grader({ workers: 2, timeoutMs: LIMIT_MS });
    const pairs = [
      { gold: '2', prediction: HANGS },
      { gold: '1', prediction: '1.0' },
      { gold: 'a+b', prediction: 'b+a' },
      { gold: '3', prediction: '4' },
    ];
    const results = [];
    for await (const { equal } of impatient.gradeAll(pairs)) results.push(equal);
    expect(results).toEqual([null, true, true, false]);
  });

  test('pairs that are done leave nothing behind, however many there are', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = (): number => (collect(), process.memoryUsage().heapUsed);
    const source = function* (count: number) {
      for (let i = 0; i < count; i++) yield { gold: '1', prediction: `${i % 7}` };
    };
    let [graded, before, after] = [0, 0, 0];
    for await (const _ of grader.gradeAll(source(101_000))) {
      graded++;
      if (graded === 1000) before = heap();
      if (graded === 101_000) after = heap(); // the generator, and whatever it holds, is still there
    }
    expect(graded).toBe(101_000);
    expect((after - before) / 100_000).toBeLessThan(50); // bytes for each pair
  });

  test('a source is read no further ahead than the workers need', async () => {
    let read = 0;
    const endless = (function* () {
      for (;;) yield { gold: 'a+b', prediction: `b+a+${read++ % 2}` };
    })();
    let seen = 0;
    for await (const grade of grader.gradeAll(endless)) {
      expect(grade.equal).toBe(seen % 2 === 0);
      if (++seen === 50) break;
    }
    expect(read).toBeLessThanOrEqual(50 + 8);
  });

  test('an abort ends what runs and what waits', async () => {
    await using waiting = new Grader({ workers: 1, timeoutMs: 60_000 });
    const controller = new AbortController();
    const gradings = [HANGS, HANGS].map((prediction) =>
      codeOf(waiting.grade('2', prediction, { signal: controller.signal })),
    );
    setTimeout(() => controller.abort(), 200);
    expect(await Promise.all(gradings)).toEqual(['ABORTED', 'ABORTED']);
    expect((await waiting.grade('a+b', 'b+a')).equal).toBe(true);
    expect(await codeOf(waiting.grade('a+b', 'b+a', { signal: controller.signal }))).toBe('ABORTED');
  });

  test('disposal ends what runs', async () => {
    const gone = new Grader({ workers: 1, timeoutMs: 60_000 });
    const grading = codeOf(gone.grade('2', HANGS));
    await gone.dispose();
    expect(await grading).toBe('DISPOSED');
    expect(await codeOf(gone.grade('a+b', 'b+a'))).toBe('DISPOSED');
  });
});

test('plain numbers need no worker', async () => {
  const judge = vi.spyOn(JudgePool.prototype, 'judge');
  for (let i = 0; i < 100; i++) expect((await grader.grade(String(i), `${i}.0`)).equal).toBe(true);
  expect(judge).not.toHaveBeenCalled();
  await grader.grade('a+b', 'b+a');
  expect(judge).toHaveBeenCalledOnce();
  judge.mockRestore();
});
