/**
 * The calculations that a solution states, found without a model and computed exactly.
 *
 * Only what has one reading is a step: a calculation in numbers, an equals sign, a number. Equations in letters, times
 * of day, remainders, "= 3 million" and the like are left out, since a claim that was misread must not refute a
 * solution.
 */
import type { StatedStep } from '../types.js';
import {
  absolute,
  compare,
  decimal,
  divide,
  evaluate,
  multiply,
  NUMBER,
  rational,
  show,
  subtract,
  type Rational,
} from '../numbers/rational.js';

/** A calculation is looked for in so many characters before its equals sign; keeps the search linear. */
const LONGEST = 160;

/** @param solution text of a solution; may hold LaTeX and calculator annotations (`<<2*3=6>>`) */
export function statedSteps(solution: string): StatedStep[] {
  const steps = new Map<string, StatedStep>();
  const keep = (step: StatedStep | null) => {
    if (step && !steps.has(step.step)) steps.set(step.step, step);
  };
  const prose = solution.replace(/<<([^<>]{1,400})>>/g, (_, annotation: string) => {
    for (const step of annotated(annotation)) keep(step);
    return '';
  });
  const text = plain(prose);
  for (let at = text.indexOf('='); at !== -1; at = text.indexOf('=', at + 1)) keep(inProse(text, at));
  return [...steps.values()];
}

/** Calculator annotations say nothing but calculations: each part is compared with the next. */
function annotated(annotation: string): (StatedStep | null)[] {
  const parts = plain(annotation)
    .split('=')
    .map((part) => part.trim());
  return parts.slice(1).map((right, i) => {
    const left = parts[i] ?? '';
    const stated = statedNumber(right);
    const value = evaluate(left);
    return stated && stated.length === right.length && value ? judge(left, value, stated, true) : null;
  });
}

function inProse(text: string, equals: number): StatedStep | null {
  if (/[=<>!~]/.test(`${text[equals - 1] ?? ''}${text[equals + 1] ?? ''}`)) return null;
  const left = calculationBefore(text, equals);
  if (left === null) return null;
  const stated = numberAfter(text, equals + 1);
  const value = stated && evaluate(left);
  return value ? judge(left, value, stated, false) : null;
}

/** The calculation that ends before `end`: at least two numbers, and nothing but words or punctuation before it. */
function calculationBefore(text: string, end: number): string | null {
  let start = end;
  while (start > 0 && end - start < LONGEST && /[\d.,+\-*/^%() ]/.test(text[start - 1] ?? '')) start -= 1;
  if (end - start >= LONGEST) return null;
  const before = text[start - 1] ?? '\n';
  let left = text.slice(start, end);
  const sentence = Math.max(left.lastIndexOf('. '), left.lastIndexOf(', '), endOfLabel(left));
  if (sentence >= 0) left = left.slice(sentence + 2);
  else if (before === '\n')
    left = left.replace(/^ *[-*] +/, ''); // of a list
  else if (before !== '=' && !left.startsWith(' ') && !/["'[{|>;]/.test(before))
    return null; // part of something longer: x+3, 2:15
  else if (
    /^ *-/.test(left) &&
    (!/^ +-\d/.test(left) || /(^|[^A-Za-z])[A-Za-z]$/.test(text.slice(Math.max(0, start - 2), start)))
  )
    return null; // x - 3
  left = left.trim();
  return /\d\D*[+\-*/^(]\D*\d/.test(left) && !/^[+*/^%]/.test(left) ? left : null;
}

/** Of "1) 5 + 3": where its bracket is; -1 without one. */
function endOfLabel(left: string): number {
  let open = 0;
  let found = -1;
  for (let i = 0; i < left.length; i += 1) {
    if (left[i] === '(') open += 1;
    else if (left[i] === ')' && open > 0) open -= 1;
    else if (left[i] === ')' && left[i + 1] === ' ') found = i;
  }
  return found;
}

interface Stated {
  readonly text: string;
  readonly value: Rational;
  /** Digits after the point; null for a fraction. */
  readonly decimals: number | null;
  readonly percent: boolean;
  /** Characters that were read. */
  readonly length: number;
}

const SCALE =
  /^ ?(?:hundred|thousand|million|billion|trillion|dozen|half|halves|k|m|r|rem|remainder|mod|(?:with|to|or) \d+|and \d+ ?\/ ?\d+(?! ?[\d=*]))\b/i;

/** The number that stands alone after `at`. */
function numberAfter(text: string, at: number): Stated | null {
  const rest = text.slice(at, at + LONGEST);
  const space = rest.length - rest.trimStart().length;
  if (rest.slice(0, space).includes('\n')) return null;
  const stated = statedNumber(rest.slice(space));
  if (!stated) return null;
  const after = rest.slice(space + stated.length);
  if (/^[A-Za-z\d:(^_\\]/.test(after) || /^[.,]\d/.test(after) || SCALE.test(after)) return null;
  if (/^ *[+*^]/.test(after) || /^ *\/ *[\d(]/.test(after) || /^ *- *[\d(]/.test(after) || /^ \d/.test(after))
    return null;
  return stated;
}

/** A number at the beginning: -1,234.50, 3/4, 20%. */
function statedNumber(text: string): Stated | null {
  const sign = /^[+-] ?/.exec(text)?.[0] ?? '';
  const digits = match(NUMBER, text, sign.length);
  if (digits === null) return null;
  let length = sign.length + digits.length;
  const slash = /^ ?\/ ?/.exec(text.slice(length))?.[0];
  const below = slash === undefined ? null : match(NUMBER, text, length + slash.length);
  const number = evaluate(digits);
  const divisor = below === null ? rational(1n) : evaluate(below);
  if (!number || !divisor || divisor.n === 0n) return null;
  if (below !== null) length += (slash ?? '').length + below.length;
  const percent = /^ ?%/.exec(text.slice(length))?.[0] ?? '';
  length += percent.length;
  const size = divide(number, divisor);
  return {
    text: text.slice(0, length),
    value: sign.startsWith('-') ? { n: -size.n, d: size.d } : size,
    decimals: below === null ? (digits.split('.')[1]?.length ?? 0) : null,
    percent: percent !== '',
    length,
  };
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/**
 * A decimal may be rounded or cut at its last digit, and carry the noise of binary floating point behind its tenth.
 *
 * @param strict whether a whole number that is the calculation rounded is false; null (no claim) otherwise, since
 *   people write 7 / 2 = 3 for full boxes
 */
function judge(left: string, value: Rational, stated: Stated, strict: boolean): StatedStep | null {
  const step = (holds: boolean): StatedStep => ({ step: `${left} = ${stated.text}`, holds, value: show(value) });
  const hundred = rational(100n);
  if (stated.percent)
    return step(isNear(value, divide(stated.value, hundred), stated) || isNear(value, stated.value, stated));
  if (isNear(value, stated.value, stated)) return step(true);
  // 0.25 * 100 = 25 of a sum that began as 25 %: the percent sign is left out as often as not.
  const close = compare(absolute(subtract(value, stated.value)), rational(1n)) < 0;
  return stated.decimals === 0 && value.d !== 1n && close && !strict ? null : step(false);
}

function isNear(value: Rational, stated: Rational, { decimals }: Stated): boolean {
  const error = absolute(subtract(value, stated));
  if (error.n === 0n) return true;
  if (decimals === null || decimals === 0) return false;
  const unit = rational(1n, 10n ** BigInt(decimals));
  if (compare(multiply(error, rational(2n)), unit) <= 0) return true;
  const cut = compare(absolute(value), absolute(stated)) > 0 && compare(error, unit) < 0;
  const noise = decimals >= 10 && compare(error, multiply(absolute(value), decimal('0.000000001'))) <= 0;
  return cut || noise;
}

/** LaTeX and typographic signs as plain ones; currency goes. */
function plain(text: string): string {
  return text
    .replace(/\\[dt]?frac *\{([^{}]{1,60})\} *\{([^{}]{1,60})\}/g, '(($1)/($2))')
    .replace(/\\(?:times|cdot)(?![A-Za-z])|[×·⋅∗]/g, '*')
    .replace(/\\div(?![A-Za-z])|÷/g, '/')
    .replace(/[−–]/g, '-')
    .replace(/\\(?:left|right|,|;|!|\$)|[$€£¥°]|\\[()[\]]/g, '')
    .replace(/\\%/g, '%')
    .replace(/(\d|\)) ?[xX] ?(?=[\d(.])/g, '$1 * ')
    .replace(/[\t\u00a0\u2009]/g, ' ')
    .replace(/ {2,}/g, ' ');
}
