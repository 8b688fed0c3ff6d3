/** Whether scores mean what they say: of candidates with reward 0.8, are 80 % right? */

export interface CalibrationBin {
  /** Scores of [from, to), the last bin with its end. */
  readonly from: number;
  readonly to: number;
  readonly candidates: number;
  /** Null in an empty bin. */
  readonly meanScore: number | null;
  readonly shareRight: number | null;
}

export interface Calibration {
  readonly bins: readonly CalibrationBin[];
  /**
   * Expected calibration error (Guo et al. 2017, arXiv 1706.04599, eq. 3): mean over candidates of |share right − mean
   * score| of their bin.
   */
  readonly expectedError: number;
  /** Mean squared distance of score from outcome (Brier 1950). */
  readonly brier: number;
}

/**
 * @param scores [scored] 0…1
 * @param right [scored] 1 for right ones
 * @param count bins of equal width
 */
export function calibrationOf(scores: Float64Array, right: Uint8Array, count = 10): Calibration {
  const sums = Array.from({ length: count }, () => ({ candidates: 0, score: 0, right: 0 }));
  let brier = 0;
  scores.forEach((score, i) => {
    const bin = sums[Math.min(count - 1, Math.floor(score * count))];
    const outcome = right[i] ?? 0;
    brier += (score - outcome) ** 2 / scores.length;
    if (!bin) return;
    bin.candidates++;
    bin.score += score;
    bin.right += outcome;
  });
  return {
    bins: sums.map(({ candidates, score, right: rightOnes }, i) => ({
      from: i / count,
      to: (i + 1) / count,
      candidates,
      meanScore: candidates === 0 ? null : score / candidates,
      shareRight: candidates === 0 ? null : rightOnes / candidates,
    })),
    expectedError: sums.reduce((sum, bin) => sum + Math.abs(bin.right - bin.score), 0) / scores.length,
    brier,
  };
}
