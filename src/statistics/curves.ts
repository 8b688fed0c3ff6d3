/** How well a score tells right from wrong: ROC and precision-recall curves. Equal scores are one step. */

/** Candidates by falling score. */
export interface Ranking {
  /** [scored] falling */
  readonly scores: Float64Array;
  /** [scored] 1 for right ones. */
  readonly right: Uint8Array;
  /** [scored] which run each is of. */
  readonly run: Int32Array;
}

/** @param scored in any order */
export function rank(
  scored: readonly { readonly score: number; readonly right: boolean; readonly run: number }[],
): Ranking {
  const sorted = [...scored].sort((a, b) => b.score - a.score);
  return {
    scores: Float64Array.from(sorted, ({ score }) => score),
    right: Uint8Array.from(sorted, ({ right }) => Number(right)),
    run: Int32Array.from(sorted, ({ run }) => run),
  };
}

/** Accepting scores from `threshold` on. */
export interface CurveStep {
  readonly threshold: number;
  /** Weight of the right and the wrong ones accepted. */
  readonly truePositives: number;
  readonly falsePositives: number;
}

/**
 * @param weightOf how often a run counts; 1 when absent
 * @param visit one step for each distinct score, from the highest
 */
function forEachStep(
  { scores, right, run }: Ranking,
  weightOf: ((run: number) => number) | undefined,
  visit: (step: CurveStep) => void,
): void {
  let [truePositives, falsePositives] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    const weight = weightOf ? weightOf(run[i] ?? 0) : 1;
    if (right[i] === 1) truePositives += weight;
    else falsePositives += weight;
    const threshold = scores[i] ?? 0;
    if (scores[i + 1] !== threshold) visit({ threshold, truePositives, falsePositives });
  }
}

export function curveSteps(ranking: Ranking): CurveStep[] {
  const steps: CurveStep[] = [];
  forEachStep(ranking, undefined, (step) => steps.push(step));
  return steps;
}

/**
 * Area under the ROC curve: how often a right candidate scores above a wrong one, equal scores count half.
 *
 * @returns null without right ones, or without wrong ones
 */
export function rocArea(ranking: Ranking, weightOf?: (run: number) => number): number | null {
  let [area, trues, falses] = [0, 0, 0];
  forEachStep(ranking, weightOf, ({ truePositives, falsePositives }) => {
    area += ((falsePositives - falses) * (truePositives + trues)) / 2;
    [trues, falses] = [truePositives, falsePositives];
  });
  return trues === 0 || falses === 0 ? null : area / (trues * falses);
}

/**
 * Average precision, Σ (recall step) × precision: the area under the precision-recall curve without interpolation,
 * which would flatter (Davis & Goadrich 2006).
 *
 * @returns null without right ones
 */
export function averagePrecision(ranking: Ranking, weightOf?: (run: number) => number): number | null {
  let [area, trues] = [0, 0];
  forEachStep(ranking, weightOf, ({ truePositives, falsePositives }) => {
    if (truePositives > trues) area += ((truePositives - trues) * truePositives) / (truePositives + falsePositives);
    trues = truePositives;
  });
  return trues === 0 ? null : area / trues;
}
