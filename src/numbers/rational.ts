/** Exact arithmetic for what people write in a solution: decimals, fractions, percent, powers, brackets. */

/** n/d in lowest terms, d > 0. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

/** Digits of a number and of a result; longer ones are not arithmetic that a solution does by hand. */
const MOST_DIGITS = 60;
const MOST_EXPONENT = 64n;

/**
 * Why an expression has no value: it is none, or one whose meaning people do not agree on.
 * Used inside this folder only; callers get null.
 */
class NoValue extends Error {}

export const rational = (n: bigint, d = 1n): Rational => {
  if (d === 0n) throw new NoValue('division by zero');
  const sign = d < 0n ? -1n : 1n;
  const divisor = gcd(n < 0n ? -n : n, d * sign);
  return { n: (n * sign) / divisor, d: (d * sign) / divisor };
};

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? 1n : a;
}

export const add = (a: Rational, b: Rational): Rational => rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const subtract = (a: Rational, b: Rational): Rational => rational(a.n * b.d - b.n * a.d, a.d * b.d);
export const multiply = (a: Rational, b: Rational): Rational => rational(a.n * b.n, a.d * b.d);
export const divide = (a: Rational, b: Rational): Rational => rational(a.n * b.d, a.d * b.n);
export const negate = (a: Rational): Rational => ({ n: -a.n, d: a.d });
export const absolute = (a: Rational): Rational => (a.n < 0n ? negate(a) : a);
/** Negative, zero or positive, as a sorting function wants it. */
export const compare = (a: Rational, b: Rational): number => {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** @param text digits with at most one point, for example "12", "0.50", ".5" */
export function decimal(text: string): Rational {
  const [whole = '', fraction = ''] = text.split('.');
  if (whole.length + fraction.length > MOST_DIGITS) throw new NoValue('a number of that length');
  return rational(BigInt(`${whole}${fraction}` || '0'), 10n ** BigInt(fraction.length));
}

/** For people: exact where that is short, otherwise 12 significant digits. */
export function show({ n, d }: Rational): string {
  if (d === 1n) return String(n);
  let power = 0;
  let left = d;
  for (; left % 10n === 0n; power += 1) left /= 10n;
  for (; left % 5n === 0n; power += 1) left /= 5n;
  for (; left % 2n === 0n; power += 1) left /= 2n;
  const value = Number(n) / Number(d);
  return left === 1n && power <= 12 ? String(value) : `${n}/${d} (about ${Number(value.toPrecision(12))})`;
}

/**
 * @param text numbers (decimals; thousands separated by commas), + - * / ^ **, brackets, % after a factor
 * @returns null when this is not such an expression, or one with two readings (50 + 20%, 2^3^4), or has no value (1/0)
 */
export function evaluate(text: string): Rational | null {
  try {
    const reader = new Reader(text);
    const value = reader.sum();
    return reader.atEnd() ? value : null;
  } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}

/** Numbers as written: 1,234.5 but not 1,23. */
export const NUMBER = /(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?|\.\d+/y;

/** Recursive descent. Depth is bounded by the length that callers allow. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  atEnd(): boolean {
    this.skipSpace();
    return this.at === this.text.length;
  }

  sum(): Rational {
    let value = this.product();
    for (;;) {
      const sign = this.take(/[+-]/y);
      if (sign === null) return value;
      const start = this.at;
      const next = this.product();
      // 50 + 20% is 60 to a shopkeeper and 50.2 to a calculator.
      if (this.text.slice(start, this.at).includes('%')) throw new NoValue('percent of what?');
      value = sign === '+' ? add(value, next) : subtract(value, next);
    }
  }

  private product(): Rational {
    let value = this.signed();
    for (;;) {
      const operator = this.take(/\*(?!\*)|\//y);
      if (operator !== null) {
        const next = this.signed();
        value = operator === '*' ? multiply(value, next) : divide(value, next);
      } else if (this.peek(/\(/y)) {
        value = multiply(value, this.power()); // 2(3)
      } else {
        return value;
      }
    }
  }

  private signed(): Rational {
    const sign = this.take(/[+-]/y);
    const value = this.power();
    return sign === '-' ? negate(value) : value;
  }

  private power(): Rational {
    let base = this.factor();
    if (this.take(/%/y) !== null) base = divide(base, rational(100n));
    if (this.take(/\^|\*\*/y) === null) return base;
    const exponent = this.signed();
    if (this.peek(/\^|\*\*/y)) throw new NoValue('two readings');
    if (exponent.d !== 1n || exponent.n > MOST_EXPONENT || exponent.n < -MOST_EXPONENT)
      throw new NoValue('not a small whole exponent');
    const size = exponent.n < 0n ? -exponent.n : exponent.n;
    const raised = rational(base.n ** size, base.d ** size);
    return exponent.n < 0n ? divide(rational(1n), raised) : raised;
  }

  private factor(): Rational {
    if (this.take(/\(/y) !== null) {
      const value = this.sum();
      if (this.take(/\)/y) === null) throw new NoValue('an open bracket');
      return value;
    }
    const digits = this.take(NUMBER);
    if (digits === null) throw new NoValue('no number');
    return decimal(digits.replaceAll(',', ''));
  }

  private peek(pattern: RegExp): boolean {
    this.skipSpace();
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  private take(pattern: RegExp): string | null {
    this.skipSpace();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at += found[0].length;
    return found[0];
  }

  private skipSpace(): void {
    while (this.text[this.at] === ' ') this.at += 1;
  }
}
