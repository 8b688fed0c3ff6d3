/** From the text of an answer to what it says. */
import type { Answer, Relation } from './answer.js';
import { clean, ends } from './clean.js';
import { parseExpression, type Node } from './node.js';
import { depthOf, enclosed, splitKeeping, splitTop } from './split-answer.js';
import { measured } from './units.js';

/** Deeper nesting is not read. */
const DEEPEST = 60;

/**
 * The ways in which an answer can be read, the likeliest first: "1,234" is a number or a pair, "1,5" a pair or a
 * number.
 *
 * @param answer as extracted
 */
export function readings(answer: string): Answer[] {
  const cleaned = clean(answer);
  if (depthOf(cleaned) > DEEPEST) return [{ kind: 'unreadable', source: cleaned }];
  const text = ends(wordsOpened(cleaned));
  const variants = new Set([groupedDigits(text), text, decimalComma(text)]);
  return [...variants].map((variant) => read(variant));
}

/** "1,234,567" outside brackets as one number. */
function groupedDigits(text: string): string {
  const tight = text.replace(/(?<=\d)\{,\}\s*(?=\d{3}(?!\d))/g, '');
  let depth = 0;
  return tight
    .replace(/\\[{}]|[([{]|[)\]}]|(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,]*\d)/g, (token) => {
      if (/^\\?[([{]$/.test(token)) depth++;
      else if (/^\\?[)\]}]$/.test(token)) depth--;
      else if (depth === 0) return token.replaceAll(',', '');
      return token;
    })
    .replace(/(?<![\d.])(\d{1,3}(?: \d{3})+)(?![\d.])/g, (digits) => digits.replaceAll(' ', ''));
}

const decimalComma = (text: string): string => text.replace(/^([+-]?\d+),(\d+)(?=\s*(?:%|[A-Za-z^]|$))/, '$1.$2');

const TEXT =
  /\\(?:text|textbf|textit|textrm|textnormal|texttt|mathrm|mathbf|mathit|mathsf|mbox|hbox|operatorname|underline|emph)\s*\{([^{}]*)\}/g;
const INEQUALITY = /[<>]|\\(?:le|ge|ne)(?![A-Za-z])/;
const FUNCTION = /^(?:sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp|lcm|gcd|max|min|mod)$/;

/** `\text{…}` as its words, and "and" and "or" between answers as commas; "or" between conditions stays. */
function wordsOpened(text: string): string {
  let opened = text;
  for (let i = 0; i < 3; i++)
    opened = opened.replace(TEXT, (_, words: string) =>
      FUNCTION.test(words.trim()) ? `\\${words.trim()} ` : ` ${words} `,
    );
  if (!/\d|[=<>({[\\]|(?<![A-Za-z])[A-Za-z](?![A-Za-z])/.test(opened)) return opened.trim();
  return opened
    .replace(/(?:,\s*)?(?<![A-Za-z\\])(?:and|und|et)(?![a-z])/g, ' , ')
    .replace(/(?:,\s*)?(?<![A-Za-z\\])(?:or|oder|ou)(?![a-z])/g, INEQUALITY.test(opened) ? ' \\lor ' : ' , ')
    .replace(/([)\]}])\s*U\s*(?=[([{\\])/g, '$1\\cup ')
    .trim();
}

const NUMBER_WORDS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(
    ' ',
  );

/** @param text cleaned LaTeX */
export function read(text: string): Answer {
  const source = text.trim();
  const box = /^\\boxed\s*(\{.*\})$/s.exec(source)?.[1];
  if (box !== undefined && enclosed(box)) return read(box.slice(1, -1));
  const counted = NUMBER_WORDS.indexOf(source.toLowerCase());
  if (counted !== -1) return readExpression(String(counted));
  if (isWords(source)) return { kind: 'text', source };
  return (
    readList(source) ??
    readRelation(source) ??
    readSets(source) ??
    readMatrix(source) ??
    readBrackets(source) ??
    readPlusMinus(source) ??
    readExpression(source)
  );
}

/** Words alone: "odd", "Evelyn", "the third one"; not "xy". */
function isWords(text: string): boolean {
  if (/\\(?!emptyset|infty)[A-Za-z]|[\d=<>^_+*/%|{}[\]]/.test(text)) return false;
  return /[\p{L}]{3,}/u.test(text) && !/\\(?:emptyset|infty)/.test(text);
}

function readList(source: string): Answer | null {
  const bySemicolon = splitTop(source, (token) => token === ';');
  const conditions = INEQUALITY.test(source);
  const { parts, separators } =
    bySemicolon.length > 1
      ? { parts: bySemicolon, separators: [] }
      : splitKeeping(source, (token) => token === ',' || (conditions && JOINS.has(token)));
  const items = parts.filter((part) => part !== '');
  if (parts.length === 1 || items.length === 0) return null;
  if (items.length === 1) return read(items[0] ?? '');
  const list = { kind: 'group', source, brackets: '', items: items.map(read).flatMap(flattened) } as const;
  return separators.some((separator) => EITHER.has(separator)) ? { ...list, either: true } : list;
}

/** Between conditions; elsewhere they are operators of logic. */
const EITHER = new Set(['\\lor', '\\vee']);
const JOINS = new Set([...EITHER, '\\land', '\\wedge']);

/** "1 ± 2" within a list is two of its items. */
const flattened = (item: Answer): readonly Answer[] =>
  item.kind === 'group' && item.brackets === '' ? item.items : [item];

const RELATIONS = new Set([
  '=',
  '<',
  '>',
  '\\le',
  '\\ge',
  '\\ne',
  '\\approx',
  '\\in',
  '\\equiv',
  '\\to',
  '\\rightarrow',
  '\\mapsto',
  '\\implies',
  '\\subset',
  '\\subseteq',
  '\\mid',
]);

function readRelation(source: string): Answer | null {
  const { parts, separators } = splitKeeping(source, (token) => RELATIONS.has(token));
  if (separators.length === 0) return null;
  if (separators.length > 50) return { kind: 'unreadable', source };
  const sides = parts.map(read);
  const last = sides.at(-1);
  const allEqual = separators.every((operator) => operator === '=');
  // x = ±2 is two equations
  if (allEqual && last?.kind === 'group' && last.brackets === '' && last.items.length > 1) {
    const items = last.items.map(
      (item): Relation => ({
        kind: 'relation',
        source: item.source,
        sides: [...sides.slice(0, -1), item],
        operators: separators,
      }),
    );
    return { kind: 'group', source, brackets: '', items };
  }
  return { kind: 'relation', source, sides, operators: separators };
}

const SET_OPERATORS = new Set(['\\cup', '\\cap', '\\setminus', '\\backslash']);

function readSets(source: string): Answer | null {
  const { parts, separators } = splitKeeping(source, (token) => SET_OPERATORS.has(token));
  const [operator] = separators;
  if (operator === undefined || parts.length > 50) return null;
  if (separators.some((other) => other !== operator)) return { kind: 'unreadable', source };
  return { kind: 'sets', source, operator, parts: parts.map(read) };
}

const INFINITY: Node = { type: 'symbol', name: 'PositiveInfinity' };
export const infinity = (sign: 1 | -1): Answer => ({
  kind: 'expression',
  source: sign === 1 ? '\\infty' : '-\\infty',
  node: sign === 1 ? INFINITY : { type: 'call', head: 'Negate', args: [INFINITY] },
  percent: false,
  unit: null,
});

function readBrackets(source: string): Answer | null {
  if (/^\\emptyset$|^\\\{\s*\\\}$/.test(source)) return { kind: 'group', source, brackets: '{}', items: [] };
  if (/^\\mathbb\s*\{?R\}?$/.test(source))
    return { kind: 'group', source, brackets: '()', items: [infinity(-1), infinity(1)] };
  const brackets = enclosed(source);
  if (!brackets) return null;
  const { open, close, content } = brackets;
  if (open === '{') return read(content);
  const kind = `${plain(open)}${plain(close)}`;
  if (kind === '{}') return readSet(source, content);
  const parts = splitTop(content, (token) => token === ',' || token === ';');
  if (parts.length > 1) return { kind: 'group', source, brackets: kind, items: parts.map(read) };
  if (kind === '()')
    return isWords(content) || /^[A-Z]$/.test(content) || !readsAsProduct(content) ? read(content) : null;
  return { kind: 'group', source, brackets: kind, items: content === '' ? [] : [read(content)] };
}

/** Expressions in round brackets are left to the parser; relations and lists are not. */
const readsAsProduct = (content: string): boolean =>
  splitTop(content, (token) => RELATIONS.has(token) || SET_OPERATORS.has(token)).length === 1;

const plain = (bracket: string): string =>
  ({ '\\{': '{', '\\}': '}', '\\langle': '(', '\\rangle': ')' })[bracket] ?? bracket;

/** Of { x | x > 2 } the condition says what is in it. */
function readSet(source: string, content: string): Answer {
  const [name = '', ...condition] = splitTop(content, (token) => token === '|' || token === ':' || token === '\\mid');
  if (condition.length === 1 && /^[A-Za-z](?:\s*\\in\s*\\mathbb\s*\{?R\}?)?$/.test(name))
    return read(condition[0] ?? '');
  const items = splitTop(content, (token) => token === ',' || token === ';');
  return { kind: 'group', source, brackets: '{}', items: items.map(read).flatMap(flattened) };
}

const MATRIX = /^\\begin\s*\{([bpB]?matrix|smallmatrix|array)\}\s*(?:\{[^{}]*\})?(.*)\\end\s*\{\1\}$/s;

function readMatrix(source: string): Answer | null {
  const inner = /^[([]\s*(\\begin.*\\end\s*\{[a-z]*\})\s*[)\]]$/s.exec(source)?.[1] ?? source;
  const body = MATRIX.exec(inner)?.[2];
  if (body === undefined || body.includes('\\begin')) return null;
  const rows = splitTop(body, (token) => token === '\\\\').filter((row) => row !== '');
  if (rows.length === 0) return { kind: 'unreadable', source };
  return {
    kind: 'matrix',
    source,
    rows: rows.map((row) => splitTop(row.replace(/\\hline/g, ''), (token) => token === '&').map(read)),
  };
}

function readPlusMinus(source: string): Answer | null {
  if (!/\\(?:pm|mp)(?![A-Za-z])/.test(source)) return null;
  const either = ['+', '-'].map((sign) => {
    const other = sign === '+' ? '-' : '+';
    return read(
      source
        .replace(/\\pm(?![A-Za-z])/g, sign)
        .replace(/\\mp(?![A-Za-z])/g, other)
        .replace(/^\s*\+|(?<=[({=])\s*\+/g, ''),
    );
  });
  return { kind: 'group', source, brackets: '', items: either };
}

function readExpression(source: string): Answer {
  const ratio = splitTop(source, (token) => token === ':');
  if (ratio.length > 1) return readRatio(source, ratio);
  const { number, unit } = measured(source);
  const percent = number.endsWith('%');
  const text = (percent ? number.slice(0, -1) : number).trim();
  const mixed = /^(-?)(\d+)\s+(\d+)\s*\/\s*(\d+)$/.exec(text);
  const node = parseExpression(
    mixed ? `${mixed[1] ?? ''}${mixed[2] ?? ''}\\frac{${mixed[3] ?? ''}}{${mixed[4] ?? ''}}` : text,
  );
  if (!node) return hasWords(source) ? { kind: 'text', source } : { kind: 'unreadable', source };
  return { kind: 'expression', source, node, percent, unit };
}

const hasWords = (text: string): boolean => /(?<![\\A-Za-z])\p{L}{3,}/u.test(text);

/** 3 : 4 is 3/4; of more parts each is compared with the first. */
function readRatio(source: string, parts: readonly string[]): Answer {
  const [first, ...others] = parts.map((part) => parseExpression(part));
  if (!first || others.some((part) => part === null)) return { kind: 'unreadable', source };
  const items = others.flatMap((other): Answer[] =>
    other
      ? [
          {
            kind: 'expression',
            source,
            node: { type: 'call', head: 'Divide', args: [first, other] },
            percent: false,
            unit: null,
          },
        ]
      : [],
  );
  const [only] = items;
  return items.length === 1 && only ? only : { kind: 'group', source, brackets: '()', items };
}
