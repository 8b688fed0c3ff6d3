/** Which name was meant by one that is nearly right. */
import { distance } from 'fastest-levenshtein';

/** One slip in three letters, two in a short word: an exchange of two neighbours counts as two. */
const mostSlips = (word: string): number => Math.max(2, Math.floor(word.length / 3));

/** Letters that a word must have in common with a name which it only begins, or which begins it. */
const LEAST_BEGINNING = 3;

/** @returns the nearest of `names`, the first of several; undefined when none is near */
export function closest(word: string, names: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const near = names.map((name) => ({ name, slips: distance(lower, name.toLowerCase()) }));
  near.sort((a, b) => a.slips - b.slips);
  const begins = ({ name }: { readonly name: string }): boolean =>
    Math.min(name.length, lower.length) >= LEAST_BEGINNING &&
    (lower.startsWith(name.toLowerCase()) || name.toLowerCase().startsWith(lower));
  const [best] = near;
  if (best && best.slips <= mostSlips(word) && best.slips < best.name.length) return best.name;
  return near.find(begins)?.name;
}
