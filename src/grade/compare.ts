/** Whether two answers say the same. */
import type { Answer, Expression, Group } from './answer.js';
import type { Equality, Tolerance } from './equality.js';
import type { Node } from './node.js';
import { constantValue, sameExpression, shape } from './probe.js';
import { sameRegion } from './region.js';
import { sameRelation, intervalOf, valuesOf } from './relation.js';
import { unitFactor } from './units.js';

/** @param gold what is right @param prediction what is graded */
export function same(gold: Answer, prediction: Answer, tolerance: Tolerance): Equality {
  const verdict = byForm(gold, prediction, tolerance);
  return verdict === true ? true : (sameRegion(gold, prediction, (a, b) => same(a, b, tolerance)) ?? verdict);
}

function byForm(gold: Answer, prediction: Answer, tolerance: Tolerance): Equality {
  if (squashed(gold.source) === squashed(prediction.source)) return true;
  if (prediction.kind === 'unreadable') return false;
  if (gold.kind === 'unreadable') return null;
  if (gold.kind === 'text' || prediction.kind === 'text') return sameText(gold.source, prediction.source);
  if (gold.kind === 'relation' || prediction.kind === 'relation') return relations(gold, prediction, tolerance);
  if (gold.kind === 'sets' || prediction.kind === 'sets') return sets(gold, prediction, tolerance);
  if (gold.kind === 'matrix' || prediction.kind === 'matrix') return matrices(gold, prediction, tolerance);
  if (gold.kind === 'group' || prediction.kind === 'group') return groups(gold, prediction, tolerance);
  return expressions(gold, prediction, tolerance);
}

/** Spaces between letters or digits mean something: 3 1/2. */
const squashed = (source: string): string =>
  source.replace(/\s+/g, ' ').replace(/ (?![A-Za-z\d])|(?<![A-Za-z\d]) /g, '');

/** Words: case, spaces, articles and punctuation do not count, but what stands between digits does. */
export function sameText(a: string, b: string): boolean {
  const [x, y] = [words(a), words(b)];
  return x !== '' && x === y;
}

const words = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\b(?:a|an|the)\b/g, ' ')
    .replace(/(?<!\p{N})[^\p{L}\p{N}]+|[^\p{L}\p{N}]+(?!\p{N})/gu, '');

/** True only when all are; false as soon as one is. */
export function every(verdicts: Iterable<Equality>): Equality {
  let result: Equality = true;
  for (const verdict of verdicts) {
    if (verdict === false) return false;
    if (verdict === null) result = null;
  }
  return result;
}

/** True as soon as one is; null when one could be. */
export function some(verdicts: Iterable<Equality>): Equality {
  let result: Equality = false;
  for (const verdict of verdicts) {
    if (verdict === true) return true;
    if (verdict === null) result = null;
  }
  return result;
}

function expressions(gold: Expression, prediction: Expression, { decimals }: Tolerance): Equality {
  const factor = unitFactor(gold.unit, prediction.unit);
  if (!factor) return false;
  const scaled = factor[0] === factor[1] ? prediction.node : times(prediction.node, factor);
  const infinite = infinities(gold.node, scaled);
  if (infinite !== undefined) return infinite;
  if (isDegrees(gold) !== isDegrees(prediction) && [gold, prediction].some(({ source }) => source.includes('\\pi'))) {
    const radians = (side: Expression): Node =>
      isDegrees(side) ? { type: 'call', head: 'Degrees', args: [side.node] } : side.node;
    return sameExpression(radians(gold), radians(prediction), decimals);
  }
  const verdict = sameExpression(gold.node, scaled, decimals);
  if (verdict === true || gold.percent === prediction.percent) return verdict;
  // 28 % is 28 to one source and 0.28 to the other.
  const hundredth = (node: Node): Node => ({
    type: 'call',
    head: 'Divide',
    args: [node, { type: 'number', text: '100' }],
  });
  return sameExpression(
    gold.percent ? hundredth(gold.node) : gold.node,
    prediction.percent ? hundredth(scaled) : scaled,
    decimals,
  );
}

const isDegrees = ({ unit }: Expression): boolean => unit === '°' || unit === 'degree';

const times = (node: Node, [numerator, denominator]: readonly [number, number]): Node => ({
  type: 'call',
  head: 'Divide',
  args: [
    { type: 'call', head: 'Multiply', args: [node, { type: 'number', text: String(numerator) }] },
    { type: 'number', text: String(denominator) },
  ],
});

/** @returns undefined when neither is infinite */
function infinities(a: Node, b: Node): Equality | undefined {
  const [x, y] = [shape(a), shape(b)];
  if (!x.includes('Infinity') && !y.includes('Infinity')) return undefined;
  if (x === y) return true;
  const simple = (node: Node, text: string) =>
    /^\(?(?:Negate )?PositiveInfinity\)?$/.test(text) || constantValue(node) !== null;
  return simple(a, x) && simple(b, y) ? false : null;
}

function groups(gold: Answer, prediction: Answer, tolerance: Tolerance): Equality {
  if (gold.kind !== 'group') return single(prediction, gold, (item) => same(gold, item, tolerance));
  if (prediction.kind !== 'group') return single(gold, prediction, (item) => same(item, prediction, tolerance));
  const [a, b] = [gold.items, prediction.items];
  if (a.length !== b.length) return false;
  switch (likeness(gold, prediction)) {
    case 'different':
      return false;
    case 'ordered':
      return every(a.map((item, i) => same(item, b[i] ?? item, tolerance)));
    case 'unordered':
      return unordered(a, b, tolerance);
  }
}

/** One answer in set brackets, or in none, is that answer; so is one that is given in several forms. */
function single(group: Answer, other: Answer, compare: (item: Answer) => Equality): Equality {
  if (group.kind !== 'group' || other.kind === 'group' || (group.brackets !== '{}' && group.brackets !== ''))
    return false;
  const forms = new Set(group.items.map(({ source }) => squashed(source)));
  return group.items.length === 0 || forms.size < group.items.length ? false : every(group.items.map(compare));
}

function likeness(gold: Group, prediction: Group): 'different' | 'ordered' | 'unordered' {
  const [a, b] = [gold.brackets, prediction.brackets];
  const isSet = (brackets: string) => brackets === '{}' || brackets === '';
  if (isSet(a) && isSet(b)) return 'unordered';
  if (a === b) return 'ordered';
  if (a === '{}' || b === '{}') return 'different';
  if (gold.items.length === 2) return [a, b].sort().join(' ') === ' ()' ? 'ordered' : 'different'; // [1,2] and (1,2) are intervals
  return 'ordered';
}

/** Each item has a partner of its own. */
export function unordered(a: readonly Answer[], b: readonly Answer[], tolerance: Tolerance): Equality {
  if (a.length !== b.length) return false;
  const left = new Set(b);
  let result: Equality = true;
  for (const item of a) {
    const verdict = some(
      (function* () {
        for (const other of left) {
          const equal = same(item, other, tolerance);
          if (equal === true) left.delete(other);
          yield equal;
        }
      })(),
    );
    if (verdict === false) return false;
    if (verdict === null) result = null;
  }
  return result;
}

function matrices(gold: Answer, prediction: Answer, tolerance: Tolerance): Equality {
  const [a, b] = [cells(gold), cells(prediction)];
  if (!a || !b) return false;
  const flat = gold.kind !== prediction.kind;
  if (flat ? a.flat().length !== b.flat().length || !isVector(a) || !isVector(b) : a.length !== b.length) return false;
  if (flat) return every(a.flat().map((cell, i) => same(cell, b.flat()[i] ?? cell, tolerance)));
  return every(
    a.map((row, i) => {
      const other = b[i] ?? [];
      return row.length === other.length && every(row.map((cell, j) => same(cell, other[j] ?? cell, tolerance)));
    }),
  );
}

const isVector = (rows: readonly (readonly Answer[])[]): boolean =>
  rows.length === 1 || rows.every((row) => row.length === 1);

function cells(answer: Answer): readonly (readonly Answer[])[] | null {
  if (answer.kind === 'matrix') return answer.rows;
  return answer.kind === 'group' && answer.brackets !== '{}' ? [answer.items] : null;
}

/** Unions are compared part by part; "x < 1 or x > 3" is one too. */
function sets(gold: Answer, prediction: Answer, tolerance: Tolerance): Equality {
  const [a, b] = [asSets(gold), asSets(prediction)];
  if (!a || !b) return false;
  if (a.operator !== b.operator) return null;
  if (a.operator === '\\setminus')
    return every([
      a.parts.length === b.parts.length,
      ...a.parts.map((part, i) => same(part, b.parts[i] ?? part, tolerance)),
    ]);
  if (a.parts.length !== b.parts.length) return intervalsOnly(a.parts) && intervalsOnly(b.parts) ? false : null;
  return unordered(a.parts, b.parts, tolerance);
}

const intervalsOnly = (parts: readonly Answer[]): boolean => parts.every((part) => part.kind === 'group');

function asSets(answer: Answer): { readonly operator: string; readonly parts: readonly Answer[] } | null {
  if (answer.kind === 'sets')
    return { operator: answer.operator === '\\backslash' ? '\\setminus' : answer.operator, parts: answer.parts };
  if (answer.kind !== 'group') return null;
  if (answer.brackets !== '') return { operator: '\\cup', parts: [answer] };
  const parts = answer.items.map((item) => (item.kind === 'relation' ? (intervalOf(item)?.interval ?? item) : item));
  return { operator: '\\cup', parts };
}

function relations(gold: Answer, prediction: Answer, tolerance: Tolerance): Equality {
  const recurse = (a: Answer, b: Answer) => same(a, b, tolerance);
  if (gold.kind === 'relation' && prediction.kind === 'relation') return sameRelation(gold, prediction, recurse);
  const [relation, other] = gold.kind === 'relation' ? [gold, prediction] : [prediction, gold];
  if (relation.kind !== 'relation') return false;
  const pair = (value: Answer) => (relation === gold ? recurse(value, other) : recurse(other, value));
  const interval = intervalOf(relation)?.interval;
  if (interval) return other.kind === 'group' || other.kind === 'sets' ? pair(interval) : false;
  // a list of one named answer
  if (
    other.kind === 'group' &&
    other.items.length === 1 &&
    other.items[0] &&
    other.brackets !== '[]' &&
    other.items[0].kind === 'relation'
  )
    return pair(other.items[0]);
  return some(valuesOf(relation).map(pair));
}
