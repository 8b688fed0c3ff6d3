/** `\boxed{…}` in a solution. Everything here is linear in the text's length. */

const BOXED = /\\(?:boxed|fbox)\s*\{/g;

export interface Box {
  readonly content: string;
  /** Where the command begins. */
  readonly start: number;
  /** Behind the closing brace. */
  readonly end: number;
}

/**
 * Content of the last complete `\boxed{…}`, braces balanced.
 *
 * @returns null when there is none, or its braces never close
 */
export const extractBoxed = (text: string): string | null => boxes(text).at(-1)?.content ?? null;

/**
 * All complete, non-empty boxes in order; of nested ones the outer. A box that never closes ends at the end of the
 * text, and is none.
 */
export function boxes(text: string): Box[] {
  const closing = closingBraces(text);
  const found: Box[] = [];
  for (const match of text.matchAll(BOXED)) {
    if (match.index < (found.at(-1)?.end ?? 0)) continue;
    const open = match.index + match[0].length - 1;
    const close = closing.get(open);
    if (close === undefined) continue;
    const content = text.slice(open + 1, close).trim();
    if (content !== '') found.push({ content, start: match.index, end: close + 1 });
  }
  return found;
}

/** From each opening brace to the one that closes it. */
function closingBraces(text: string): Map<number, number> {
  const open: number[] = [];
  const closing = new Map<number, number>();
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\' && (text[i + 1] === '{' || text[i + 1] === '}'))
      i++; // a brace that is printed
    else if (character === '{') open.push(i);
    else if (character === '}') {
      const start = open.pop();
      if (start !== undefined) closing.set(start, i);
    }
  }
  return closing;
}

/**
 * The answer in boxes: the last one, with those before it that are linked to it: `\boxed{1}, \boxed{2} and \boxed{3}`.
 *
 * @returns null without any box
 */
export function boxedAnswer(text: string): { readonly answer: string; readonly end: number } | null {
  const all = boxes(text);
  const last = all.at(-1);
  if (!last) return null;
  let first = all.length - 1;
  while (first > 0 && isLink(text.slice(all[first - 1]?.end, all[first]?.start))) first--;
  return {
    answer: all
      .slice(first)
      .map(({ content }) => content)
      .join(', '),
    end: last.end,
  };
}

/**
 * Decoration, then one "and", "or" or comma, at most a few words before it, and a name behind it: "} \) and \( y_2 = ".
 */
function isLink(between: string): boolean {
  if (between.length > 120) return false;
  const words = between
    .replace(/\\(?:text|mathrm|textbf)\s*\{([^{}]*)\}/g, ' $1 ')
    .replace(/\\(?:quad|qquad|[()[\],;:! ])|\$|\s+/g, ' ')
    .replace(/[A-Za-z](?:_\{?\w+\}?)?(?:\(\w\))?\s*=\s*$/, '')
    .trim();
  if (/^[,;]?$/.test(words)) return true;
  return /^[,;]?\s*(?:(?!and\b|or\b)[a-z()]+\s+){0,4}(?:and|or)$/i.test(words);
}
