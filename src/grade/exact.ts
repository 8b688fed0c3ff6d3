/** Exact value of an expression without letters or roots. Sizes are bounded: nothing here takes long. */
import { add, divide, multiply, negate, rational, subtract, type Rational } from '../numbers/rational.js';
import type { Node } from './node.js';

/** Bits of a numerator or denominator; 2024^4046 has 44,000. */
const MOST_BITS = 100_000;
const MOST_DIGITS = 20_000;

/** Why there is no exact value: letters, roots, or numbers beyond the bounds. */
class Inexact extends Error {}

/** @returns null when the expression has no exact rational value within the bounds */
export function exactValue(node: Node): Rational | null {
  try {
    return value(node);
  } catch (error) {
    if (error instanceof Inexact) return null;
    throw error;
  }
}

function value(node: Node): Rational {
  if (node.type === 'number') return literal(node.text);
  if (node.type === 'symbol') throw new Inexact();
  const [first, second] = node.args;
  switch (node.head) {
    case 'Add':
      return fold(node.args, add, rational(0n));
    case 'Multiply':
      return fold(node.args, multiply, rational(1n));
    case 'InvisibleOperator':
      return mixedNumber(node.args) ?? fold(node.args, multiply, rational(1n));
    case 'Subtract':
      return subtract(of(first), of(second));
    case 'Negate':
      return negate(of(first));
    case 'Divide':
    case 'Rational':
      return quotient(of(first), of(second));
    case 'Delimiter':
      return of(first);
    case 'Power':
      return power(of(first), of(second));
    case 'Sqrt':
      return root(of(first));
    case 'Factorial':
      return factorial(of(first));
    case 'Abs': {
      const inner = of(first);
      return inner.n < 0n ? negate(inner) : inner;
    }
    case 'BaseForm':
      return of(first);
    default:
      throw new Inexact();
  }
}

function of(node: Node | undefined): Rational {
  if (!node) throw new Inexact();
  return value(node);
}

function fold(args: readonly Node[], combine: (a: Rational, b: Rational) => Rational, start: Rational): Rational {
  if (args.length === 0) throw new Inexact();
  return args.reduce((result, arg) => bounded(combine(result, value(arg))), start);
}

/** @param text as the parser writes numbers: 12, 1.5, 5e-2 */
export function literal(text: string): Rational {
  const match = /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match || text.length > MOST_DIGITS) throw new Inexact();
  const [, sign = '', whole = '', part = '', exponent = '0'] = match;
  const shift = Number(exponent) - part.length;
  if (!(Math.abs(shift) <= MOST_DIGITS)) throw new Inexact();
  const digits = BigInt(`${whole}${part}` || '0') * (sign === '-' ? -1n : 1n);
  return shift >= 0 ? rational(digits * 10n ** BigInt(shift)) : rational(digits, 10n ** BigInt(-shift));
}

/** "3½" is a sum where everything else that stands side by side is a product. */
export function mixedNumber(args: readonly Node[]): Rational | null {
  const [first, fraction] = args;
  const negative = first?.type === 'call' && first.head === 'Negate';
  const whole = negative ? first.args[0] : first;
  if (args.length !== 2 || whole?.type !== 'number' || !/^\d+$/.test(whole.text)) return null;
  if (fraction?.type !== 'call' || (fraction.head !== 'Divide' && fraction.head !== 'Rational')) return null;
  const [top, bottom] = fraction.args;
  if (top?.type !== 'number' || bottom?.type !== 'number') return null;
  const part = quotient(literal(top.text), literal(bottom.text));
  if (part.n >= part.d) return null;
  const size = add(literal(whole.text), part);
  return negative ? negate(size) : size;
}

function quotient(a: Rational, b: Rational): Rational {
  if (b.n === 0n) throw new Inexact();
  return bounded(divide(a, b));
}

function power(base: Rational, exponent: Rational): Rational {
  if (exponent.d !== 1n) throw new Inexact();
  if (base.n === 0n && exponent.n <= 0n) throw new Inexact();
  const size = exponent.n < 0n ? -exponent.n : exponent.n;
  if (size * BigInt(bits(base.n) + bits(base.d)) > BigInt(MOST_BITS)) {
    if (base.d === 1n && (base.n === 1n || base.n === 0n)) return base;
    throw new Inexact();
  }
  const raised = { n: base.n ** size, d: base.d ** size };
  return exponent.n < 0n ? quotient(rational(1n), raised) : raised;
}

/** Roots of squares only; √2 has no exact value. */
function root({ n, d }: Rational): Rational {
  const [top, bottom] = [squareRoot(n), squareRoot(d)];
  if (top === null || bottom === null) throw new Inexact();
  return { n: top, d: bottom };
}

function squareRoot(n: bigint): bigint | null {
  if (n < 0n || bits(n) > 1000) return null;
  if (n < 2n) return n;
  let x = 1n << BigInt(Math.ceil(bits(n) / 2));
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x * x === n ? x : null;
    x = next;
  }
}

function factorial({ n, d }: Rational): Rational {
  if (d !== 1n || n < 0n || n > 3000n) throw new Inexact();
  let product = 1n;
  for (let i = 2n; i <= n; i++) product *= i;
  return { n: product, d: 1n };
}

function bounded(result: Rational): Rational {
  if (bits(result.n) > MOST_BITS || bits(result.d) > MOST_BITS) throw new Inexact();
  return result;
}

/** Within four. */
const bits = (n: bigint): number => n.toString(16).length * 4;
