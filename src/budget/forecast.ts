/**
 * What the whole budget would answer, seen from what is known. What is left of it is played out many times: answers of
 * further candidates come from a Pólya urn over those seen (a new answer with weight 1), what the tool says of an
 * answer from a Dirichlet posterior over what it said of that answer, rewards around those of the same answer. The
 * share of plays that the present leader wins is the confidence: a posterior predictive probability.
 *
 * Looking after every event keeps it. Given the model, the probability that the leader of the whole budget is the
 * present one is a martingale over what comes in, so whatever rule stops the first time that it is ≥ c ends with the
 * answer of the whole budget in at least c of the problems, on average over problems. It is a statement about problems
 * as the priors expect them, not about every single one: `docs/statistics.md` has how often it held on recorded pools.
 *
 * The same plays say what is worth asking next: how much of the variance of "the leader wins" goes with the outcome of
 * one more piece of work, per token that it costs.
 */
import { must } from '../must.js';
import { Random } from '../numbers/random.js';
import { Vote } from '../select/vote.js';
import type { Opinion, Verdict } from '../types.js';
import { judge, rules } from '../verify/opinion-rules.js';
import { isOpen, type Known, type KnownCandidate } from './known.js';
import type { Plan } from './stages.js';

/** One more piece of work. `candidate` of the last two: its sample index. */
export type Work =
  | { readonly kind: 'candidate' }
  | { readonly kind: 'opinion'; readonly candidate: number }
  | { readonly kind: 'judgement'; readonly candidate: number };

export interface Forecast {
  /** Group of the answer that wins most plays; null where that is none at all. */
  readonly leader: number | null;
  /** Share of the plays that it wins. */
  readonly confidence: number;
  /** It wins whatever comes. */
  readonly certain: boolean;
  /**
   * Pieces of work whose outcomes were looked at, with the variance that each would explain; the most valuable first.
   */
  readonly worth: readonly { readonly work: Work; readonly variance: number }[];
}

/** Plays: ±0.011 at 0.95. */
const PLAYS = 400;
/**
 * [pass, fail, unknown] looks that count before the first: few, since looks at one answer mostly agree (a program
 * checks the answer, whoever gave it). Only one answer is right: where one has passed, the others are less likely to.
 */
const PRIOR = { open: [0.1, 0.1, 0.1], against: [0.03, 0.2, 0.07] };
/** Weight of an answer that nobody has given yet, in candidates. */
const NEW_ANSWER = 1;
/** Standard deviation of a reward about which nothing is known but the answer's others. */
const REWARD_SPREAD = 0.15;
const ROUNDING = 1e-9;

/** @param seed of the plays: the same known, the same forecast */
export function forecastOf(known: Known, plan: Plan, seed = 0): Forecast {
  const model = new Model(
    known,
    plan,
    new Random(
      seed,
      known.length,
      known.reduce((n, { opinions }) => n + opinions.length, 0),
    ),
  );
  const plays = Array.from({ length: PLAYS }, () => model.play());
  const wins = new Map<number | null, number>();
  for (const { winner } of plays) wins.set(winner, (wins.get(winner) ?? 0) + 1);
  let leader: number | null = null;
  let most = 0;
  for (const [group, won] of wins) if (group !== NEW && won > most) [leader, most] = [group, won];
  const worth = model.works
    .map((work, w) => ({ work, variance: explained(plays, w, leader) }))
    .sort((a, b) => b.variance - a.variance);
  return { leader, confidence: most / PLAYS, certain: leader !== null && isCertain(known, plan, leader), worth };
}

/** The winner of a play that nobody has named yet. */
const NEW = -2;

interface Play {
  readonly winner: number | null;
  /** [works] what came of each piece, as a small number. */
  readonly outcomes: readonly number[];
}

/** Var(E[leader wins | outcome of piece w]) over the plays. */
function explained(plays: readonly Play[], w: number, leader: number | null): number {
  const sums = new Map<number, { count: number; wins: number }>();
  let wins = 0;
  for (const { winner, outcomes } of plays) {
    const outcome = outcomes[w] ?? -1;
    const sum = sums.get(outcome) ?? { count: 0, wins: 0 };
    sum.count++;
    if (winner === leader) {
      sum.wins++;
      wins++;
    }
    sums.set(outcome, sum);
  }
  const mean = wins / plays.length;
  let variance = 0;
  for (const { count, wins: won } of sums.values()) variance += (count / plays.length) * (won / count - mean) ** 2;
  // Outcomes that differ by chance alone explain this much on average.
  return Math.max(0, variance - ((sums.size - 1) * mean * (1 - mean)) / plays.length);
}

const OPINIONS = ['pass', 'fail', 'unknown'] as const satisfies readonly Opinion[];

/** Of one answer, in one play. */
interface Answer {
  readonly group: number;
  /** Of its votes. */
  readonly number: number;
  candidates: number;
  /** [pass, fail, unknown] probabilities of a look; drawn when first needed. */
  odds: readonly number[] | undefined;
}

class Model {
  readonly works: readonly Work[];
  /** [candidates] where the outcomes of their pieces are written; −1: nowhere. */
  private readonly places: readonly { readonly opinion: number; readonly judgement: number }[];
  private readonly opened: readonly KnownCandidate[];
  private readonly meanReward: number;
  private readonly rewards = new Map<number, number>();
  private readonly counts = new Map<number, number[]>();
  /** Of those that count for the strategy, and of all, by what stands in if none does. */
  private readonly own: Vote;
  private readonly standIn: Vote;
  /** Sample indices of the candidates that are still to come. */
  private readonly missing: readonly number[];
  private spare: number | undefined;

  constructor(
    private readonly known: Known,
    private readonly plan: Plan,
    private readonly random: Random,
  ) {
    const all = known.flatMap(({ reward }) => (typeof reward === 'number' ? [reward] : []));
    this.meanReward = all.length === 0 ? 0.5 : all.reduce((sum, reward) => sum + reward, 0) / all.length;
    this.opened = known.filter((each) => isOpen(each, plan));
    this.own = new Vote(plan.candidates);
    this.standIn = new Vote(plan.candidates);
    this.missing = missingOf(known, plan);
    for (const { group, opinions, reward } of known) {
      if (group === null) continue;
      const counts = this.counts.get(group) ?? [0, 0, 0];
      for (const opinion of opinions) counts[OPINIONS.indexOf(opinion)] = (counts[OPINIONS.indexOf(opinion)] ?? 0) + 1;
      this.counts.set(group, counts);
      if (typeof reward === 'number' && !this.rewards.has(group)) this.rewards.set(group, reward);
    }
    this.works = this.possibleWorks();
    const place = (kind: Work['kind'], index: number): number =>
      this.works.findIndex((work) => work.kind === kind && work.kind !== 'candidate' && work.candidate === index);
    this.places = known.map(({ index }) => ({
      opinion: place('opinion', index),
      judgement: place('judgement', index),
    }));
  }

  /**
   * Of each answer the candidate with the fewest looks stands for all: what one more says of any of them is the same.
   */
  private possibleWorks(): Work[] {
    const first = (of: readonly KnownCandidate[], done: (each: KnownCandidate) => number): number[] => {
      const byGroup = new Map<number | null, KnownCandidate>();
      for (const each of of) {
        const other = byGroup.get(each.group);
        if (!other || done(each) < done(other)) byGroup.set(each.group, each);
      }
      return [...byGroup.values()].map(({ index }) => index);
    };
    const { strategy, otherwise, candidates } = this.plan;
    const judged = [strategy, otherwise].some((each) => each?.needs.includes('reward'))
      ? this.known.filter((each) => each.judgementsLeft > 0)
      : [];
    return [
      ...(this.known.length < candidates ? [{ kind: 'candidate' } as const] : []),
      ...first(strategy.needs.includes('tool') ? this.opened : [], ({ opinions }) => opinions.length).map(
        (candidate) => ({ kind: 'opinion', candidate }) as const,
      ),
      ...first(judged, ({ judgements }) => judgements).map((candidate) => ({ kind: 'judgement', candidate }) as const),
    ];
  }

  play(): Play {
    const { plan, known } = this;
    const answers = new Map<number, Answer>();
    this.own.begin(plan.strategy.combine);
    this.standIn.begin(plan.otherwise?.combine ?? 'sum');
    let unanswered = 0;
    const outcomes = new Array<number>(this.works.length).fill(-1);
    for (let i = 0; i < known.length; i++) {
      const each = must(known[i], 'a candidate');
      const places = must(this.places[i], 'a place');
      if (each.group === null) {
        unanswered++;
        continue;
      }
      const answer = this.answerOf(answers, each.group);
      answer.candidates++;
      const [verdict, look] = this.verdictIn(answer, each.opinions, each.opinionsLeft);
      const reward = this.rewardIn(each);
      if (places.opinion !== -1) outcomes[places.opinion] = look;
      if (places.judgement !== -1) outcomes[places.judgement] = reward === null ? -1 : Math.floor(reward * 4);
      this.add(answer, verdict, reward, each.index);
    }
    let next = NEW - 1;
    for (let drawn = 0; drawn < this.missing.length; drawn++) {
      const group = this.drawAnswer(answers, unanswered, known.length + drawn, next);
      const first = drawn === 0 ? group : undefined;
      if (group === null) unanswered++;
      else {
        if (group === next) next--;
        const answer = this.answerOf(answers, group);
        answer.candidates++;
        const [verdict] = this.verdictIn(answer, [], plan.opinions);
        this.add(
          answer,
          verdict,
          this.rewardIn({ group, reward: undefined, judgements: 0, judgementsLeft: plan.judgements }),
          must(this.missing[drawn], 'a sample index'),
        );
      }
      if (first !== undefined) outcomes[0] = first === null ? -1 : first; // the first of `works`, where any is left
    }
    return { winner: this.winner(answers), outcomes };
  }

  private answerOf(answers: Map<number, Answer>, group: number): Answer {
    let answer = answers.get(group);
    if (!answer) {
      answer = { group, number: answers.size, candidates: 0, odds: undefined };
      answers.set(group, answer);
    }
    return answer;
  }

  /** Pólya's urn. @returns null: no answer; `fresh`: one that is new */
  private drawAnswer(
    answers: ReadonlyMap<number, Answer>,
    unanswered: number,
    seen: number,
    fresh: number,
  ): number | null {
    let at = this.uniform() * (seen + NEW_ANSWER);
    for (const { group, candidates } of answers.values()) if ((at -= candidates) < 0) return group;
    return (at -= unanswered) < 0 ? null : fresh;
  }

  /** @returns the verdict after all looks, and what the next one said (−1: none is left) */
  private verdictIn(answer: Answer, opinions: readonly Opinion[], left: number): readonly [Verdict, number] {
    const counts = { pass: 0, fail: 0, unknown: 0 };
    for (const opinion of opinions) counts[opinion]++;
    let first = -1;
    if (left > 0) {
      answer.odds ??= this.oddsOf(answer.group);
      const [passing = 0, failing = 0] = answer.odds;
      for (let each = 0; each < left; each++) {
        const at = this.uniform();
        const look = at < passing ? 0 : at < passing + failing ? 1 : 2;
        if (first === -1) first = look;
        counts[OPINIONS[look] ?? 'unknown']++;
      }
    }
    return [rules[this.plan.rule](counts), first];
  }

  private rewardIn({
    group,
    reward,
    judgements,
    judgementsLeft,
  }: Pick<KnownCandidate, 'group' | 'reward' | 'judgements' | 'judgementsLeft'>): number | null {
    if (judgementsLeft === 0) return reward ?? null;
    const mean = (group === null ? undefined : this.rewards.get(group)) ?? this.meanReward;
    const drawn = Math.min(1, Math.max(0, mean + REWARD_SPREAD * this.normal()));
    if (typeof reward !== 'number') return drawn;
    return (reward * judgements + drawn * judgementsLeft) / (judgements + judgementsLeft);
  }

  /** @param index of the candidate, which decides ties */
  private add(answer: Answer, verdict: Verdict, reward: number | null, index: number): void {
    const { strategy, otherwise, unknown } = this.plan;
    const judged = {
      tool: { verdict: verdict === 'unknown' && unknown === 'pass' ? 'pass' : verdict, programs: [] },
      reward,
    } as const;
    if (!strategy.needsPass || judged.tool.verdict === 'pass')
      this.own.add(answer.number, strategy.weigh(judged), index);
    if (otherwise) this.standIn.add(answer.number, otherwise.weigh(judged), index);
  }

  private winner(answers: ReadonlyMap<number, Answer>): number | null {
    const own = this.own.leader();
    const winner = own === -1 ? this.standIn.leader() : own;
    for (const { number, group } of answers.values()) if (number === winner) return Math.max(NEW, group); // all new ones are one
    return null;
  }

  private uniform(): number {
    return this.random.next() / 4294967296;
  }

  /** Box–Muller. */
  private normal(): number {
    if (this.spare !== undefined) {
      const spare = this.spare;
      this.spare = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  private oddsOf(group: number): number[] {
    const counts = this.counts.get(group) ?? [0, 0, 0];
    const prior = [...this.counts].some(([other, [passes = 0]]) => other !== group && passes > 0)
      ? PRIOR.against
      : PRIOR.open;
    const draws = counts.map((count, i) => this.gamma(count + (prior[i] ?? 0)));
    const sum = draws.reduce((total, draw) => total + draw, 0);
    return draws.map((draw) => (sum > 0 ? draw / sum : 1 / draws.length));
  }

  /** Gamma(shape, 1): Marsaglia and Tsang 2000; below 1 by the power of a uniform. */
  private gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }
}

/** Sample indices that are not known yet, ascending. */
function missingOf(known: Known, { candidates }: Pick<Plan, 'candidates'>): number[] {
  const there = new Set(known.map(({ index }) => index));
  return Array.from({ length: candidates }, (_, index) => index).filter((index) => !there.has(index));
}

/**
 * What an answer weighs at least and at most, and from which sample index on a candidate of it counts for sure, or may
 * count.
 */
interface Bounds {
  least: number;
  most: number;
  surelyFrom: number;
  maybeFrom: number;
}

const NOBODY: Bounds = { least: 0, most: 0, surelyFrom: Infinity, maybeFrom: Infinity };

/**
 * Whether the leader wins by the strategy itself, whatever is still to come. A weight is at most 1. At a tie the answer
 * wins whose first candidate that counts has the lowest index (`select/vote.ts`): it need not be the one that was seen
 * first.
 */
export function isCertain(known: Known, plan: Plan, leader: number): boolean {
  const missing = missingOf(known, plan);
  if (missing.length === 0 && known.every((each) => isDone(each, plan))) return true;
  if (plan.strategy.combine === 'max') return false;
  const answers = new Map<number, Bounds>();
  for (const each of known) {
    if (each.group === null) continue;
    const { least, most, counts } = bounds(each, plan);
    const answer = answers.get(each.group) ?? { ...NOBODY };
    answers.set(each.group, answer);
    answer.least += least;
    answer.most += most;
    if (counts === 'surely') answer.surelyFrom = Math.min(answer.surelyFrom, each.index);
    if (counts !== 'never') answer.maybeFrom = Math.min(answer.maybeFrom, each.index);
  }
  const { least: sure, surelyFrom } = answers.get(leader) ?? NOBODY;
  if (sure <= 0) return false; // nobody passes yet: what stands in is not decided before the end
  answers.delete(leader);
  const next = missing[0] ?? Infinity;
  return [...answers.values(), NOBODY].every(({ most, maybeFrom }) => {
    const ahead = sure - most - missing.length;
    const slack = Number.isInteger(sure) && Number.isInteger(most) ? 0 : ROUNDING;
    return surelyFrom < Math.min(maybeFrom, next) ? ahead >= slack : ahead > slack;
  });
}

const isDone = (each: KnownCandidate, plan: Plan): boolean => !isOpen(each, plan) && each.judgementsLeft === 0;

/** Of what one candidate adds to its answer. */
function bounds(each: KnownCandidate, plan: Plan) {
  const { strategy, unknown } = plan;
  const said = judge(each.opinions, plan.rule);
  const verdicts = (isOpen(each, plan) ? OPINIONS : [said]).map(
    (verdict): Verdict => (verdict === 'unknown' && unknown === 'pass' ? 'pass' : verdict),
  );
  const rewards = each.judgementsLeft === 0 ? [each.reward ?? null] : [0, 1];
  const counting = verdicts.filter((verdict) => !strategy.needsPass || verdict === 'pass');
  const weights = counting.flatMap((verdict) =>
    rewards.map((reward) => strategy.weigh({ tool: { verdict, programs: [] }, reward })),
  );
  const counts = counting.length === verdicts.length ? 'surely' : counting.length > 0 ? 'maybe' : 'never';
  return { least: counts === 'surely' ? Math.min(...weights) : 0, most: Math.max(0, ...weights), counts } as const;
}
