/** Chooses from a subset as `select` does from a pool, without an object per candidate. */
import { Vote } from '../select/vote.js';
import type { Pools } from './pools.js';
import type { Rule, RunRules } from './selector-arrays.js';

/** Scratch for pools with at most so many different answers. */
export class Tally {
  private readonly vote: Vote;

  constructor(groups: number) {
    this.vote = new Vote(groups);
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

  private heaviest({ weight, counts, combine }: Rule, group: Int32Array, picked: Int32Array, size: number): number {
    const { vote } = this;
    vote.begin(combine);
    for (let i = 0; i < size; i++) {
      const candidate = picked[i] ?? -1;
      if (counts[candidate] === 1) vote.add(group[candidate] ?? -1, weight[candidate] ?? NaN, i);
    }
    return vote.leader();
  }
}
