/** What N candidates cost: the other axis of an accuracy curve. */
import { meanOf } from './bootstrap.js';
import { costNames, type CostName, type Pools } from './pools.js';

export interface ComputePoint {
  readonly n: number;
  /**
   * Mean per problem of N candidates, or of all where a pool has fewer; only what every candidate of the pool says.
   * Exact over all subsets: N times the mean candidate. Seconds are those of candidates one after the other; decoded
   * together they take less.
   */
  readonly costs: Readonly<Partial<Record<CostName, number>>>;
}

/** @param prefix costs of the first N candidates instead */
export function computeCurve({ runs, has }: Pools, sizes: readonly number[], prefix = false): ComputePoint[] {
  const given = costNames.filter((name) => has[name]);
  return sizes.map((n) => {
    const costOf = (name: CostName): number =>
      meanOf(
        Float64Array.from(runs, ({ candidates }) => {
          const seen = prefix ? candidates.slice(0, n) : candidates;
          return Math.min(1, n / seen.length) * seen.reduce((sum, candidate) => sum + (candidate[name] ?? 0), 0);
        }),
      );
    return { n, costs: Object.fromEntries(given.map((name) => [name, costOf(name)])) };
  });
}
