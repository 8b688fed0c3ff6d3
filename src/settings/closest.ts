/** Which name was meant by one that is nearly right. */
import { distance } from 'fastest-levenshtein';

/** One slip in four letters, and never fewer than one; an exchange of two neighbours counts as two. */
const MOST_SLIPS = (word: string): number => Math.max(2, Math.floor(word.length / 3));

/** @returns the nearest of `names`, the first of several; undefined when none is near */
export function closest(word: string, names: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const [best] = names
    .map((name) => ({ name, slips: distance(lower, name.toLowerCase()) }))
    .filter(({ slips, name }) => slips <= MOST_SLIPS(word) && slips < name.length)
    .sort((a, b) => a.slips - b.slips);
  return best?.name;
}
