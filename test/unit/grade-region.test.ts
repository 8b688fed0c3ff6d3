/** Sets of real numbers are the same however they are written. Every pair is tried in both directions. */
import { describe, expect, test } from 'vitest';
import { judge } from '../../src/grade/judge.js';

const EXACT = { decimals: null };
const verdicts = (a: string, b: string) => [judge(a, b, EXACT).equal, judge(b, a, EXACT).equal];

test.each([
  [String.raw`x \in \mathbb{R}`, 'all real numbers'],
  [String.raw`x \neq 3`, String.raw`(-\infty,3)\cup(3,\infty)`],
  [String.raw`x \neq 3`, String.raw`\mathbb{R}\setminus\{3\}`],
  [String.raw`x \neq 1, 2`, String.raw`\mathbb{R}\setminus\{1,2\}`],
  [String.raw`x \neq 1 \text{ and } x \neq 2`, String.raw`(-\infty,1)\cup(1,2)\cup(2,\infty)`],
  [String.raw`x < 3 \text{ or } x > 3`, String.raw`x \ne 3`],
  [String.raw`\{x : x \neq 2\}`, String.raw`(-\infty,2)\cup(2,\infty)`],
  ['|x|<3', '-3<x<3'],
  [String.raw`|x-2| \le 1`, '[1,3]'],
  [String.raw`|2x-1| \geq 3`, String.raw`(-\infty,-1]\cup[2,\infty)`],
  [String.raw`|x| \ne 2`, String.raw`x \ne 2 \text{ and } x \ne -2`],
  ['|x|>2', 'x<-2, x>2'],
  ['1<|x|<2', String.raw`(-2,-1)\cup(1,2)`],
  ['2x+1>3', String.raw`(1,\infty)`],
  ['1-2x>3', String.raw`(-\infty,-1)`],
  ['x>1 and x<3', '1<x<3'],
  [String.raw`x>1 \land x<3`, '(1,3)'],
  [String.raw`x<1 \lor x>3`, String.raw`x>3 \vee x<1`],
  [String.raw`x \geq 1, x \neq 2`, String.raw`[1,2)\cup(2,\infty)`],
  ['x = 3 or x > 5', String.raw`\{3\}\cup(5,\infty)`],
  ['x>1 or x<3', String.raw`\mathbb{R}`],
  [String.raw`[0,2]\cup[1,3]`, '[0,3]'],
  [String.raw`[0,1]\cup(1,2]`, '[0,2]'],
  [String.raw`[0,1]\cap[1,2]`, String.raw`\{1\}`],
  [String.raw`\{1\}\cup\{2\}`, String.raw`\{1,2\}`],
  [String.raw`\{1\}\cup\emptyset`, String.raw`\{1\}`],
  [String.raw`x \in (1,2)\cup(2,3)`, String.raw`1<x<3, x \ne 2`],
  [String.raw`x > \sqrt{2}`, String.raw`(\sqrt2,\infty)`],
])('the same: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

test.each([
  ['x>1', String.raw`x \ge 1`],
  ['x>1', 'y>1'],
  ['x>a', 'x<a'],
  [String.raw`x \neq 0`, String.raw`x \neq 1`],
  [String.raw`[0,1)\cup(1,2]`, '[0,2]'],
  ['(1,2)', String.raw`(1,2)\cup(2,3)`],
  ['x>1 and x<3', String.raw`\mathbb{R}`],
  [String.raw`x > \sqrt{2}`, String.raw`(1.41421356,\infty)`],
  ['x^2>1', 'x<-1 or x>1'], // the same, but squares are not solved
  ['a>0 and b>0', 'a>0'],
  ['x^2>2', String.raw`(2,\infty)`],
  ['3', 'x>3'],
  ['|x|<-1', '-1<x<1'],
  ['|x|>x', 'x<0 or x>1'],
])('different: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

test.each([[String.raw`p \land q`, String.raw`p \lor q`]])('operators of logic are no lists: %s, %s', (a, b) =>
  expect(verdicts(a, b)).not.toContain(true),
);

test('what has units is not computed', () =>
  expect([
    ...verdicts(String.raw`x \ne 5 \text{ cm}`, String.raw`(-\infty,5)\cup(5,\infty)`),
    ...verdicts(String.raw`[0 km, 5 km] \cup (5 km, 7 km]`, '[0,7]'),
    ...verdicts('[0 km, 5 km]', String.raw`0 \le x \le 5 m`),
    ...verdicts('x > 5 km', 'x > 5 m'),
  ]).not.toContain(true));

test('more than fifty parts are not put together', () => {
  const upTo = (last: number) => String.raw`\{${Array.from({ length: last }, (_, i) => i + 1).join(',')}\}`;
  expect(verdicts(String.raw`${upTo(50)}\cup\emptyset`, upTo(50))).toEqual([true, true]);
  expect(verdicts(String.raw`${upTo(51)}\cup\emptyset`, upTo(51))).not.toContain(true);
});

test('ends round with --decimals only', () => {
  expect(judge(String.raw`x \ne 0.667`, String.raw`(-\infty,\frac23)\cup(\frac23,\infty)`, EXACT).equal).toBe(false);
  expect(judge(String.raw`x \ne 0.667`, String.raw`(-\infty,\frac23)\cup(\frac23,\infty)`, { decimals: 3 }).equal).toBe(
    true,
  );
});

describe('random unions, intersections and differences', () => {
  /** A set as its intervals with ends 0 … 8, written, and which of the points 0, ½, 1 … 8 are in it. */
  interface Sample {
    readonly text: string;
    readonly points: readonly boolean[];
  }
  const random = (() => {
    let state = 20_261_123;
    return (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  })();
  const POINTS = Array.from({ length: 17 }, (_, i) => i / 2);

  function interval(): Sample {
    const low = random(8);
    const high = low + 1 + random(8 - low);
    const [left, right] = [random(2) === 1, random(2) === 1];
    return {
      text: `${left ? '[' : '('}${low},${high}${right ? ']' : ')'}`,
      points: POINTS.map((x) => (x > low && x < high) || (left && x === low) || (right && x === high)),
    };
  }

  const OPERATORS = [
    ['\\cup', (a: boolean, b: boolean) => a || b],
    ['\\cap', (a: boolean, b: boolean) => a && b],
    ['\\setminus', (a: boolean, b: boolean) => a && !b],
  ] as const;

  function sample(): Sample {
    const [operator, holds] = OPERATORS[random(3)] ?? OPERATORS[0];
    const parts = [interval(), interval(), ...(random(2) === 1 ? [interval()] : [])];
    return {
      text: parts.map(({ text }) => text).join(operator === '\\setminus' ? ' \\setminus ' : ` ${operator} `),
      points: POINTS.map((_, i) => parts.map(({ points }) => points[i] === true).reduce(holds)),
    };
  }

  /**
   * The plainest way to write a set of points: its runs, one by one. Ends are whole numbers, so that halves show what
   * is between.
   */
  function written(points: readonly boolean[]): string {
    const runs: string[] = [];
    for (let i = 0; i < points.length; i++) {
      if (points[i] !== true) continue;
      let j = i;
      while (points[j + 1] === true) j++;
      if (i === j && i % 2 === 0) runs.push(`\\{${i / 2}\\}`);
      else
        runs.push(`${i % 2 === 0 ? `[${i / 2}` : `(${(i - 1) / 2}`},${j % 2 === 0 ? `${j / 2}]` : `${(j + 1) / 2})`}`);
      i = j;
    }
    return runs.length === 0 ? '\\emptyset' : runs.join(' \\cup ');
  }

  test('are the same as what they amount to, and different from everything else', () => {
    for (let i = 0; i < 1500; i++) {
      const [a, b] = [sample(), sample()];
      expect([a.text, judge(written(a.points), a.text, EXACT).equal]).toEqual([a.text, true]);
      const equal = a.points.join() === b.points.join();
      expect([a.text, b.text, judge(a.text, b.text, EXACT).equal]).toEqual([a.text, b.text, equal]);
    }
  });
});
