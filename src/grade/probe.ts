/**
 * Whether two expressions are the same: exactly where both are rational numbers, else by their values at several
 * points.
 */
import { absolute, compare, subtract } from '../numbers/rational.js';
import { abs, complex, isFiniteNumber, type Complex } from './complex.js';
import {
  evaluate,
  evaluateReal,
  hasNoNumber,
  isConstant,
  spread,
  Unsupported,
  type Point,
} from './evaluate-expression.js';
import { exactValue } from './exact.js';
import type { Node } from './node.js';

/** Points with positive values, then with values of both signs. */
const POINTS = 10;
const POSITIVE = 5;
/** So many points must have a value on both sides. */
const ENOUGH = 3;
/** Relative differences that double precision explains: in numbers, and at points, where cancellation is likelier. */
const ROUNDING = 1e-12;
const ROUNDING_AT_POINTS = 1e-8;

/**
 * @param decimals numbers are also the same when they differ by less than half a unit of this digit after the point;
 *   null: exact
 * @returns null when too few points have a value, or something in the expressions has no numeric meaning
 */
export function sameExpression(a: Node, b: Node, decimals: number | null): boolean | null {
  const verdict = sameNumbers(a, b, decimals);
  if (verdict !== undefined) return verdict;
  if (shape(a) === shape(b)) return true;
  return agree(a, b, (x, y) => close(x, y, ROUNDING_AT_POINTS));
}

/**
 * Whether a = k·b for one number k ≠ 0, positive where `positive` says so: how equations and inequalities are the same.
 */
export function proportional(a: Node, b: Node, positive: boolean): boolean | null {
  let factor: number | null = null;
  return agree(a, b, (x, y) => {
    if (abs(x) < 1e-12 && abs(y) < 1e-12) return true;
    const ratio = x.re / y.re;
    if (!Number.isFinite(ratio) || ratio === 0 || Math.abs(x.im) > 1e-9 || Math.abs(y.im) > 1e-9) return false;
    factor ??= ratio;
    return (!positive || ratio > 0) && Math.abs(ratio - factor) <= ROUNDING_AT_POINTS * Math.abs(factor);
  });
}

/** @returns the value of an expression without letters; null otherwise */
export function constantValue(node: Node): Complex | null {
  if (symbols(node).size > 0) return null;
  try {
    const value = evaluate(node, new Map());
    return isFiniteNumber(value) ? value : null;
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

/** @returns undefined when the expressions are not both numbers */
function sameNumbers(a: Node, b: Node, decimals: number | null): boolean | null | undefined {
  const [exactA, exactB] = [exactValue(a), exactValue(b)];
  if (exactA && exactB) {
    if (compare(exactA, exactB) === 0) return true;
    if (decimals === null) return false;
    const difference = absolute(subtract(exactA, exactB));
    return compare(difference, { n: 1n, d: 2n * 10n ** BigInt(decimals) }) <= 0;
  }
  const [x, y] = [constantValue(a), constantValue(b)];
  if ((x && isHuge(b)) || (y && isHuge(a))) return false;
  if (!x || !y) return undefined;
  if (decimals !== null && abs(complex(x.re - y.re, x.im - y.im)) <= 0.5 * 10 ** -decimals) return true;
  return close(x, y, ROUNDING);
}

/** Beyond double precision for certain: 9^9^9 differs from every number that is not. */
function isHuge(node: Node): boolean {
  if (node.type !== 'call') return false;
  const [first, second] = node.args;
  if (!first) return false;
  if (node.head === 'Negate' || node.head === 'Delimiter') return node.args.length === 1 && isHuge(first);
  if (node.head === 'Factorial') return isHuge(first) || (constantValue(first)?.re ?? 0) > 171;
  if (node.head !== 'Power' || !second) return false;
  const base = constantValue(first);
  const exponent = isPositiveHuge(second) ? Infinity : (constantValue(second)?.re ?? 0);
  return isPositiveHuge(first)
    ? exponent >= 1
    : base !== null && base.im === 0 && Math.abs(base.re) > 1.01 && exponent * Math.log(Math.abs(base.re)) > 710;
}

const isPositiveHuge = (node: Node): boolean => node.type === 'call' && node.head !== 'Negate' && isHuge(node);

function close(x: Complex, y: Complex, tolerance: number): boolean {
  const difference = Math.hypot(x.re - y.re, x.im - y.im);
  return difference <= tolerance * Math.max(abs(x), abs(y)) || difference <= tolerance * 1e-3;
}

/**
 * The test at every point where both sides have a value; points with negative values may leave the reals, and are then
 * left out.
 */
function agree(a: Node, b: Node, same: (x: Complex, y: Complex) => boolean): boolean | null {
  const names = [...new Set([...symbols(a), ...symbols(b)])];
  if (names.some(hasNoNumber)) return null;
  const whole = new Set([...bounds(a), ...bounds(b)]);
  let compared = 0;
  try {
    for (let i = 0; i < POINTS; i++) {
      const point = pointOf(names, whole, i);
      const value = i < POSITIVE ? evaluate : evaluateReal;
      const [x, y] = [value(a, point), value(b, point)];
      if (!x || !y || !isFiniteNumber(x) || !isFiniteNumber(y)) continue;
      if (!same(x, y)) return false;
      compared++;
    }
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
  return compared >= ENOUGH ? true : null;
}

/** Whole numbers for what stands in bounds of sums, and below ! and C(n, k). */
function pointOf(names: readonly string[], whole: ReadonlySet<string>, index: number): Point {
  return new Map(
    names.map((name) => {
      const value = spread(`${name}#${index}`);
      if (whole.has(name)) return [name, complex(3 + (Math.floor(value * 1000) % 5))];
      return [name, complex(index >= POSITIVE && spread(`${index}±${name}`) > 1 ? -value : value)];
    }),
  );
}

/** Letters of an expression, without constants and without the indices of sums. */
export function symbols(node: Node, bound: ReadonlySet<string> = new Set(), found = new Set<string>()): Set<string> {
  if (node.type === 'symbol') {
    if (!bound.has(node.name) && !isConstant(node.name)) found.add(node.name);
  } else if (node.type === 'call') {
    const inner = new Set([...bound, ...indices(node)]);
    for (const arg of node.args) symbols(arg, inner, found);
  }
  return found;
}

const isSeries = (head: string): boolean => head === 'Sum' || head === 'Product';
const bindsLetters = (head: string): boolean => isSeries(head) || head === 'Integrate';

function indices(node: Node & { type: 'call' }): string[] {
  if (!bindsLetters(node.head)) return [];
  return node.args
    .slice(1)
    .flatMap((range) => (range.type === 'call' && range.args[0]?.type === 'symbol' ? [range.args[0].name] : []));
}

/** Letters that only whole numbers make sense for. */
function bounds(node: Node, found = new Set<string>()): Set<string> {
  if (node.type !== 'call') return found;
  if (isSeries(node.head)) for (const range of node.args.slice(1)) symbols(range, new Set(indices(node)), found);
  if (node.head === 'Factorial' || node.head === 'Binomial' || node.head === 'Mod')
    for (const arg of node.args) symbols(arg, new Set(), found);
  for (const arg of node.args) bounds(arg, found);
  return found;
}

const COMMUTES = new Set(['Add', 'Multiply', 'InvisibleOperator']);

/** A text that is the same for expressions which differ in the order of terms and factors, or in brackets, only. */
export function shape(node: Node): string {
  if (node.type === 'number') return node.text;
  if (node.type === 'symbol') return node.name;
  if (node.head === 'Delimiter' && node.args.length === 1 && node.args[0]) return shape(node.args[0]);
  const parts = node.args.map(shape);
  if (COMMUTES.has(node.head)) return `(${node.head === 'Add' ? '+' : '*'} ${parts.sort().join(' ')})`;
  return `(${node.head} ${parts.join(' ')})`;
}
