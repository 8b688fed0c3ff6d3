/**
 * Sets of real numbers: what intervals, their unions, inequalities and conditions say, in one form, so that x ≠ 3 and
 * (-∞, 3) ∪ (3, ∞), or 1 < x < 3 and "x > 1 and x < 3", are the same.
 */
import type { Answer, Expression, Relation } from './answer.js';
import type { Equality } from './equality.js';
import { substituted, type Node } from './node.js';
import { constantValue, shape, symbols } from './probe.js';
import { infinity } from './read.js';
import { TURNED, valuesOf } from './relation.js';

interface End {
  /** ±Infinity where there is none. */
  readonly value: number;
  readonly answer: Answer;
  readonly included: boolean;
}

interface Piece {
  readonly low: End;
  readonly high: End;
}

interface Region {
  /** What the condition is about; null where only the set is named. */
  readonly name: string | null;
  /** In order, without common points, and not touching. */
  readonly pieces: readonly Piece[];
}

/** Sets with more parts are not brought into this form: the work grows with their square. */
const MOST_PIECES = 50;
/** Ends that differ by less of their size are one. */
const ROUNDING = 1e-12;

/**
 * @param compare of two ends
 * @returns undefined where one of both is no set of real numbers whose ends can be computed, or neither is written as a
 *   set
 */
export function sameRegion(
  gold: Answer,
  prediction: Answer,
  compare: (a: Answer, b: Answer) => Equality,
): Equality | undefined {
  if (!isCondition(gold) && !isCondition(prediction)) return undefined;
  const [a, b] = [regionOf(gold), regionOf(prediction)];
  if (!a || !b) return undefined;
  if (a.name !== null && b.name !== null && a.name !== b.name) return false;
  if (a.pieces.length !== b.pieces.length) return false;
  let verdict: Equality = true;
  for (const [i, piece] of a.pieces.entries()) {
    const other = b.pieces[i] ?? piece;
    if (piece.low.included !== other.low.included || piece.high.included !== other.high.included) return false;
    for (const end of ['low', 'high'] as const) {
      const equal = compare(piece[end].answer, other[end].answer);
      if (equal === false) return false;
      verdict = equal === null ? null : verdict;
    }
  }
  return verdict;
}

const CONDITIONS = new Set(['<', '>', '\\le', '\\ge', '\\ne', '\\in']);
const ALL_REALS = /^(?:the set of )?all real(?: number)?s?$|^(?:the )?reals?(?: numbers?)?$/i;

/** Pairs in brackets alone can be points, and lists of numbers can be anything. */
function isCondition(answer: Answer): boolean {
  if (answer.kind === 'sets') return true;
  if (answer.kind === 'text') return ALL_REALS.test(answer.source);
  if (answer.kind === 'relation') return answer.operators.some((operator) => CONDITIONS.has(operator));
  return answer.kind === 'group' && answer.brackets === '' && answer.items.some(isCondition);
}

function regionOf(answer: Answer): Region | null {
  switch (answer.kind) {
    case 'text':
      return ALL_REALS.test(answer.source) ? set(EVERYTHING) : null;
    case 'sets':
      return combined(answer.operator, answer.parts.map(regionOf));
    case 'relation':
      return answer.operators.some((operator) => CONDITIONS.has(operator)) ? condition(answer) : equality(answer);
    case 'group':
      return answer.brackets === '' ? list(answer.items, answer.either === true) : bracketed(answer);
    case 'expression': {
      const point = end(answer, true);
      return point && Number.isFinite(point.value) ? set([{ low: point, high: point }]) : null;
    }
    case 'matrix':
    case 'unreadable':
      return null;
  }
}

const measured = ({ unit, percent }: Expression): boolean => unit !== null || percent;

const set = (pieces: readonly Piece[], name: string | null = null): Region => ({ name, pieces });

function end(answer: Answer, included: boolean): End | null {
  if (answer.kind !== 'expression' || measured(answer)) return null;
  const infinite = /^([+-]?)\s*\\infty$/.exec(answer.source.trim());
  if (infinite) return infinite[1] === '-' ? { ...BELOW, answer: infinity(-1) } : ABOVE;
  const value = constantValue(answer.node);
  return value && value.im === 0 ? { value: value.re, answer, included } : null;
}

const BELOW: End = { value: -Infinity, answer: infinity(-1), included: false };
const ABOVE: End = { value: Infinity, answer: infinity(1), included: false };
const EVERYTHING: readonly Piece[] = [{ low: BELOW, high: ABOVE }];

/** [1, 2) and {1, 2}. */
function bracketed({ brackets, items }: Answer & { kind: 'group' }): Region | null {
  if (brackets === '{}') return combined('\\cup', items.map(regionOf), true);
  const [a, b] = items;
  if (items.length !== 2 || !a || !b) return null;
  const [low, high] = [end(a, brackets.startsWith('[')), end(b, brackets.endsWith(']'))];
  return low && high ? set(tidied([{ low, high }])) : null;
}

/** "x ≥ 1, x ≠ 2" are conditions that hold together, "x < 1, x > 3" and "x = 3 or x > 5" are not. */
function list(items: readonly Answer[], either: boolean): Region | null {
  const conditions: Answer[] = [];
  let excluding: Relation | null = null;
  for (const item of items) {
    // x ≠ 1, 2
    const said: Answer = excluding && item.kind === 'expression' ? continued(excluding, item) : item;
    excluding = said.kind === 'relation' && said.sides.length === 2 && said.operators[0] === '\\ne' ? said : null;
    conditions.push(said);
  }
  const regions = conditions.map(regionOf);
  const together = either || !conditions.every(isCondition) ? null : combined('\\cap', regions);
  return together && together.pieces.length > 0 ? together : combined('\\cup', regions);
}

const continued = (relation: Relation, item: Answer): Relation => ({
  ...relation,
  sides: [...relation.sides.slice(0, 1), item],
});

/** @param empty whether no region at all is the empty set */
function combined(operator: string, regions: readonly (Region | null)[], empty = false): Region | null {
  if (regions.length === 0 && !empty) return null;
  let all: Region | null = null;
  for (const region of regions) {
    if (!region) return null;
    if (!all) {
      all = region;
      continue;
    }
    if (all.name !== null && region.name !== null && all.name !== region.name) return null;
    const name: string | null = all.name ?? region.name;
    if (operator === '\\cup') all = set(tidied([...all.pieces, ...region.pieces]), name);
    else all = set(intersection(all.pieces, operator === '\\cap' ? region.pieces : complement(region.pieces)), name);
    if (all.pieces.length > MOST_PIECES) return null;
  }
  return all ?? set([]);
}

const near = (a: number, b: number): boolean =>
  a === b || (Number.isFinite(a - b) && Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b)));
const below = (a: number, b: number): boolean => a < b && !near(a, b);

/** In order; what overlaps or touches becomes one, what is empty goes. */
function tidied(pieces: readonly Piece[]): Piece[] {
  const full = pieces.filter(
    ({ low, high }) => below(low.value, high.value) || (near(low.value, high.value) && low.included && high.included),
  );
  full.sort((a, b) =>
    near(a.low.value, b.low.value) ? Number(b.low.included) - Number(a.low.included) : a.low.value - b.low.value,
  );
  const result: Piece[] = [];
  for (const piece of full) {
    const last = result.at(-1);
    const touches =
      last &&
      (below(piece.low.value, last.high.value) ||
        (near(piece.low.value, last.high.value) && (piece.low.included || last.high.included)));
    if (touches) result[result.length - 1] = { low: last.low, high: outer(last.high, piece.high) };
    else result.push(piece);
  }
  return result;
}

function outer(a: End, b: End): End {
  if (near(a.value, b.value)) return a.included ? a : b;
  return a.value > b.value ? a : b;
}

const intersection = (a: readonly Piece[], b: readonly Piece[]): Piece[] =>
  tidied(
    a.flatMap((piece) =>
      b.map((other) => ({ low: inner(piece.low, other.low, 1), high: inner(piece.high, other.high, -1) })),
    ),
  );

/** @param sign 1 for the greater of two lower ends, -1 for the lesser of two upper ones */
function inner(a: End, b: End, sign: 1 | -1): End {
  if (near(a.value, b.value)) return a.included ? b : a;
  return a.value * sign > b.value * sign ? a : b;
}

function complement(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  let low = BELOW;
  for (const piece of pieces) {
    result.push({ low, high: opposite(piece.low) });
    low = opposite(piece.high);
  }
  return tidied([...result, { low, high: ABOVE }]);
}

const opposite = (at: End): End => (Number.isFinite(at.value) ? { ...at, included: !at.included } : at);

/** "x = 3" is the point 3. */
function equality(relation: Relation): Region | null {
  const [name, value] = [nameIn(relation.sides), valuesOf(relation)[0]];
  const region = value && name !== null ? regionOf(value) : null;
  return region && { name, pieces: region.pieces };
}

const nameIn = (sides: readonly Answer[]): string | null => {
  const names = new Set(sides.flatMap((side) => (side.kind === 'expression' ? [...symbols(side.node)] : [])));
  const [only] = names;
  return names.size === 1 && only !== undefined ? only : null;
};

/** Inequalities, chains of them, ≠ and ∈. */
function condition({ sides, operators }: Relation): Region | null {
  const links = operators.map((operator, i) => {
    const [left, right] = [sides[i], sides[i + 1]];
    return left && right ? link(left, operator, right) : null;
  });
  return combined('\\cap', links);
}

function link(left: Answer, operator: string, right: Answer): Region | null {
  if (left.kind !== 'expression' || measured(left)) return null;
  if (operator === '\\in') {
    const name = left.node.type === 'symbol' ? left.node.name : null;
    const region = name === null ? null : regionOf(right);
    return region && { name, pieces: region.pieces };
  }
  return right.kind === 'expression' && !measured(right) ? inequality(left.node, operator, right.node) : null;
}

/** Both sides at most linear in one letter, or the absolute value of such against a number. */
function inequality(left: Node, operator: string, right: Node): Region | null {
  const turned = operator === '\\ne' ? operator : TURNED[operator];
  if (turned === undefined) return null;
  const [inside, other] = [absolute(left), absolute(right)];
  if (inside && symbols(right).size === 0) return distance(inside, operator, right);
  if (other && symbols(left).size === 0) return distance(other, turned, left);
  const name = onlySymbol([left, right]);
  if (name === null) return null;
  const difference = call('Subtract', left, right);
  const at = (value: string): Node => substituted(difference, name, { type: 'number', text: value });
  const slope = call('Subtract', at('1'), at('0'));
  const root = call('Divide', call('Negate', at('0')), slope);
  const rise = constantValue(slope);
  if (rise?.im !== 0 || rise.re === 0 || !straight(at, rise.re)) return null;
  const greater = operator === '>' || operator === '\\ge';
  const node = right.type === 'symbol' ? left : left.type === 'symbol' ? right : root;
  const bound = end(
    { kind: 'expression', source: shape(node), node, percent: false, unit: null },
    operator === '\\le' || operator === '\\ge',
  );
  if (!bound) return null;
  if (operator === '\\ne')
    return set(complement([{ low: { ...bound, included: true }, high: { ...bound, included: true } }]), name);
  return set(greater === rise.re > 0 ? [{ low: bound, high: ABOVE }] : [{ low: BELOW, high: bound }], name);
}

/** Two points are always on a line: three more, on both sides of zero, at places of no pattern. */
function straight(at: (value: string) => Node, slope: number): boolean {
  const base = constantValue(at('0'));
  return (
    base !== null &&
    ['-7.31', '0.613', '12.7'].every((point) => {
      const value = constantValue(at(point));
      return (
        value !== null &&
        value.im === 0 &&
        Math.abs(value.re - (base.re + slope * Number(point))) <= 1e-9 * Math.max(1, Math.abs(value.re))
      );
    })
  );
}

/** |f| < r is -r < f < r, |f| > r is f < -r or f > r. */
function distance(inside: Node, operator: string, radius: Node): Region | null {
  const within = operator === '<' || operator === '\\le';
  const [upper, lower] = [
    inequality(inside, operator, radius),
    inequality(inside, TURNED[operator] ?? operator, call('Negate', radius)),
  ];
  return combined(within || operator === '\\ne' ? '\\cap' : '\\cup', [upper, lower]);
}

const absolute = (node: Node): Node | null =>
  node.type === 'call' && node.head === 'Abs' ? (node.args[0] ?? null) : null;

const call = (head: string, ...args: readonly Node[]): Node => ({ type: 'call', head, args });

function onlySymbol(nodes: readonly Node[]): string | null {
  const found = new Set(nodes.flatMap((node) => [...symbols(node)]));
  const [only] = found;
  return found.size === 1 && only !== undefined ? only : null;
}
