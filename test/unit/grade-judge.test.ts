/** What counts as the same answer, kind by kind. Every pair is tried in both directions. */
import { describe, expect, test } from 'vitest';
import { judge } from '../../src/grade/judge.js';

const EXACT = { decimals: null };
const verdicts = (a: string, b: string) => [judge(a, b, EXACT).equal, judge(b, a, EXACT).equal];

describe('the same', () => {
  test.each([
    [String.raw`3\frac{1}{2}`, '7/2'],
    ['3 1/2', '3.5'],
    [String.raw`-2\frac{1}{4}`, '-9/4'],
    [String.raw`\frac12`, '0.5'],
    [String.raw`5\sqrt{2}`, String.raw`\sqrt{50}`],
    [String.raw`\frac{1}{\sqrt{2}}`, String.raw`\frac{\sqrt{2}}{2}`],
    [String.raw`\ln 4`, String.raw`2\ln 2`],
    ['5!', '120'],
    [String.raw`\binom{5}{2}`, '10'],
    [String.raw`\log_2 8`, '3'],
    ['2:3', String.raw`\frac{2}{3}`],
    ['1{,}234{,}567', '1234567'],
    [String.raw`1\,234\,567`, '1,234,567'],
    ['1 234 567', '1234567'],
    [String.raw`2.5 \times 10^{-3}`, '0.0025'],
    [String.raw`-\frac{1}{2}`, '-0.5'],
    [String.raw`\frac{-1}{2}`, String.raw`-\frac{1}{2}`],
    [String.raw`0.1\overline{6}`, '1/6'],
    ['three', '3'],
    [String.raw`\text{Twelve}`, '12'],
    ['zero', '0'],
    ['twenty', '20 apples'],
    [String.raw`0.1\dot{6}`, '1/6'],
    [String.raw`0.\dot{1}4285\dot{7}`, '1/7'],
    ['|{-5}|', '5'],
    ['2^{10}', '1024'],
    ['2^10', '1024'],
    ['sqrt(3)/2', String.raw`\frac{\sqrt{3}}{2}`],
    ['pi/4', String.raw`\frac{\pi}{4}`],
    [String.raw`\boxed{7}`, '7'],
    ['١٢٣', '123'],
    ['１２３', '123'],
    ['12,5', '12.5'],
    ['10^{100}', '10^{100}'],
    ['{5}', '5'],
    [String.raw`\tan^{-1}(1)`, String.raw`\frac{\pi}{4}`],
    [String.raw`2\sqrt{3}+3\sqrt{2}`, String.raw`\sqrt{12}+\sqrt{18}`],
    ['0.333333333333', '333333333333/1000000000000'],
    [String.raw`\log(100)`, '2'],
    ['123_{8}', '123_8'],
    [String.raw`10\,000`, '10000'],
  ])('numbers: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    [String.raw`\sqrt[3]{8}`, '2'],
    [String.raw`\{1,2,3\}`, '3,2,1'],
    [String.raw`x<-1 \text{ or } x>1`, String.raw`(-\infty,-1)\cup(1,\infty)`],
    [String.raw`1\le x\le 2`, '[1,2]'],
    [String.raw`x\geq 2`, String.raw`[2,\infty)`],
    [String.raw`x \in \{1,2\}`, String.raw`\{2,1\}`],
    [String.raw`\mathbb{R}\setminus\{0\}`, String.raw`\mathbb{R} \backslash \{0\}`],
    [String.raw`(-\infty,\infty)`, String.raw`\mathbb{R}`],
    [String.raw`\emptyset`, String.raw`\{\}`],
    ['x>3', '3<x'],
    ['2x > 6', 'x>3'],
    [String.raw`\left\lfloor 3.7 \right\rfloor`, '3'],
    [String.raw`\{x \mid x > 2\}`, String.raw`(2,\infty)`],
    [String.raw`\{ x : 1 < x \le 5 \}`, '(1,5]'],
    ['[-2,3)', String.raw`-2 \le x < 3`],
    [String.raw`n\pi, n\in\mathbb{Z}`, String.raw`\pi n, n \in \mathbb{Z}`],
    ['1/2 < x < 3/4', '(0.5, 0.75)'],
  ])('sets, intervals, inequalities: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    [String.raw`e^{i\pi}`, '-1'],
    [String.raw`\sin^2 x+\cos^2 x`, '1'],
    ['x^2-1', '(x-1)(x+1)'],
    ['a^{b+c}', 'a^b a^c'],
    [String.raw`\dfrac{x}{y}`, 'x/y'],
    [String.raw`5 \text{ or } 6`, '6,5'],
    ['1e5', '100000'],
    [String.raw`\int_0^1 x dx`, '1/2'],
    [String.raw`\pi r^2`, String.raw`r^2\pi`],
    ['3+4i', '4i+3'],
    ['(3+4i)(3-4i)', '25'],
    ['x^(1/2)', String.raw`\sqrt{x}`],
    [String.raw`\frac{3}{4} \approx 0.75`, '3/4'],
    ['(x+1)^3', 'x^3+3x^2+3x+1'],
    [String.raw`\frac{x^2-1}{x-1}`, 'x+1'],
    ['3x+2y', '2y+3x'],
    [String.raw`\sqrt{x^2+1}`, '(x^2+1)^{1/2}'],
    [String.raw`a+b\sqrt{2}`, String.raw`b\sqrt{2}+a`],
    [String.raw`\arcsin(1)`, String.raw`\pi/2`],
    [String.raw`\frac{x}{2} + \frac{y}{3}`, String.raw`\frac{3x+2y}{6}`],
    [String.raw`\frac{\sqrt{3}}{4}a^2`, String.raw`\frac{a^2\sqrt{3}}{4}`],
    [String.raw`e^{2\ln 3}`, '9'],
    ['2^{n+1}', String.raw`2\cdot 2^n`],
    ['x^3 + C', 'C + x^3'],
    [String.raw`\sqrt{x}\sqrt{y}`, String.raw`\sqrt{xy}`],
    [String.raw`\frac{1}{x-1} - \frac{1}{x+1}`, String.raw`\frac{2}{x^2-1}`],
    [String.raw`\frac{n!}{(n-2)!}`, 'n(n-1)'],
  ])('expressions with letters: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    ['x=5', '5'],
    [String.raw`x = \pm 2`, '2, -2'],
    [String.raw`x=\pm2`, String.raw`x=2 \text{ or } x=-2`],
    ['p=3, q=4', '(3,4)'],
    ['x^2+y^2=4', 'x^2+y^2-4=0'],
    ['y=2x+3', '2x+3'],
    ['y=2x+3', '2x-y+3=0'],
    ['2x+4y=6', 'x+2y=3'],
    ['f(x)=x^2', 'f(t)=t^2'],
    [String.raw`\sum_{k=1}^{10} k`, '55'],
    [String.raw`\sum_{k=1}^{n} k`, String.raw`\frac{n(n+1)}{2}`],
    ['(2, -1)', 'x=2, y=-1'],
    [String.raw`x = 3 \text{ and } y = 4`, '(x,y)=(3,4)'],
    [String.raw`y = -\frac{1}{2}x + 4`, 'x + 2y = 8'],
  ])('equations and names: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    ['(1,2,3)', String.raw`\begin{pmatrix}1\\2\\3\end{pmatrix}`],
    [
      String.raw`\begin{bmatrix}1&2\\3&4\end{bmatrix}`,
      String.raw`\left(\begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array}\right)`,
    ],
  ])('matrices: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    [String.raw`\$18.90`, '18.9'],
    [String.raw`10\text{ cm}`, '10'],
    [String.raw`10\text{ cm}^2`, '10 cm^2'],
    ['42 square units', '42'],
    [String.raw`90^\circ`, '90'],
    [String.raw`50\%`, '0.5'],
    [String.raw`50\%`, '50'],
    [String.raw`\cos 60^\circ`, '1/2'],
    [String.raw`1 \text{ m}`, String.raw`100 \text{ cm}`],
    ['2 hours', '120 minutes'],
    ['36 km/h', '10 m/s'],
    ['90 km/h', '90'],
    ['60 miles per hour', '88 feet per second'],
    [String.raw`\frac{2\pi}{3}`, String.raw`120^\circ`],
    [String.raw`1\frac{1}{2} hours`, '1.5'],
    ['5 dollars', String.raw`\$5`],
    [String.raw`\frac{7}{11}\text{ pounds}`, '7/11'],
    ['3/4 cup', '3/4'],
    [String.raw`12\,\mathrm{cm}^2`, '12'],
  ])('percent, units, currency, degrees: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    [String.raw`\text{Evelyn}`, 'evelyn'],
    [String.raw`\text{(C)}`, 'C'],
    [String.raw`6:30\text{ p.m.}`, '6:30 p.m.'],
    ['-3', String.raw`\text{-3}`],
    [String.raw`\text{yes}`, 'Yes'],
    [String.raw`\text{even}`, String.raw`\text{ Even }`],
    [String.raw`\text{June 20}`, 'June 20'],
  ])('words, dates, letters: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));

  test.each([
    [String.raw`\frac{1}{2}, \frac{1}{3}`, '1/3, 1/2'],
    [String.raw`(0, \frac{1}{2})`, '(0, 0.5)'],
    ['-5, 5', String.raw`\pm 5`],
    ['C(5,2)', 'C(5, 2)'],
  ])('tuples and lists: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([true, true]));
});

describe('different', () => {
  test.each([
    ['7/2', String.raw`3\frac{1}{3}`],
    [String.raw`\sqrt{2}`, '1.41421356'],
    [String.raw`\pi`, '3.14159'],
    [String.raw`\pi`, '22/7'],
    ['12', '1,2'],
    ['1/3', '0.3333'],
    ['5', '-5'],
    ['0', '9**9**9'],
    ['1', '0.9999999999'],
    ['100', '100.5'],
    ['2^{100}', '2^{101}'],
    ['10^{20}', '10^{20}+1'],
    ['1000000', '1,000'],
    ['1:2', '2:1'],
    [String.raw`0.1\overline{6}`, '0.166'],
  ])('numbers: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    ['(1,2)', '[1,2]'],
    [String.raw`\{1,2\}`, String.raw`\{1,2,3\}`],
    ['[0,1)', '[0,1]'],
    ['x>3', String.raw`x\ge 3`],
    ['x>3', 'x<3'],
    ['5', String.raw`\infty`],
    [String.raw`(-\infty,1)`, String.raw`(-\infty,1]`],
    [String.raw`\emptyset`, String.raw`\{0\}`],
    ['x < 5', '5'],
    ['3', String.raw`\{3,4\}`],
  ])('sets, intervals, inequalities: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    ['(1,2)', '(2,1)'],
    ['2, 3', '2, 3, 4'],
    ['7', '7, 8'],
    ['(3,4)', '3'],
  ])('tuples and lists: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    ['x^2+1', 'x^2-1'],
    ['2x+3', '2x+4'],
    ['a+b', 'ab'],
    [String.raw`\sqrt{x}`, 'x'],
    ['3', '3x'],
    [String.raw`\sin x`, String.raw`\cos x`],
    [String.raw`\ln x`, String.raw`\log x`],
    [String.raw`\sqrt{x^2}`, 'x'],
  ])('expressions with letters: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    ['10 cm', '10 kg'],
    ['60 km/h', '60 miles per hour'],
    ['5 km', '5 km/h'],
    ['5 m/s', '5 m per day'],
    [String.raw`50\%`, '5'],
  ])('percent, units, currency, degrees: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    [String.raw`\text{odd}`, String.raw`\text{even}`],
    [String.raw`\text{odd}`, '7'],
    ['A', 'B'],
    [String.raw`\text{(C)}`, 'D'],
    ['July 4', 'June 4'],
    ['12:30', '12:45'],
    ['three', '4'],
    ['three', 'two'],
  ])('words, dates, letters: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    [String.raw`\begin{pmatrix}1&2\end{pmatrix}`, String.raw`\begin{pmatrix}2&1\end{pmatrix}`],
    [String.raw`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, String.raw`\begin{pmatrix}1&3\\2&4\end{pmatrix}`],
  ])('matrices: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));

  test.each([
    ['x=5', 'y=5'],
    ['x=5', '6'],
    ['x^2=4', '4'],
    ['y=2x+3', 'y=3x+2'],
    ['f(x)=2x', 'f(x)=3x'],
  ])('equations and names: %s, %s', (a, b) => expect(verdicts(a, b)).toEqual([false, false]));
});

describe('undecided', () => {
  test.each([
    ['numbers that no computer holds', '1', '1/9^{9^9}'],
    ['two such numbers', '9^{9^9}', '9^{9^9}+1'],
    ['what has no numeric meaning here', String.raw`\lim_{x\to 0} \frac{\sin x}{x}`, '1'],
  ])('%s', (_name, a, b) => expect(verdicts(a, b)).toEqual([null, null]));

  test('a gold answer that cannot be read', () => expect(judge(String.raw`\frac{1}{`, '5', EXACT).equal).toBeNull());
});

test('a prediction that cannot be read is not equal', () =>
  expect(judge('5', String.raw`\frac{1}{`, EXACT)).toMatchObject({ equal: false }));

describe('decimals', () => {
  test.each([
    ['1/3', '0.33', 2, true],
    ['1/3', '0.34', 2, false],
    [String.raw`(\frac{3}{5},\frac{8}{3}]`, '(0.6,2.6667]', 2, true],
    [String.raw`\sqrt{2}`, '1.4142', 4, true],
    [String.raw`\sqrt{2}`, '1.4142', 6, false],
  ])('%s and %s at %i decimals: %s', (gold, prediction, decimals, equal) =>
    expect(judge(gold, prediction, { decimals }).equal).toBe(equal),
  );
});
