/**
 * 95 % interval of a share, by Wilson's score (E. B. Wilson, 1927): holds also for few trials, and for none or all
 * right.
 *
 * @returns [low, high] of 0…1; [0, 1] for no trial
 */
export function wilson(right: number, trials: number): [number, number] {
  if (trials === 0) return [0, 1];
  const z = 1.959963984540054;
  const share = right / trials;
  const scale = 1 + z ** 2 / trials;
  const middle = (share + z ** 2 / (2 * trials)) / scale;
  const half = (z * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2))) / scale;
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
