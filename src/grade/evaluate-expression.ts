/** Value of an expression at a point, in double precision: what probing compares. */
import * as C from './complex.js';
import { complex, type Complex } from './complex.js';
import { mixedNumber } from './exact.js';
import type { Node } from './node.js';

/** Values of letters; a letter that is not here has none. */
export type Point = ReadonlyMap<string, Complex>;

/** The expression says something that this file does not know how to compute. */
export class Unsupported extends Error {}

/** Work of one evaluation, in nodes: sums in sums end here. */
const MOST_STEPS = 200_000;
const MOST_TERMS = 10_000;

/**
 * @returns a value that may be infinite or NaN, where the expression has none
 * @throws Unsupported for what has no numeric meaning here
 */
export const evaluate = (node: Node, point: Point): Complex => new Evaluation(point).value(node);

/**
 * As `evaluate`; null where the way to the value leads through numbers that are not real, so that branches would
 * matter.
 */
export function evaluateReal(node: Node, point: Point): Complex | null {
  const evaluation = new Evaluation(point);
  const value = evaluation.value(node);
  return evaluation.leftReals ? null : value;
}

type Function1 = (a: Complex) => Complex;

const one = complex(1);
const inverse = (a: Complex): Complex => C.divide(one, a);
const sinh: Function1 = (a) => C.multiply(complex(0.5), C.add(C.exp(a), C.negate(C.exp(C.negate(a)))));
const cosh: Function1 = (a) => C.multiply(complex(0.5), C.add(C.exp(a), C.exp(C.negate(a))));
const tan: Function1 = (a) => C.divide(C.sin(a), C.cos(a));
const acos: Function1 = (a) => C.add(complex(Math.PI / 2), C.negate(C.asin(a)));

const real =
  (f: (x: number) => number): Function1 =>
  (a) =>
    complex(Math.abs(a.im) > 1e-12 ? NaN : f(a.re));

/** Rounding is allowed for: 2.9999999999 is 3. */
const floor = real((x) => (Math.abs(x - Math.round(x)) < 1e-9 ? Math.round(x) : Math.floor(x)));
const ceil = real((x) => (Math.abs(x - Math.round(x)) < 1e-9 ? Math.round(x) : Math.ceil(x)));

const FUNCTIONS: Readonly<Record<string, Function1>> = {
  Negate: C.negate,
  Sqrt: C.sqrt,
  Exp: C.exp,
  Ln: C.log,
  Lb: (a) => C.divide(C.log(a), complex(Math.LN2)),
  Lg: (a) => C.divide(C.log(a), complex(Math.LN10)),
  Sin: C.sin,
  Cos: C.cos,
  Tan: tan,
  Cot: (a) => C.divide(C.cos(a), C.sin(a)),
  Sec: (a) => inverse(C.cos(a)),
  Csc: (a) => inverse(C.sin(a)),
  Arcsin: C.asin,
  Arccos: acos,
  Arctan: C.atan,
  Arccot: (a) => C.atan(inverse(a)),
  Arcsec: (a) => acos(inverse(a)),
  Arccsc: (a) => C.asin(inverse(a)),
  Sinh: sinh,
  Cosh: cosh,
  Tanh: (a) => C.divide(sinh(a), cosh(a)),
  Abs: (a) => complex(C.abs(a)),
  Norm: (a) => complex(C.abs(a)),
  Conjugate: (a) => complex(a.re, -a.im),
  Real: (a) => complex(a.re),
  Re: (a) => complex(a.re),
  Imaginary: (a) => complex(a.im),
  Im: (a) => complex(a.im),
  Floor: floor,
  Ceil: ceil,
  Factorial: real(C.factorial),
  Degrees: (a) => C.multiply(a, complex(Math.PI / 180)),
  Square: (a) => C.multiply(a, a),
  Half: (a) => C.divide(a, complex(2)),
};

const INVERSES: Readonly<Record<string, string>> = {
  Sin: 'Arcsin',
  Cos: 'Arccos',
  Tan: 'Arctan',
  Cot: 'Arccot',
  Sec: 'Arcsec',
  Csc: 'Arccsc',
};

const CONSTANTS: Readonly<Record<string, Complex>> = {
  Pi: complex(Math.PI),
  e: complex(Math.E),
  ExponentialE: complex(Math.E),
  e_upright: complex(Math.E),
  i: complex(0, 1),
  ImaginaryUnit: complex(0, 1),
  i_upright: complex(0, 1),
  Half: complex(0.5),
};

/** Letters that stand for functions when a bracket follows them. */
const FUNCTION_NAMES = /^[fghFGH](?:_\w+)?$/;

/** Symbols that mean no number. */
const NOT_A_NUMBER = new Set([
  'PositiveInfinity',
  'NegativeInfinity',
  'ComplexInfinity',
  'ContinuationPlaceholder',
  'Nothing',
  'Missing',
  'EmptySet',
]);

export const isConstant = (name: string): boolean => Object.hasOwn(CONSTANTS, name);
export const hasNoNumber = (name: string): boolean =>
  NOT_A_NUMBER.has(name) || name.endsWith('Numbers') || name === 'Integers';

class Evaluation {
  /** Some part had an imaginary part. */
  leftReals = false;
  #steps = 0;
  #point: Point;

  constructor(point: Point) {
    this.#point = point;
  }

  value(node: Node): Complex {
    if (++this.#steps > MOST_STEPS) throw new Unsupported('too much work');
    switch (node.type) {
      case 'number':
        return complex(Number(node.text));
      case 'symbol':
        return this.#symbol(node.name);
      case 'call': {
        // What overflows has no value: 1/∞ would be an exact 0.
        const value = this.#call(node.head, node.args);
        if (value.im !== 0) this.leftReals = true;
        return C.isFiniteNumber(value) ? value : complex(NaN);
      }
    }
  }

  #symbol(name: string): Complex {
    const value = this.#point.get(name) ?? CONSTANTS[name];
    if (!value) throw new Unsupported(name);
    return value;
  }

  #of(node: Node | undefined): Complex {
    if (!node) throw new Unsupported('an operand is missing');
    return this.value(node);
  }

  #call(head: string, args: readonly Node[]): Complex {
    const known = FUNCTIONS[head];
    if (known && args.length === 1) return known(this.#of(args[0]));
    switch (head) {
      case 'Add':
        return this.#values(args).reduce(C.add);
      case 'Multiply':
        return this.#values(args).reduce(C.multiply);
      case 'InvisibleOperator':
        return this.#sideBySide(args);
      case 'Subtract':
        return this.#values(args).reduce((a, b) => C.add(a, C.negate(b)));
      case 'Divide':
      case 'Rational':
        return C.divide(this.#of(args[0]), this.#of(args[1]));
      case 'Delimiter':
      case 'BaseForm':
        return this.#of(args[0]);
      case 'Complex':
        return C.add(this.#of(args[0]), C.multiply(complex(0, 1), this.#of(args[1])));
      case 'Power':
        return C.power(this.#of(args[0]), this.#of(args[1]));
      case 'Root':
        return this.#root(this.#of(args[0]), this.#of(args[1]));
      case 'Log':
        return C.divide(C.log(this.#of(args[0])), args[1] ? C.log(this.#of(args[1])) : complex(Math.LN10));
      case 'Subscript':
        return this.#unknown(args[0], args.slice(1));
      case 'Prime':
        return this.#unknown(args[0], []);
      default:
        return this.#rare(head, args);
    }
  }

  #rare(head: string, args: readonly Node[]): Complex {
    switch (head) {
      case 'Apply':
        return this.#apply(args);
      case 'Sum':
        return this.#series(args, complex(0), C.add);
      case 'Product':
        return this.#series(args, one, C.multiply);
      case 'Binomial':
      case 'Choose': {
        const [n, k] = [this.#of(args[0]).re, this.#of(args[1]).re];
        return complex(binomial(n, k));
      }
      case 'Mod': {
        const [a, b] = [this.#of(args[0]).re, this.#of(args[1]).re];
        return complex(((a % b) + b) % b);
      }
      case 'GCD':
        return complex(this.#values(args).reduce((result, { re }) => gcd(result, re), 0));
      case 'LCM':
        return complex(this.#values(args).reduce((result, { re }) => (result * re) / gcd(result, re), 1));
      case 'Max':
        return complex(Math.max(...this.#values(args).map(({ re }) => re)));
      case 'Min':
        return complex(Math.min(...this.#values(args).map(({ re }) => re)));
      case 'Integrate':
        return this.#integral(args);
      default:
        throw new Unsupported(head);
    }
  }

  #values(args: readonly Node[]): Complex[] {
    if (args.length === 0) throw new Unsupported('no operands');
    return args.map((arg) => this.value(arg));
  }

  /** A product, a mixed number, or the application of a function whose name is a letter. */
  #sideBySide(args: readonly Node[]): Complex {
    const mixed = mixedNumber(args);
    if (mixed) return complex(Number(mixed.n) / Number(mixed.d));
    let product = one;
    for (let i = 0; i < args.length; i++) {
      const [arg, next] = [args[i], args[i + 1]];
      const applied =
        arg?.type === 'symbol' && FUNCTION_NAMES.test(arg.name) && next?.type === 'call' && next.head === 'Delimiter';
      product = C.multiply(product, applied ? this.#unknown(arg, next.args) : this.#of(arg));
      if (applied) i++;
    }
    return product;
  }

  /** The real root of a real number, as school has it: ∛−8 is −2. */
  #root(base: Complex, degree: Complex): Complex {
    const odd = degree.im === 0 && Math.abs(degree.re % 2) === 1;
    if (odd && base.im === 0 && base.re < 0) return complex(-((-base.re) ** (1 / degree.re)));
    return C.power(base, inverse(degree));
  }

  /** sin⁻¹(x), and functions that nothing is known of. */
  #apply([what, ...args]: readonly Node[]): Complex {
    if (what?.type === 'call' && what.head === 'InverseFunction' && what.args[0]?.type === 'symbol') {
      const inverted = FUNCTIONS[INVERSES[what.args[0].name] ?? ''];
      if (inverted) return inverted(this.#of(args[0]));
    }
    return this.#unknown(what, args);
  }

  /**
   * F_k and f(x): any smooth function of the name and the arguments. Two expressions that agree for it agree for all,
   * as far as probing can tell.
   */
  #unknown(name: Node | undefined, args: readonly Node[]): Complex {
    if (!name) throw new Unsupported('a name is missing');
    let value = complex(spread(JSON.stringify(name)));
    for (const arg of args) {
      const at = this.value(arg);
      value = C.add(
        C.sin(C.add(C.multiply(value, complex(1.7)), C.multiply(at, complex(0.61)))),
        C.multiply(value, at),
      );
    }
    return value;
  }

  /** Definite integrals of smooth functions between numbers. */
  #integral([body, range, ...more]: readonly Node[]): Complex {
    if (!body || range?.type !== 'call' || range.head !== 'Tuple' || more.length > 0)
      throw new Unsupported('an integral without bounds');
    const [variable, from, to] = range.args;
    if (variable?.type !== 'symbol' || !from || !to) throw new Unsupported('an integral without bounds');
    const [low, high] = [this.#of(from).re, this.#of(to).re];
    const outer = this.#point;
    const half = (high - low) / PANELS / 2;
    let sum = complex(0);
    for (let panel = 0; panel < PANELS; panel++) {
      const middle = low + (2 * panel + 1) * half;
      for (const [node, weight] of GAUSS) {
        for (const x of [middle - half * node, middle + half * node]) {
          this.#point = new Map(outer).set(variable.name, complex(x));
          sum = C.add(sum, C.multiply(complex(weight * half), this.value(body)));
        }
      }
    }
    this.#point = outer;
    return sum;
  }

  #series([term, ...ranges]: readonly Node[], start: Complex, combine: (a: Complex, b: Complex) => Complex): Complex {
    const [range] = ranges;
    if (!term || ranges.length !== 1 || range?.type !== 'call' || (range.head !== 'Tuple' && range.head !== 'Limits'))
      throw new Unsupported('a series without bounds');
    const [index, from, to] = range.args;
    if (index?.type !== 'symbol') throw new Unsupported('a series without an index');
    const [first, last] = [this.#of(from).re, this.#of(to).re];
    if (!Number.isInteger(first) || !Number.isInteger(last) || last - first > MOST_TERMS)
      throw new Unsupported('bounds of a series');
    const outer = this.#point;
    let result = start;
    for (let k = first; k <= last; k++) {
      this.#point = new Map(outer).set(index.name, complex(k));
      result = combine(result, this.value(term));
    }
    this.#point = outer;
    return result;
  }
}

/** Nodes and weights of Gauss and Legendre's rule of order 8 on [−1, 1]; the other half mirrors them. */
const GAUSS = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
] as const;
const PANELS = 32;

/** A number between 0.3 and 2.3 that depends on a text, and on nothing else. */
export function spread(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  hash ^= hash >>> 13;
  return 0.3 + ((hash >>> 0) / 2 ** 32) * 2;
}

function binomial(n: number, k: number): number {
  if (Number.isInteger(k) && k >= 0 && k <= 1000) {
    let result = 1;
    for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
    return result;
  }
  return C.factorial(n) / (C.factorial(k) * C.factorial(n - k));
}

function gcd(a: number, b: number): number {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return NaN;
  while (b !== 0) [a, b] = [b, a % b];
  return Math.abs(a);
}
