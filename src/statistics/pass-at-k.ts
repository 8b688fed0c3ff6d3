/**
 * Chance that at least one of k candidates is right: the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374, eq.
 * 1), 1 − C(n − c, k) / C(n, k), as a product that neither overflows nor cancels.
 *
 * @param n candidates in the pool
 * @param c right ones among them
 * @param k 1…n
 */
export function passAtK(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}
