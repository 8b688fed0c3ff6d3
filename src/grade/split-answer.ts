/** Splits LaTeX where no bracket is open. One pass over the text each. */

const OPENING = new Set(['(', '[', '{', '\\{', '\\lfloor', '\\lceil', '\\langle', '\\begin']);
const CLOSING = new Set([')', ']', '}', '\\}', '\\rfloor', '\\rceil', '\\rangle', '\\end']);
/** Commands whole, everything else character by character. */
const TOKEN = /\\[A-Za-z]+|\\[^]|[^]/g;

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Tokens that stand in no bracket; `depth` never falls below zero, so "[0,1)" and "(0,1]" balance. */
function* outermost(text: string): Generator<Token, void> {
  let depth = 0;
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    if (OPENING.has(token)) depth++;
    else if (CLOSING.has(token)) depth = Math.max(0, depth - 1);
    else if (depth === 0) yield { text: token, at: match.index };
  }
}

/** @param isSeparator which token separates @returns the parts, trimmed; one part when nothing separates */
export function splitTop(text: string, isSeparator: (token: string) => boolean): string[] {
  return splitKeeping(text, isSeparator).parts;
}

/** As `splitTop`, with the separators that stood between the parts. */
export function splitKeeping(
  text: string,
  isSeparator: (token: string) => boolean,
): { readonly parts: string[]; readonly separators: string[] } {
  const parts: string[] = [];
  const separators: string[] = [];
  let from = 0;
  for (const { text: token, at } of outermost(text)) {
    if (at < from || !isSeparator(token)) continue;
    parts.push(text.slice(from, at).trim());
    separators.push(token);
    from = at + token.length;
  }
  parts.push(text.slice(from).trim());
  return { parts, separators };
}

/** The brackets that enclose all of a text, and what is in them; null when the first one closes before the end. */
export function enclosed(
  text: string,
): { readonly open: string; readonly close: string; readonly content: string } | null {
  let depth = 0;
  let open: string | null = null;
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    if (open === null) {
      if (!['(', '[', '{', '\\{', '\\langle'].includes(token)) return null;
      open = token;
    }
    if (OPENING.has(token)) depth++;
    else if (CLOSING.has(token) && --depth === 0) {
      const end = match.index + token.length;
      return end === text.length ? { open, close: token, content: text.slice(open.length, match.index).trim() } : null;
    }
  }
  return null;
}

/** Deepest nesting of brackets. */
export function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(TOKEN)) {
    if (OPENING.has(token)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(token)) depth = Math.max(0, depth - 1);
  }
  return deepest;
}
