/** Numbers as people type them, compared exactly and without a parser: most answers to most problems are these. */
import { compare, type Rational } from '../numbers/rational.js';

/** Longer ones go through the worker, which has a time limit. */
const LONGEST = 200;

const SIGN = '[+\\-−–]?\\s?';
const DIGITS = '(?:[1-9]\\d{0,2}(?:(?:,|\\{,\\}|,\\\\!|\\\\,)\\d{3})+(?:\\.\\d+)?|\\d+\\.?\\d*|\\.\\d+)';
const DECORATED = new RegExp(
  `^\\s*(?:\\$|\\\\\\(|\\\\\\[)?\\s*(${SIGN})(${DIGITS})\\s*(?:\\$|\\\\\\)|\\\\\\])?\\s*\\.?\\s*$`,
);
const SLASH = /^\s*\$?\s*([+-]?)(\d{1,100})\s*\/\s*(\d{1,100})\s*\$?\s*\.?\s*$/;
const FRACTION = /^\s*\$?\s*([+-]?)\s*\\[dt]?frac\s*\{\s*(-?)(\d{1,100})\s*\}\s*\{\s*(\d{1,100})\s*\}\s*\$?\s*\.?\s*$/;

/** @returns null for everything that is not beyond doubt one number */
export function plainNumber(text: string): Rational | null {
  if (text.length > LONGEST) return null;
  const number = DECORATED.exec(text);
  if (number) return signed(decimal(number[2] ?? ''), /[-−–]/.test(number[1] ?? ''));
  const slash = SLASH.exec(text);
  if (slash) return signed(ratio(slash[2], slash[3]), slash[1] === '-');
  const fraction = FRACTION.exec(text);
  if (fraction) return signed(ratio(fraction[3], fraction[4]), (fraction[1] === '-') !== (fraction[2] === '-'));
  return null;
}

/** Not in lowest terms, which a comparison does not need. */
export const sameNumber = (a: Rational, b: Rational): boolean => compare(a, b) === 0;

function decimal(text: string): Rational {
  const [whole = '', part = ''] = text.replace(/[^\d.]/g, '').split('.');
  return { n: BigInt(`${whole}${part}` || '0'), d: 10n ** BigInt(part.length) };
}

function ratio(numerator = '0', denominator = '0'): Rational | null {
  const d = BigInt(denominator);
  return d === 0n ? null : { n: BigInt(numerator), d };
}

const signed = (value: Rational | null, negative: boolean): Rational | null =>
  value && negative ? { n: -value.n, d: value.d } : value;
