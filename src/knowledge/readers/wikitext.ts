/** MediaWiki's markup, stripped plainly: what a reader sees as running text. */

/** Links to these bring no words to the text. */
const NOT_TEXT = /^\s*:?\s*(?:file|image|category|media)\s*:/i;
/** Elements that go with all they hold. */
const DROPPED = [
  'ref',
  'gallery',
  'math',
  'timeline',
  'syntaxhighlight',
  'source',
  'score',
  'imagemap',
  'nowiki',
  'pre',
  'code',
  'style',
];
const BRACKETS = /\{\{|\}\}|^\{\||^\|\}|\[\[|\]\]/gm;
const ENTITIES: Readonly<Record<string, string>> = {
  nbsp: ' ',
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  ndash: '–',
  mdash: '—',
  minus: '−',
  times: '×',
};

export interface Section {
  /** Null for what comes before the first heading. */
  readonly heading: string | null;
  readonly paragraphs: readonly string[];
}

export function wikiSections(markup: string): Section[] {
  const text = withoutBrackets(withoutElements(withoutComments(markup)))
    .replace(/<\/?[a-z][^<>\n]*>/gi, '')
    .replace(/\[(?:https?:)?\/\/[^\s\]]+ ?([^\]\n]*)\]/g, '$1')
    .replace(/'{2,}/g, '')
    .replace(/__[A-Z]+__/g, '')
    .replace(/&(?:#(\d{1,7})|([a-z]+));/g, (whole, code: string | undefined, name: string | undefined) =>
      code === undefined ? (ENTITIES[name ?? ''] ?? whole) : character(Number(code)),
    );
  return sectionsOf(text);
}

const character = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : '');

function sectionsOf(text: string): Section[] {
  const sections: { heading: string | null; paragraphs: string[] }[] = [{ heading: null, paragraphs: [] }];
  for (const line of text.split('\n')) {
    const heading = /^={2,6}\s*(.+?)\s*={2,6}\s*$/.exec(line)?.[1];
    if (heading !== undefined) sections.push({ heading, paragraphs: [] });
    else {
      const plain = line
        .replace(/^[*#:;\s]+/, '')
        .replace(/\s+/g, ' ')
        .trim();
      if (/[\p{L}\p{N}]/u.test(plain)) sections.at(-1)?.paragraphs.push(plain);
    }
  }
  return sections.filter(({ paragraphs }) => paragraphs.length > 0);
}

function withoutComments(text: string): string {
  return removed(text, /<!--/g, '-->');
}

function withoutElements(text: string): string {
  const empty = text.replace(/<(?:ref|references)\b[^<>]*\/>/gi, '');
  return DROPPED.reduce(
    (rest, element) => removed(rest, new RegExp(`<${element}\\b[^<>]*>`, 'gi'), `</${element}>`),
    empty,
  );
}

/** From each opening to its close; an opening without one is left, and nothing after it is looked at again. */
function removed(text: string, open: RegExp, close: string): string {
  if (text.search(open) < 0) return text;
  const lower = text.toLowerCase();
  if (lower.length !== text.length) return text; // letters that change length: leave the markup rather than cut wrongly
  const kept: string[] = [];
  let from = 0;
  open.lastIndex = 0;
  for (let match = open.exec(text); match; match = open.exec(text)) {
    const end = lower.indexOf(close, open.lastIndex);
    if (end < 0) break;
    kept.push(text.slice(from, match.index));
    from = end + close.length;
    open.lastIndex = from;
  }
  kept.push(text.slice(from));
  return kept.join('');
}

/** Templates and tables go, links become their text; what is not closed stays as it is. One pass. */
function withoutBrackets(text: string): string {
  const pieces: string[] = [];
  const opened: { kind: string; at: number }[] = [];
  const close = (kind: string, closing: string): void => {
    const depth = opened.findLastIndex((bracket) => bracket.kind === kind);
    const bracket = opened[depth];
    if (!bracket) {
      pieces.push(closing);
      return;
    }
    opened.length = depth;
    const inside = pieces.splice(bracket.at).slice(1).join('');
    if (kind === '[[' && !NOT_TEXT.test(inside)) pieces.push(inside.slice(inside.lastIndexOf('|') + 1));
  };
  let from = 0;
  for (const match of text.matchAll(BRACKETS)) {
    if (match.index < from) continue;
    pieces.push(text.slice(from, match.index));
    from = match.index + 2;
    const [bracket] = match;
    if (bracket === '}}') close('{{', bracket);
    else if (bracket === '|}') close('{|', bracket);
    else if (bracket === ']]') close('[[', bracket);
    else {
      opened.push({ kind: bracket, at: pieces.length });
      pieces.push(bracket);
    }
  }
  pieces.push(text.slice(from));
  return pieces.join('');
}
