/** Prompts of random tokens, lengths with a long tail, and what the prompts of a job cost at least. */
import { randomOf } from './statistics.mjs';

/**
 * @param {{ lowestToken: number, highestToken: number }} model
 * @param {number} length
 * @param {number} seed another seed gives tokens that differ from the first one on, but for chance
 * @returns {Int32Array}
 */
export function randomTokens({ lowestToken, highestToken }, length, seed) {
  const random = randomOf(seed);
  return Int32Array.from({ length }, () => lowestToken + Math.floor(random() * (highestToken - lowestToken)));
}

/** Whole numbers from a log-normal distribution, cut to [least, most]. */
export function longTailed({ count, median, sigma, least, most, seed }) {
  const random = randomOf(seed);
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.min(most, Math.max(least, Math.round(median * Math.exp(sigma * normal))));
  });
}

/**
 * The same tokens but for the first, so that nothing is shared with them. `lowest` may be any id that prompts do not
 * use.
 */
export function withOtherStart(tokens, first) {
  const other = Int32Array.from(tokens);
  other[0] = first;
  return other;
}

export function concat(...parts) {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}

/**
 * Fewest prompt tokens that have to be read: the nodes of the prompts' tree, less those that were evaluated while they
 * were generated (all tokens of a sample but its last one, which was drawn and not evaluated).
 *
 * @param {readonly Int32Array[]} prompts
 * @param {readonly { prompt: Int32Array, tokens: Int32Array }[]} samples that some of the prompts continue
 */
export function leastPrefill(prompts, samples) {
  const tree = new Map();
  let nodes = 0;
  const insert = (tokens, count) => {
    let node = tree;
    for (const token of tokens) {
      let next = node.get(token);
      if (!next) {
        node.set(token, (next = new Map()));
        if (count) nodes++;
      }
      node = next;
    }
  };
  for (const { prompt } of samples) insert(prompt, true);
  for (const { prompt, tokens } of samples) insert(concat(prompt, tokens.subarray(0, -1)), false);
  for (const prompt of prompts) insert(prompt, true);
  return nodes;
}
