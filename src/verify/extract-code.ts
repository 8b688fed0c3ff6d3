/** Finds the program in a model's reply. */

const FENCE = '```';

/**
 * The first fenced block, whatever its language tag; a block that is never closed ends with the text.
 *
 * @returns null when there is no fence or nothing in it: prose is not run as a program
 */
export function extractCode(text: string): string | null {
  const open = text.indexOf(FENCE);
  if (open === -1) return null;
  const start = text.indexOf('\n', open);
  if (start === -1) return null;
  const close = text.indexOf(FENCE, start);
  const code = text.slice(start + 1, close === -1 ? undefined : close).trimEnd();
  return code.trim() === '' ? null : code;
}
