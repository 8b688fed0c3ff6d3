/** Finds the final answer in a solution. */

const BOXED = '\\boxed{';

/**
 * Content of the last complete `\boxed{…}`, braces balanced; linear in the text's length.
 *
 * @returns null when there is none, or its braces never close
 */
export function extractAnswer(text: string): string | null {
  let start = text.lastIndexOf(BOXED);
  let end = text.length;
  while (start !== -1) {
    const content = balanced(text, start + BOXED.length, end);
    if (content !== null && content.trim() !== '') return content.trim();
    end = start;
    start = start === 0 ? -1 : text.lastIndexOf(BOXED, start - 1);
  }
  return null;
}

/** Text from `from` up to the brace that closes the one before it; null if none closes before `end`. */
function balanced(text: string, from: number, end: number): string | null {
  let depth = 1;
  for (let i = from; i < end; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return text.slice(from, i);
  }
  return null;
}
