/** Bootstrap intervals; percentile method, seeded so that a report can be made again. */

/** @param {number} seed @returns {() => number} uniform in [0, 1) (mulberry32) */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Mean with its 95% interval over problems.
 *
 * @param {readonly number[]} values one per problem; for a paired comparison, the differences
 * @returns {{ mean: number, low: number, high: number }}
 */
export function bootstrap(values, { resamples = 10_000, seed = 1 } = {}) {
  const random = randomOf(seed);
  const meanOf = (pick) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[pick(i)];
    return sum / values.length;
  };
  const means = Float64Array.from({ length: resamples }, () =>
    meanOf(() => Math.floor(random() * values.length)),
  ).sort();
  return {
    mean: meanOf((i) => i),
    low: means[Math.floor(0.025 * resamples)],
    high: means[Math.ceil(0.975 * resamples) - 1],
  };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
