/** Expressions as the parser of @cortex-js/compute-engine reads them (MathJSON), in a shape that is safe to walk. */
import { LatexSyntax } from '@cortex-js/compute-engine/latex-syntax';

export type Node =
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'symbol'; readonly name: string }
  | { readonly type: 'call'; readonly head: string; readonly args: readonly Node[] };

const syntax = new LatexSyntax();

/** Deeper expressions are refused: everything that walks them is recursive. */
const DEEPEST = 200;

/** @returns null when the text is not a whole expression */
export function parseExpression(latex: string): Node | null {
  if (latex.trim() === '') return null;
  try {
    return convert(syntax.parse(latex) as unknown, 0);
  } catch (error) {
    if (error instanceof RangeError || error instanceof Unreadable) return null; // a stack that was too deep, or no expression
    throw error;
  }
}

/** @param name of the symbol that the value takes the place of */
export function substituted(node: Node, name: string, value: Node): Node {
  if (node.type === 'symbol') return node.name === name ? value : node;
  return node.type === 'call' ? { ...node, args: node.args.map((arg) => substituted(arg, name, value)) } : node;
}

class Unreadable extends Error {}

function convert(json: unknown, depth: number): Node {
  if (depth > DEEPEST) throw new Unreadable();
  if (typeof json === 'number') return number(String(json));
  if (typeof json === 'string') {
    if (json.startsWith("'")) throw new Unreadable(); // a string in an expression
    return { type: 'symbol', name: json };
  }
  if (Array.isArray(json)) return call(json as unknown[], depth);
  if (typeof json === 'object' && json !== null) {
    if ('num' in json) return number(String(json.num));
    if ('sym' in json) return { type: 'symbol', name: String(json.sym) };
    if ('fn' in json && Array.isArray(json.fn)) return call(json.fn as unknown[], depth);
  }
  throw new Unreadable();
}

/** 0.1(6) is 0.1666…: a fraction. */
function number(text: string): Node {
  const repeating = /^(-?)(\d*)\.(\d*)\((\d+)\)$/.exec(text);
  if (!repeating) return { type: 'number', text };
  const [, sign = '', whole = '', part = '', period = ''] = repeating;
  const top = BigInt(`${whole}${part}${period}`) - BigInt(`${whole}${part}` || '0');
  const bottom = `${'9'.repeat(period.length)}${'0'.repeat(part.length)}`;
  return {
    type: 'call',
    head: 'Divide',
    args: [
      { type: 'number', text: `${sign}${top}` },
      { type: 'number', text: bottom },
    ],
  };
}

/** Heads that hold text behind the expression, such as the kind of brackets of `Delimiter`. */
const FIRST_ONLY = new Set(['Delimiter', 'Matrix']);

/** What is no number; such answers are read by their brackets, not by the parser. */
const COLLECTIONS = new Set([
  'Interval',
  'Set',
  'List',
  'Pair',
  'Triple',
  'Range',
  'LinSpace',
  'String',
  'Sequence',
  'Dictionary',
  'Latex',
  'LatexString',
  'Union',
  'Intersection',
]);

function call([head, ...args]: readonly unknown[], depth: number): Node {
  if (typeof head !== 'string' || head === 'Error' || head === 'ErrorCode' || COLLECTIONS.has(head))
    throw new Unreadable();
  const parts = (FIRST_ONLY.has(head) ? opened(args.slice(0, 1)) : args).filter((arg) => !isSpacing(arg));
  if (head === 'Delimiter' && parts.length === 0) throw new Unreadable();
  return { type: 'call', head, args: parts.map((arg) => convert(arg, depth + 1)) };
}

/** f(x, y) holds a sequence. */
const opened = ([only]: readonly unknown[]): readonly unknown[] =>
  Array.isArray(only) && only[0] === 'Sequence' ? only.slice(1) : only === undefined ? [] : [only];

const isSpacing = (json: unknown): boolean => Array.isArray(json) && json[0] === 'HorizontalSpacing';
