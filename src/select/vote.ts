/**
 * Sum by answer, take the best: the one place where answers are weighed against each other, for selection, curves,
 * reports and stopping.
 *
 * Ties go to the first seen: of answers that weigh the same, to the one whose first candidate that counts has the
 * lowest place in the pool; of candidates with one answer that weigh the same, the one with the lowest place stands for
 * it. Places decide, not the order in which candidates were added, so those that finish out of order lead to the same
 * answer.
 */

/** How the weights of candidates with the same answer combine. */
export type Combine = 'sum' | 'max';

/** A count without an object for each candidate, to be used again and again: curves hold millions. */
export class Vote {
  /** [groups] */
  private readonly totals: Float64Array;
  /** [groups] lowest place of a candidate. */
  private readonly firsts: Float64Array;
  /** [groups] the round in which the group was seen last. */
  private readonly rounds: Uint32Array;
  /** [groups] groups of this round. */
  private readonly seen: Int32Array;
  private count = 0;
  private round = 1;
  private combine: Combine = 'sum';

  /** @param groups groups are numbers from 0 to one less than this */
  constructor(groups: number) {
    this.totals = new Float64Array(groups);
    this.firsts = new Float64Array(groups);
    this.rounds = new Uint32Array(groups);
    this.seen = new Int32Array(groups);
  }

  /** Forgets all candidates. */
  begin(combine: Combine): void {
    this.combine = combine;
    this.count = 0;
    this.round = (this.round + 1) >>> 0;
    if (this.round !== 0) return;
    this.rounds.fill(0); // 2^32 rounds ago looks like now
    this.round = 1;
  }

  /**
   * @param weight ≥ 0; a candidate that counts may weigh nothing, and still be the only one
   * @param place in the pool, which decides ties
   * @throws RangeError for a group or weight that is none
   */
  add(group: number, weight: number, place: number): void {
    if (!(group >= 0 && group < this.totals.length && weight >= 0))
      throw new RangeError(`a candidate of group ${group} weighs ${weight}: groups and weights are numbers from 0`);
    if (this.rounds[group] !== this.round) {
      this.rounds[group] = this.round;
      this.totals[group] = weight;
      this.firsts[group] = place;
      this.seen[this.count++] = group;
      return;
    }
    const before = this.weightOf(group);
    this.totals[group] = this.combine === 'sum' ? before + weight : Math.max(before, weight);
    if (place < this.firstOf(group)) this.firsts[group] = place;
  }

  /** @returns the group that weighs most; −1 when no candidate counts */
  leader(): number {
    let [leader, most, first] = [-1, -1, Infinity];
    for (let i = 0; i < this.count; i++) {
      const group = this.seen[i] ?? -1;
      const [weight, place] = [this.weightOf(group), this.firstOf(group)];
      if (weight > most || (weight === most && place < first)) [leader, most, first] = [group, weight, place];
    }
    return leader;
  }

  /** What the answers weigh, in the order first seen. */
  weights(): number[] {
    return [...this.seen.subarray(0, this.count)]
      .sort((a, b) => this.firstOf(a) - this.firstOf(b))
      .map((group) => this.weightOf(group));
  }

  /** Of a group of this round. */
  private weightOf(group: number): number {
    return this.totals[group] ?? NaN;
  }

  private firstOf(group: number): number {
    return this.firsts[group] ?? NaN;
  }
}

/** What one candidate gives to an answer. */
export interface Ballot {
  /** Equal for equal answers. */
  readonly group: number;
  /** ≥ 0 */
  readonly weight: number;
}

/** Candidates with one answer, together. */
export interface VotedAnswer {
  readonly group: number;
  readonly weight: number;
  /** Places of the candidates that count, ascending. */
  readonly places: readonly number[];
  /** Place of the heaviest. */
  readonly standsFor: number;
}

/**
 * @param ballots [candidates] in the order of the pool; null for those that do not count
 * @returns the answers in the order first seen, and the one that won; null when no candidate counts
 */
export function voteOn(
  ballots: readonly (Ballot | null)[],
  combine: Combine,
): { readonly answers: readonly VotedAnswer[]; readonly leader: VotedAnswer | null } {
  const numbers = new Map<number, number>(); // groups may be any numbers
  const vote = new Vote(ballots.length);
  vote.begin(combine);
  const answers: { group: number; places: number[]; standsFor: number; most: number }[] = [];
  ballots.forEach((ballot, place) => {
    if (!ballot) return;
    const { group, weight } = ballot;
    const number = numbers.get(group) ?? numbers.size;
    numbers.set(group, number);
    vote.add(number, weight, place);
    const answer = (answers[number] ??= { group, places: [], standsFor: place, most: weight });
    answer.places.push(place);
    if (weight > answer.most) Object.assign(answer, { standsFor: place, most: weight });
  });
  const weights = vote.weights(); // ballots come in the order of places, so numbers are in the order first seen
  const voted = answers.map(({ group, places, standsFor }, i) => ({
    group,
    weight: weights[i] ?? 0,
    places,
    standsFor,
  }));
  return { answers: voted, leader: voted[vote.leader()] ?? null };
}
