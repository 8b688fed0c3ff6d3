/** Equations, inequalities, and names in front of answers: "x = 3", "AB = 4", "0 < f(x) < 1". */
import type { Answer, Group, Relation } from './answer.js';
import { substituted, type Node } from './node.js';
import { proportional, symbols } from './probe.js';
import { infinity } from './read.js';

type Compare = (a: Answer, b: Answer) => boolean | null;

const SIGNS = '+\\-=<>';
const NAME = new RegExp(`^[^\\d${SIGNS}]+$`);
const NO_NAME =
  /\\(?:pi|infty|sqrt|sin|cos|tan|log|ln|exp|sum|int|emptyset|mathbb|begin|pm)(?![A-Za-z])|^[ei]$|[[\]]|\\\{/;

/**
 * Whether a text names something: letters with indices, functions of letters, segments, ratios and tuples of such.
 * "xy" is a product, "AB" a name.
 */
export function isName(source: string): boolean {
  const bare = source.replace(/_\s*(?:\{[^{}]*\}|\w)/g, '').trim();
  if (bare === '' || !NAME.test(bare) || NO_NAME.test(bare)) return false;
  return !/(?<![\\A-Za-z])[a-z]{2,}/.test(bare.replace(/\([^()]*\)/g, '').replace(/\\[A-Za-z]+/g, ' '));
}

const EQUALITY = new Set(['=', '\\approx', '\\equiv', '\\in', '\\to', '\\rightarrow']);

/** What a chain of equalities says its name is: the likeliest first, none when it is an equation. */
export function valuesOf({ sides, operators }: Relation): readonly Answer[] {
  if (!operators.every((operator) => EQUALITY.has(operator))) return [];
  const [first, last] = [sides[0], sides.at(-1)];
  if (!first || !last) return [];
  const about = operators.indexOf('\\approx');
  const exact = about === -1 ? undefined : sides.slice(0, about + 1).findLast(({ source }) => !isName(source));
  if (exact) return exact === last ? [last] : [exact, last];
  if (isName(first.source) || sides.length > 2) return [last];
  if (isName(last.source)) return [first];
  return isNumber(first) && isNumber(last) ? [last] : [];
}

const isNumber = (answer: Answer): boolean => answer.kind === 'expression' && symbols(answer.node).size === 0;

const LESS = new Set(['<', '\\le']);
const GREATER = new Set(['>', '\\ge']);
/** Inequalities with their sides exchanged. */
export const TURNED: Readonly<Record<string, string>> = { '<': '>', '>': '<', '\\le': '\\ge', '\\ge': '\\le' };

/** "0 < x ≤ 1" as (0, 1], "x ≥ 2" as [2, ∞): what an inequality with one name and numbers says. */
export function intervalOf({
  source,
  sides,
  operators,
}: Relation): { readonly name: string; readonly interval: Group } | null {
  const [a, b, c] = sides;
  const [first, second] = operators;
  if (!a || !b || first === undefined || TURNED[first] === undefined) return null;
  if (!c) {
    if (isName(a.source) && !isName(b.source)) return half(source, a.source, first, b);
    if (isName(b.source) && !isName(a.source)) return half(source, b.source, TURNED[first] ?? first, a);
    return null;
  }
  if (sides.length !== 3 || second === undefined || !isName(b.source)) return null;
  if (LESS.has(first) && LESS.has(second)) return between(source, b.source, [a, first], [c, second]);
  if (GREATER.has(first) && GREATER.has(second)) return between(source, b.source, [c, second], [a, first]);
  return null;
}

const closed = (operator: string): boolean => operator === '\\le' || operator === '\\ge';

function half(source: string, name: string, operator: string, bound: Answer): { name: string; interval: Group } {
  const end = closed(operator);
  return LESS.has(operator)
    ? { name, interval: { kind: 'group', source, brackets: end ? '(]' : '()', items: [infinity(-1), bound] } }
    : { name, interval: { kind: 'group', source, brackets: end ? '[)' : '()', items: [bound, infinity(1)] } };
}

function between(
  source: string,
  name: string,
  [low, left]: [Answer, string],
  [high, right]: [Answer, string],
): { name: string; interval: Group } {
  const brackets = `${closed(left) ? '[' : '('}${closed(right) ? ']' : ')'}`;
  return { name, interval: { kind: 'group', source, brackets, items: [low, high] } };
}

/** Two relations: by name and value, as equations, or as inequalities. */
export function sameRelation(gold: Relation, prediction: Relation, compare: Compare): boolean | null {
  const [a, b] = [intervalOf(gold), intervalOf(prediction)];
  if (a && b && sameName(a.name, b.name)) return compare(a.interval, b.interval);
  const [goldSet, predictionSet] = [membership(gold) ?? a?.interval, membership(prediction) ?? b?.interval];
  if (goldSet && predictionSet && (membership(gold) || membership(prediction))) return compare(goldSet, predictionSet);
  const asEquation = gold.sides.length === 2 && prediction.sides.length === 2 ? equations(gold, prediction) : false;
  if (asEquation === true) return true;
  const [goldName, predictionName] = [nameOf(gold), nameOf(prediction)];
  if (goldName === null || predictionName === null)
    return asEquation === null && gold.sides.length === 2 ? null : sideBySide(gold, prediction, compare) || asEquation;
  const [goldValues, predictionValues] = [valuesOf(gold), valuesOf(prediction)];
  const [x, y] = [goldValues[0], predictionValues[0]];
  if (!x || !y || !sameName(goldName, predictionName)) return false;
  const [f, g] = [parameter(goldName), parameter(predictionName)];
  if (f !== null && g !== null && f !== g && y.kind === 'expression')
    return compare(x, { ...y, source: '', node: substituted(y.node, g, { type: 'symbol', name: f }) });
  return compare(x, y) === true
    ? true
    : goldValues.length > 1 || predictionValues.length > 1
      ? goldValues.some((value) => predictionValues.some((other) => compare(value, other) === true))
      : compare(x, y);
}

/** The set of "x ∈ S". */
const membership = ({ sides, operators }: Relation): Answer | null =>
  operators.length === 1 && operators[0] === '\\in' && sides[0] && isName(sides[0].source) ? (sides[1] ?? null) : null;

function nameOf(relation: Relation): string | null {
  if (valuesOf(relation).length === 0) return null;
  return relation.sides.find(({ source }) => isName(source))?.source ?? null;
}

/** f(x) and f(n) are the same function, x and y different things. */
function sameName(a: string, b: string): boolean {
  const squash = (name: string) => name.replace(/[\s{}\\]/g, '').replace(/\([A-Za-z]\)$/, '(·)');
  return squash(a) === squash(b);
}

const parameter = (name: string): string | null => /\(\s*([A-Za-z])\s*\)$/.exec(name)?.[1] ?? null;

/** l₁ − r₁ is a multiple of l₂ − r₂; of inequalities a positive one, or a negative one with the sign turned. */
function equations(gold: Relation, prediction: Relation): boolean | null {
  const [a, b] = [difference(gold), difference(prediction)];
  const [p, q] = [gold.operators[0] ?? '', prediction.operators[0] ?? ''];
  if (!a || !b) return false;
  if (p === q && TURNED[p] !== undefined) return proportional(a, b, true);
  if (p === q) return proportional(a, b, false);
  return TURNED[p] === q ? proportional(a, negated(b), true) : false;
}

function difference({ sides: [left, right] }: Relation): Node | null {
  if (left?.kind !== 'expression' || right?.kind !== 'expression') return null;
  return { type: 'call', head: 'Subtract', args: [left.node, right.node] };
}

const negated = (node: Node): Node => ({ type: 'call', head: 'Negate', args: [node] });

/** Chains with the same signs, side by side. */
function sideBySide(gold: Relation, prediction: Relation, compare: Compare): boolean {
  if (gold.operators.join() !== prediction.operators.join()) return false;
  return gold.sides.every((side, i) => {
    const other = prediction.sides[i];
    return other !== undefined && compare(side, other) === true;
  });
}
