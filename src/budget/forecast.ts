/**
 * What the whole budget would answer, seen from what is known: what is left of it is played out many times (`plays.ts`).
 * The share of plays that end as the present leader would have it is the confidence: a posterior predictive probability.
 * An end is an answer together with whether it passed, so that no answer is settled unverified that may yet be verified.
 *
 * Looking after every event keeps it. Given the model, the probability that the leader of the whole budget is the
 * present one is a martingale over what comes in, so whatever rule stops the first time that it is ≥ c ends with the
 * answer of the whole budget in at least c of the problems, on average over problems. It is a statement about problems
 * as the priors expect them, not about every single one: `docs/statistics.md` has how often it held on recorded pools.
 *
 * The same plays say what is worth asking next: how much of the variance of "the leader wins" goes with the outcome of
 * one more piece of work; and whether that is worth asking now, or what is on its way will probably settle it.
 */
import { Random } from '../numbers/random.js';
import { isCertain } from './certain.js';
import type { Known } from './known.js';
import { NEW_WINNER, Plays, winnerOf, type Winner } from './plays.js';
import type { Work } from './work.js';
import type { Plan } from './stages.js';

export interface Forecast {
  /** How most plays end: one that a new answer wins has no such end. */
  readonly leader: Winner | null;
  /** Share of the plays that end so. */
  readonly confidence: number;
  /** They end so whatever comes. */
  readonly certain: boolean;
  /**
   * Pieces of work whose outcomes were looked at, with the variance that each would explain; the most valuable first.
   */
  readonly worth: readonly { readonly work: Work; readonly variance: number }[];
  /** Probability that what is on its way settles the answer: that some answer is then as sure as the plan asks. */
  readonly settles: number;
}

/** Plays: ±0.011 at 0.95. */
const PLAYS = 400;

/**
 * @param running pieces that are on their way
 * @param seed of the plays: the same known, the same forecast
 */
export function forecastOf(known: Known, plan: Plan, running: readonly Work[] = [], seed = 0): Forecast {
  const looks = known.reduce((n, { opinions }) => n + opinions.length, 0);
  const plays = new Plays(known, plan, running, new Random(seed, known.length, looks));
  const { winners, outcomes, arrived } = plays.play(PLAYS);
  const wins = new Map<number, number>();
  for (const winner of winners) wins.set(winner, (wins.get(winner) ?? 0) + 1);
  let [leading, most] = [NEW_WINNER, 0];
  for (const [winner, won] of wins) if (winner !== NEW_WINNER && won > most) [leading, most] = [winner, won];
  const leader = leading === NEW_WINNER ? null : winnerOf(leading);
  const worth = plays.works
    .map((work, w) => ({ work, variance: explained(winners, outcomes[w] ?? new Int32Array(), leading) }))
    .sort((a, b) => b.variance - a.variance);
  return {
    leader,
    confidence: most / PLAYS,
    certain: leader !== null && isCertain(known, plan, leader),
    worth,
    settles: running.length === 0 ? 0 : settled(winners, arrived, plan),
  };
}

/**
 * @param winners [plays]
 * @param outcomes [plays] of one piece
 * @returns Var(E[leader wins | outcome])
 */
function explained(winners: Int32Array, outcomes: Int32Array, leader: number): number {
  const byOutcome = new Map<number, { count: number; wins: number }>();
  let wins = 0;
  for (let play = 0; play < winners.length; play++) {
    const won = winners[play] === leader ? 1 : 0;
    wins += won;
    const outcome = outcomes[play] ?? NaN;
    const sum = byOutcome.get(outcome);
    if (sum) {
      sum.count++;
      sum.wins += won;
    } else byOutcome.set(outcome, { count: 1, wins: won });
  }
  const mean = wins / winners.length;
  let variance = 0;
  for (const { count, wins: won } of byOutcome.values())
    variance += (count / winners.length) * (won / count - mean) ** 2;
  // Outcomes that differ by chance alone explain this much on average.
  return Math.max(0, variance - ((byOutcome.size - 1) * mean * (1 - mean)) / winners.length);
}

/**
 * Share of the plays whose arrivals leave one answer as the winner of nearly all plays with the same arrivals. Few plays
 * say little: one that never lost counts as having lost once.
 */
function settled(winners: Int32Array, arrived: Int32Array, { confidence }: Pick<Plan, 'confidence'>): number {
  const byArrival = new Map<number, number[]>();
  winners.forEach((winner, play) => {
    const arrival = arrived[play] ?? NaN;
    const same = byArrival.get(arrival);
    if (same) same.push(winner);
    else byArrival.set(arrival, [winner]);
  });
  let settling = 0;
  for (const same of byArrival.values()) {
    const wins = new Map<number, number>();
    for (const winner of same) if (winner !== NEW_WINNER) wins.set(winner, (wins.get(winner) ?? 0) + 1);
    if (Math.max(0, ...wins.values()) >= confidence * (same.length + 1)) settling += same.length;
  }
  return settling / winners.length;
}
