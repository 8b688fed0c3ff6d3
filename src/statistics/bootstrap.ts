/**
 * Intervals over problems, and over seeds where there are several: the percentile bootstrap (Efron & Tibshirani 1993,
 * ch. 13). With several seeds, problems and seeds are drawn with replacement independently of each other, and a
 * resample is the mean over all pairs of them (the pigeonhole bootstrap: Owen 2007, arXiv 0712.1111), which errs
 * towards intervals that are too wide.
 */
import { Random } from '../numbers/random.js';
import { wilson } from './wilson.js';

export interface Shape {
  readonly problems: number;
  readonly seeds: number;
}

export interface BootstrapOptions {
  readonly resamples?: number | undefined;
  readonly seed?: number | undefined;
}

export const DEFAULT_RESAMPLES = 10_000;
/** Of every interval. */
export const LEVEL = 0.95;

/** A mean and its 95 % interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface Comparison {
  /** Mean of the first minus mean of the second. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly p: number;
}

/** How often each problem and each seed was drawn. Valid until the next one. */
export interface Resample {
  /** [problems] sums to their number. */
  readonly problems: Float64Array;
  /** [seeds] sums to their number. */
  readonly seeds: Float64Array;
}

/** A single seed is never drawn, so that its figures are those of the plain bootstrap over problems. */
export function forEachResample(
  shape: Shape,
  { resamples = DEFAULT_RESAMPLES, seed = 0 }: BootstrapOptions,
  visit: (drawn: Resample, index: number) => void,
): void {
  const random = new Random(seed, 0xb007);
  const drawn = { problems: new Float64Array(shape.problems), seeds: new Float64Array(shape.seeds).fill(1) };
  for (let index = 0; index < resamples; index++) {
    drawCounts(drawn.problems, random);
    if (shape.seeds > 1) drawCounts(drawn.seeds, random);
    visit(drawn, index);
  }
}

function drawCounts(counts: Float64Array, random: Random): void {
  const { length } = counts;
  counts.fill(0);
  for (let i = 0; i < length; i++) {
    const at = random.below(length);
    counts[at] = (counts[at] ?? 0) + 1;
  }
}

/** @param values [seeds × problems] */
export function weightedSum(values: Float64Array, { problems, seeds }: Resample): number {
  let total = 0;
  for (let s = 0; s < seeds.length; s++) {
    const times = seeds[s] ?? 0;
    if (times === 0) continue;
    const from = s * problems.length;
    let sum = 0;
    for (let p = 0; p < problems.length; p++) sum += (problems[p] ?? 0) * (values[from + p] ?? 0);
    total += times * sum;
  }
  return total;
}

/**
 * Means of many figures over the same resamples, so that their differences are paired.
 *
 * @param vectors each [seeds × problems]
 * @returns for each vector, [resamples]
 */
export function resampledMeans(
  vectors: readonly Float64Array[],
  shape: Shape,
  options: BootstrapOptions = {},
): Float64Array[] {
  const { resamples = DEFAULT_RESAMPLES } = options;
  const means = vectors.map(() => new Float64Array(resamples));
  const cells = shape.problems * shape.seeds;
  forEachResample(shape, options, (drawn, index) => {
    for (let v = 0; v < vectors.length; v++) {
      const [values, out] = [vectors[v], means[v]];
      if (values && out) out[index] = weightedSum(values, drawn) / cells;
    }
  });
  return means;
}

/** The middle 95 % of what resampling gave; [NaN, NaN] of nothing. */
export function percentiles(resampled: Float64Array): [low: number, high: number] {
  const sorted = resampled.slice().sort();
  const cut = (1 - LEVEL) / 2;
  return [sorted[Math.floor(cut * sorted.length)] ?? NaN, sorted[Math.ceil((1 - cut) * sorted.length) - 1] ?? NaN];
}

export const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Shares (accuracies), each with its interval. Where every problem has the same outcome, 0 or 1, resampling can say
 * nothing; then the interval is Wilson's score interval, with problems as trials.
 *
 * @param vectors each [seeds × problems], 0…1
 */
export function bootstrapShares(
  vectors: readonly Float64Array[],
  shape: Shape,
  options: BootstrapOptions = {},
): Estimate[] {
  const resampled = resampledMeans(vectors, shape, options);
  return vectors.map((values, v) => {
    const mean = meanOf(values);
    const [low, high] =
      mean === 0 || mean === 1
        ? wilson(mean * shape.problems, shape.problems)
        : percentiles(resampled[v] ?? new Float64Array());
    return { mean, low, high };
  });
}

/** Figures of any unit, each with its interval. */
export function bootstrapMeans(
  vectors: readonly Float64Array[],
  shape: Shape,
  options: BootstrapOptions = {},
): Estimate[] {
  const resampled = resampledMeans(vectors, shape, options);
  return vectors.map((values, v) => {
    const [low, high] = percentiles(resampled[v] ?? new Float64Array());
    return { mean: meanOf(values), low, high };
  });
}

/**
 * Ratio of sums over problems, Σ a / Σ b, with its interval; resamples in which Σ b is 0 are left out.
 *
 * @param a [seeds × problems] @param b the same problems
 * @returns null where Σ b is 0
 */
export function bootstrapRatio(
  a: Float64Array,
  b: Float64Array,
  shape: Shape,
  options: BootstrapOptions = {},
): Estimate | null {
  const mean = meanOf(a) / meanOf(b);
  if (!Number.isFinite(mean)) return null;
  const [above = new Float64Array(), below = new Float64Array()] = resampledMeans([a, b], shape, options);
  const [low, high] = percentiles(above.map((value, i) => value / (below[i] ?? NaN)).filter(Number.isFinite));
  return { mean, low, high };
}

/**
 * Is A better than B, on the same problems? Paired bootstrap of the difference. The p-value is the share of resampled
 * differences that lie as far from the observed one as the observed one lies from 0, that is, under a distribution
 * shifted to the null hypothesis (Efron & Tibshirani 1993, ch. 16), with the observed one counted as a resample.
 *
 * @param a [seeds × problems] @param b the same problems
 */
export function pairedBootstrap(
  a: Float64Array,
  b: Float64Array,
  shape: Shape,
  options: BootstrapOptions = {},
): Comparison {
  const values = a.map((value, i) => value - (b[i] ?? 0));
  const difference = meanOf(values);
  const [resampled = new Float64Array()] = resampledMeans([values], shape, options);
  const [low, high] = percentiles(resampled);
  const distance = Math.abs(difference) - 1e-12; // sums in another order differ by rounding
  const far = resampled.reduce((count, each) => count + (Math.abs(each - difference) >= distance ? 1 : 0), 0);
  return { difference, low, high, p: (far + 1) / (resampled.length + 1) };
}
