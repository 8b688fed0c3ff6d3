/** Chooses from a subset as `select` does from a pool, without an object per candidate. */
import type { Pools } from './pools.js';
import type { Rule, RunRules } from './selector-arrays.js';

/** Scratch for pools with at most so many different answers. */
export class Tally {
  /** [groups] */
  private readonly weights: Float64Array;
  /** [groups] the round in which a group was seen last. */
  private readonly rounds: Uint32Array;
  /** [groups] groups of this round in the order first seen. */
  private readonly order: Int32Array;
  private round = 0;

  constructor(groups: number) {
    this.weights = new Float64Array(groups);
    this.rounds = new Uint32Array(groups);
    this.order = new Int32Array(groups);
  }

  static for({ runs }: Pools): Tally {
    return new Tally(runs.reduce((most, { groups }) => Math.max(most, groups), 1));
  }

  /**
   * @param group [candidates]
   * @param picked [≥ size] candidates of the subset, in the order that decides ties
   * @returns the group that weighs most, the first seen among equals; −1 when nothing can be chosen
   */
  winner({ own, otherwise }: RunRules, group: Int32Array, picked: Int32Array, size: number): number {
    const chosen = this.heaviest(own, group, picked, size);
    return chosen === -1 && otherwise ? this.heaviest(otherwise, group, picked, size) : chosen;
  }

  private heaviest(rule: Rule, group: Int32Array, picked: Int32Array, size: number): number {
    const seen = this.add(rule, group, picked, size);
    let [best, most] = [-1, -1];
    for (let i = 0; i < seen; i++) {
      const each = this.order[i] ?? 0;
      const weight = this.weights[each] ?? 0;
      if (weight > most) [best, most] = [each, weight];
    }
    return best;
  }

  /** @returns how many groups the subset has */
  private add({ weight, counts, combine }: Rule, group: Int32Array, picked: Int32Array, size: number): number {
    const { weights, rounds, order } = this;
    const round = (this.round = (this.round + 1) >>> 0);
    const sums = combine === 'sum';
    let seen = 0;
    for (let i = 0; i < size; i++) {
      const candidate = picked[i] ?? 0;
      if (counts[candidate] === 0) continue;
      const each = group[candidate] ?? 0;
      const more = weight[candidate] ?? 0;
      if (rounds[each] !== round) {
        rounds[each] = round;
        weights[each] = more;
        order[seen++] = each;
      } else if (sums) weights[each] = (weights[each] ?? 0) + more;
      else if (more > (weights[each] ?? 0)) weights[each] = more;
    }
    return seen;
  }
}
