/** Sum by answer, take the best: the one kernel, against sums that anybody can follow. */
import { describe, expect, test } from 'vitest';
import { Vote, voteOn, type Ballot, type Combine } from '../../src/select/vote.js';
import { Random } from '../../src/numbers/random.js';

const combines: readonly Combine[] = ['sum', 'max'];

/** Dyadic weights, so that sums are exact in any order and ties are common. */
const randomBallots = (random: Random, length: number): (Ballot | null)[] =>
  Array.from({ length }, () =>
    random.below(4) === 0 ? null : { group: 10 * random.below(4), weight: random.below(4) / 4 },
  );

/** Slow and obvious: of all answers that no other one exceeds, the one that is seen first. */
function obviously(ballots: readonly (Ballot | null)[], combine: Combine): Ballot | null {
  const given = ballots.flatMap((ballot) => ballot ?? []);
  const totalOf = (wanted: number): number => {
    const own = given.filter(({ group }) => group === wanted).map(({ weight }) => weight);
    return combine === 'sum' ? own.reduce((sum, weight) => sum + weight, 0) : Math.max(...own);
  };
  const best = given.find(({ group }) => given.every((other) => totalOf(other.group) <= totalOf(group)));
  return best ? { group: best.group, weight: totalOf(best.group) } : null;
}

describe.each(combines)('%s', (combine) => {
  test('the heaviest answer, the first seen among equals', () => {
    const random = new Random(1);
    let ties = 0;
    for (let i = 0; i < 2000; i++) {
      const ballots = randomBallots(random, 1 + random.below(8));
      const { answers, leader } = voteOn(ballots, combine);
      const expected = obviously(ballots, combine);
      expect(leader && { group: leader.group, weight: leader.weight }).toEqual(expected);
      if (answers.filter(({ weight }) => weight === leader?.weight).length > 1) ties++;
    }
    expect(ties).toBeGreaterThan(200);
  });

  test('candidates that finish in any order lead to the same answer: places decide', () => {
    const random = new Random(2);
    for (let i = 0; i < 2000; i++) {
      const ballots = randomBallots(random, 1 + random.below(8));
      const { leader, answers } = voteOn(ballots, combine);
      const order = ballots.map((_, place) => ({ place, key: random.next() })).sort((a, b) => a.key - b.key);
      const vote = new Vote(40);
      vote.begin(combine);
      for (const { place } of order) {
        const ballot = ballots[place];
        if (ballot) vote.add(ballot.group, ballot.weight, place);
      }
      expect(vote.leader()).toBe(leader?.group ?? -1);
      expect(vote.weights()).toEqual(answers.map(({ weight }) => weight));
    }
  });
});

test('the heaviest candidate stands for its answer, the first among equals', () => {
  const ballots = [0.5, 0.75, 0.75, 0.25].map((weight) => ({ group: 3, weight }));
  expect(voteOn([null, ...ballots], 'sum').leader).toEqual({
    group: 3,
    weight: 2.25,
    places: [1, 2, 3, 4],
    standsFor: 2,
  });
});

test('a candidate that counts and weighs nothing can be the only one; one that does not count never is', () => {
  expect(voteOn([null, { group: 5, weight: 0 }], 'sum').leader).toMatchObject({ group: 5, weight: 0, places: [1] });
  expect(voteOn([null, null], 'sum')).toEqual({ answers: [], leader: null });
  expect(new Vote(1).leader()).toBe(-1);
});

test('a vote that begins again knows nothing of the one before', () => {
  const vote = new Vote(3);
  vote.begin('sum');
  vote.add(2, 1, 0);
  vote.begin('max');
  expect([vote.leader(), vote.weights()]).toEqual([-1, []]);
  vote.add(1, 0.5, 0);
  vote.add(1, 0.5, 1);
  expect([vote.leader(), vote.weights()]).toEqual([1, [0.5]]);
});

test.each([
  [-1, 1],
  [3, 1],
  [NaN, 1],
  [0, NaN],
  [0, -0.1],
])('group %d that weighs %d is refused: it would be lost in silence', (group, weight) => {
  const vote = new Vote(3);
  vote.begin('sum');
  expect(() => vote.add(group, weight, 0)).toThrow(RangeError);
});
