/**
 * A first, simple normaliser: two answers are the same when their normal forms are the same text.
 * It knows decoration, thousands separators, trailing zeros and plain fractions; algebra is not its business.
 */

/** LaTeX that changes how an answer looks but not what it says. */
const DECORATION = /\\left|\\right|\\[,;:! ]|\\displaystyle|\$/g;
const TEXT_COMMAND = /\\(?:text|mathrm|textbf|mathbf|mbox)\{([^{}]*)\}/g;
const FRACTION = /^(-?)\\[dt]?frac\{(-?\d+)\}\{(-?\d+)\}$/;
const THOUSANDS = /^-?\d{1,3}(?:(?:,|\{,\})\d{3})+(?:\.\d+)?$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

/** @returns the normal form, never empty for a non-empty answer */
export function normalizeAnswer(answer: string): string {
  let text = answer.replace(TEXT_COMMAND, '$1').replace(DECORATION, '').replace(/\s+/g, ' ').trim();
  text = text.replace(/\.$/, '').replace(/^\((-?[\d.]+)\)$/, '$1');
  const compact = text.replace(/ /g, '');
  if (THOUSANDS.test(compact)) return decimal(compact.replace(/,|\{,\}/g, ''));
  if (NUMBER.test(compact)) return decimal(compact);
  const fraction = FRACTION.exec(compact);
  if (fraction) return ratio(`${fraction[1] ?? ''}${fraction[2] ?? ''}`, fraction[3] ?? '');
  const slash = /^(-?\d+)\/(\d+)$/.exec(compact);
  if (slash) return ratio(slash[1] ?? '', slash[2] ?? '');
  return (text === '' ? answer.trim() : text).toLowerCase();
}

/** Textual, so that 40-digit numbers stay exact: sign, no leading zeros, no trailing zeros after the point. */
function decimal(text: string): string {
  const negative = text.startsWith('-');
  const [whole = '', part = ''] = text.replace(/^[+-]/, '').split('.');
  const integer = whole.replace(/^0+(?=\d)/, '') || '0';
  const fraction = part.replace(/0+$/, '');
  const digits = fraction ? `${integer}.${fraction}` : integer;
  return negative && digits !== '0' ? `-${digits}` : digits;
}

/** Lowest terms; 4/2 is 2. A zero denominator stays as it is. */
function ratio(numerator: string, denominator: string): string {
  let [a, b] = [BigInt(numerator.replace('--', '')), BigInt(denominator)];
  if (b === 0n) return `${numerator}/${denominator}`;
  if (b < 0n) [a, b] = [-a, -b];
  let [x, y] = [a < 0n ? -a : a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  const divisor = x === 0n ? 1n : x;
  return b === divisor ? String(a / divisor) : `${a / divisor}/${b / divisor}`;
}

/** True when both answers have the same normal form. */
export const sameAnswer = (a: string, b: string): boolean => normalizeAnswer(a) === normalizeAnswer(b);
