/**
 * How well tool and reward judge single candidates (paper Table 3), with 95 % intervals over problems and seeds:
 * candidates of one problem are alike, so whole problems are resampled, not candidates.
 */
import {
  forEachResample,
  percentiles,
  weightedSum,
  type BootstrapOptions,
  type Estimate,
  type Shape,
} from './bootstrap.js';
import { calibrationOf, type Calibration } from './calibration.js';
import { averagePrecision, curveSteps, rank, rocArea, type Ranking } from './curves.js';
import type { PoolCandidate, Pools } from './pools.js';
import type { Unknown } from './selector-arrays.js';
import { shapeOf } from './summary.js';

export interface VerifierQualityOptions extends BootstrapOptions {
  /** Rewards from here on accept; 0.5 when absent (unstated in the paper). */
  readonly threshold?: number | undefined;
  readonly unknown?: Unknown | undefined;
  /** Of the reliability diagram; 10 when absent. */
  readonly bins?: number | undefined;
}

/** Over the candidates that were judged. Null where nothing can be divided by. */
export interface Judgement {
  /** Candidates with an answer of which nobody asked; they are in none of these figures. */
  readonly skipped: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly precision: Estimate | null;
  readonly recall: Estimate | null;
  readonly f1: Estimate | null;
  readonly accuracy: Estimate | null;
}

/** `both`: the tool passes and the reward accepts. */
export type JudgeName = 'tool' | 'reward' | 'both';

export interface RewardQuality {
  /** Candidates that have a reward; the others are in none of these figures. */
  readonly scored: number;
  /** Of the others: those with an answer whose reward nobody asked for. */
  readonly skipped: number;
  readonly rocArea: Estimate | null;
  /** From the highest threshold; the curve begins at 0, 0. */
  readonly roc: readonly {
    readonly threshold: number;
    readonly falsePositiveRate: number;
    readonly truePositiveRate: number;
  }[];
  readonly averagePrecision: Estimate | null;
  readonly precisionRecall: readonly {
    readonly threshold: number;
    readonly recall: number;
    readonly precision: number;
  }[];
  readonly calibration: Calibration | null;
}

/** Wrong candidates with one kind of error. */
export interface KindQuality {
  readonly candidates: number;
  /** Share that each judge does not accept, of those that it judged. */
  readonly rejected: Readonly<Partial<Record<JudgeName, Estimate>>>;
  /** ROC area of the rewards of right candidates against these. */
  readonly rocArea: Estimate | null;
}

export interface VerifierQuality {
  readonly candidates: number;
  readonly right: number;
  readonly judges: Readonly<Partial<Record<JudgeName, Judgement>>>;
  readonly reward: RewardQuality | null;
  /** By what candidates say of themselves in `kind`. */
  readonly kinds: Readonly<Record<string, KindQuality>>;
}

interface Labelled {
  readonly candidate: PoolCandidate;
  readonly right: boolean;
  /** Index into the runs. */
  readonly run: number;
}

/** Null where it was not asked. */
type Accepts = (candidate: PoolCandidate) => boolean | null;

/** @param settings 1,000 resamples when absent: each sweeps over all candidates for the areas */
export function verifierQuality(pools: Pools, settings: VerifierQualityOptions = {}): VerifierQuality {
  const options = { ...settings, resamples: settings.resamples ?? 1000 };
  const labelled = pools.runs.flatMap(({ candidates, group }, run) =>
    candidates.map((candidate, i): Labelled => ({ candidate, right: group[i] === 0, run })),
  );
  const judges = Object.entries(judgesOf(pools, options)) as [JudgeName, Accepts][];
  const shape = shapeOf(pools);
  const kinds = [...new Set(labelled.flatMap(({ candidate, right }) => (right ? [] : (candidate.kind ?? []))))].sort();
  return {
    candidates: labelled.length,
    right: labelled.filter(({ right }) => right).length,
    judges: Object.fromEntries(judges.map(([name, accepts]) => [name, judgementOf(labelled, accepts, shape, options)])),
    reward: pools.has.reward ? rewardQuality(labelled, pools.skipped.reward, shape, options) : null,
    kinds: Object.fromEntries(kinds.map((kind) => [kind, kindQuality(labelled, kind, judges, pools, options)])),
  };
}

function judgesOf(
  { has }: Pools,
  { threshold = 0.5, unknown = 'fail' }: VerifierQualityOptions,
): Partial<Record<JudgeName, Accepts>> {
  const tool: Accepts = ({ answer, tool: verdict = 'unknown' }) =>
    verdict === 'skipped'
      ? nothingToJudge(answer)
      : verdict === 'pass' || (verdict === 'unknown' && unknown === 'pass');
  const reward: Accepts = ({ answer, reward: score }) =>
    score === 'skipped' ? nothingToJudge(answer) : score != null && score >= threshold;
  const both: Accepts = (candidate) => {
    const said = [tool(candidate), reward(candidate)];
    return said.includes(false) ? false : said.includes(null) ? null : true; // one that rejects is enough
  };
  return { ...(has.tool && { tool }), ...(has.reward && { reward }), ...(has.tool && has.reward && { both }) };
}

/** Nobody asks about a candidate without an answer; it is not accepted. */
const nothingToJudge = (answer: string | null): false | null => (answer === null ? false : null);

/** @returns [seeds × problems] how many candidates of each run are such */
function counts(
  labelled: readonly Labelled[],
  isSuch: (each: Labelled) => boolean,
  { problems, seeds }: Shape,
): Float64Array {
  const numbers = new Float64Array(problems * seeds);
  for (const each of labelled) if (isSuch(each)) numbers[each.run] = (numbers[each.run] ?? 0) + 1;
  return numbers;
}

function judgementOf(
  labelled: readonly Labelled[],
  accepts: Accepts,
  shape: Shape,
  options: BootstrapOptions,
): Judgement {
  const cells = [
    counts(labelled, ({ candidate, right }) => right && accepts(candidate) === true, shape),
    counts(labelled, ({ candidate, right }) => !right && accepts(candidate) === true, shape),
    counts(labelled, ({ candidate, right }) => right && accepts(candidate) === false, shape),
    counts(labelled, ({ candidate, right }) => !right && accepts(candidate) === false, shape),
  ];
  const [tp = 0, fp = 0, fn = 0, tn = 0] = cells.map(total);
  const [precision, recall, f1, accuracy] = ratios(cells, [precisionOf, recallOf, f1Of, accuracyOf], shape, options);
  return {
    skipped: labelled.length - tp - fp - fn - tn,
    truePositives: tp,
    falsePositives: fp,
    falseNegatives: fn,
    trueNegatives: tn,
    precision: precision ?? null,
    recall: recall ?? null,
    f1: f1 ?? null,
    accuracy: accuracy ?? null,
  };
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** Of sums; NaN where nothing can be divided by. */
type Ratio = (...sums: readonly number[]) => number;
const precisionOf: Ratio = (tp = 0, fp = 0) => tp / (tp + fp);
const recallOf: Ratio = (tp = 0, _fp, fn = 0) => tp / (tp + fn);
const f1Of: Ratio = (tp = 0, fp = 0, fn = 0) => (2 * tp) / (2 * tp + fp + fn);
const accuracyOf: Ratio = (tp = 0, fp = 0, fn = 0, tn = 0) => (tp + tn) / (tp + fp + fn + tn);

/**
 * Ratios of sums over problems, each with its interval.
 *
 * @param cells vectors [seeds × problems], whose sums the ratios take in this order
 */
function ratios(
  cells: readonly Float64Array[],
  of: readonly Ratio[],
  shape: Shape,
  options: BootstrapOptions,
): (Estimate | null)[] {
  const resampled: number[][] = of.map(() => []);
  forEachResample(shape, options, (drawn) => {
    const sums = cells.map((cell) => weightedSum(cell, drawn));
    for (const [i, ratio] of of.entries()) resampled[i]?.push(ratio(...sums));
  });
  const sums = cells.map(total);
  return of.map((ratio, i) => estimate(ratio(...sums), resampled[i] ?? []));
}

/** Resamples in which there was nothing to divide by are left out. */
function estimate(value: number | null, resampled: readonly (number | null)[]): Estimate | null {
  if (value === null || Number.isNaN(value)) return null;
  const [low, high] = percentiles(
    Float64Array.from(resampled.filter((each) => each !== null && !Number.isNaN(each)) as number[]),
  );
  return { mean: value, low, high };
}

type Area = (ranking: Ranking, weightOf?: (run: number) => number) => number | null;

function areaOf(ranking: Ranking, area: Area, shape: Shape, options: BootstrapOptions): Estimate | null {
  const resampled: (number | null)[] = [];
  const weights = new Float64Array(shape.problems * shape.seeds);
  const weightOf = (run: number): number => weights[run] ?? 0;
  forEachResample(shape, options, ({ problems, seeds }) => {
    for (let i = 0; i < weights.length; i++)
      weights[i] = (problems[i % problems.length] ?? 0) * (seeds[Math.floor(i / problems.length)] ?? 0);
    resampled.push(area(ranking, weightOf));
  });
  return estimate(area(ranking), resampled);
}

const ranked = (labelled: readonly Labelled[]): Ranking =>
  rank(
    labelled.flatMap(({ candidate, right, run }) =>
      typeof candidate.reward === 'number' ? [{ score: candidate.reward, right, run }] : [],
    ),
  );

function rewardQuality(
  labelled: readonly Labelled[],
  skipped: number,
  shape: Shape,
  options: VerifierQualityOptions,
): RewardQuality {
  const ranking = ranked(labelled);
  const steps = curveSteps(ranking);
  const { truePositives = 0, falsePositives = 0 } = steps.at(-1) ?? {};
  const both = truePositives > 0 && falsePositives > 0;
  return {
    scored: ranking.scores.length,
    skipped,
    rocArea: areaOf(ranking, rocArea, shape, options),
    roc: both
      ? steps.map((step) => ({
          threshold: step.threshold,
          falsePositiveRate: step.falsePositives / falsePositives,
          truePositiveRate: step.truePositives / truePositives,
        }))
      : [],
    averagePrecision: areaOf(ranking, averagePrecision, shape, options),
    precisionRecall:
      truePositives === 0
        ? []
        : steps.map((step) => ({
            threshold: step.threshold,
            recall: step.truePositives / truePositives,
            precision: step.truePositives / (step.truePositives + step.falsePositives),
          })),
    calibration: ranking.scores.length === 0 ? null : calibrationOf(ranking.scores, ranking.right, options.bins),
  };
}

function kindQuality(
  labelled: readonly Labelled[],
  kind: string,
  judges: readonly [JudgeName, Accepts][],
  pools: Pools,
  options: BootstrapOptions,
): KindQuality {
  const shape = shapeOf(pools);
  const these = labelled.filter(({ candidate, right }) => !right && candidate.kind === kind);
  const rejected = judges.flatMap(([name, accepts]) => {
    const cells = [
      counts(these, ({ candidate }) => accepts(candidate) === false, shape),
      counts(these, ({ candidate }) => accepts(candidate) !== null, shape),
    ];
    const [share] = ratios(cells, [(no = 0, all = 0) => no / all], shape, options);
    return share ? [[name, share] as const] : [];
  });
  const contrast = ranked(labelled.filter(({ candidate, right }) => right || candidate.kind === kind));
  return {
    candidates: these.length,
    rejected: Object.fromEntries(rejected),
    rocArea: pools.has.reward ? areaOf(contrast, rocArea, shape, options) : null,
  };
}
