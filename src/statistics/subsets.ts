/** Subsets of a pool: what a smaller run would have sampled, without decoding again. */
import type { Random } from '../numbers/random.js';

/** n over k; Infinity beyond what a double holds. */
export function binomial(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let result = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) result = (result * (n - i + 1)) / i;
  return Math.round(result);
}

/**
 * Calls `visit` with subsets of `size` of 0…n − 1, each in ascending order (the order of sampling, which decides ties).
 * All of them once when there are no more than `count`, else `count` drawn uniformly, independent of each other
 * (R. Floyd's algorithm: J. Bentley, Programming Pearls, CACM 30(9), 1987).
 *
 * @param picked [≥ size] scratch in which `visit` finds the subset
 * @returns how many subsets there were
 */
export function forEachSubset(
  n: number,
  size: number,
  count: number,
  random: Random,
  picked: Int32Array,
  visit: () => void,
): number {
  const all = binomial(n, size);
  if (all <= count) {
    enumerate(n, size, picked, visit);
    return all;
  }
  const marked = new Uint8Array(n);
  for (let i = 0; i < count; i++) {
    draw(n, size, random, marked, picked);
    visit();
  }
  return count;
}

/** All subsets in lexicographic order. */
function enumerate(n: number, size: number, picked: Int32Array, visit: () => void): void {
  for (let i = 0; i < size; i++) picked[i] = i;
  for (;;) {
    visit();
    let last = size - 1;
    while (last >= 0 && picked[last] === n - size + last) last--;
    if (last < 0) return;
    let value = picked[last] ?? 0;
    for (let i = last; i < size; i++) picked[i] = ++value;
  }
}

/** Marks the smaller side, members or non-members, so that at most n / 2 numbers are drawn. */
function draw(n: number, size: number, random: Random, marked: Uint8Array, picked: Int32Array): void {
  const inside = 2 * size <= n ? 1 : 0;
  const marks = inside === 1 ? size : n - size;
  marked.fill(0);
  for (let top = n - marks; top < n; top++) {
    const at = random.below(top + 1);
    marked[marked[at] === 1 ? top : at] = 1;
  }
  let length = 0;
  for (let i = 0; i < n; i++) if (marked[i] === inside) picked[length++] = i;
}
