/**
 * Area under the ROC curve: how often a positive scores above a negative, ties half.
 *
 * @param {readonly number[]} positive @param {readonly number[]} negative
 * @returns {number | null} null where one side is empty
 */
export function auc(positive, negative) {
  if (positive.length === 0 || negative.length === 0) return null;
  const sorted = Float64Array.from(negative).sort();
  const below = (value, orEqual) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (orEqual ? sorted[middle] <= value : sorted[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = positive.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0);
  return wins / (positive.length * negative.length);
}
