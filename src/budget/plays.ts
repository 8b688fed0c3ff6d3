/**
 * What is left of a budget, played out: answers of further candidates come from a Pólya urn over those seen, and so do
 * further looks of the tool at an answer over what it said of that answer; rewards lie around those of the same answer.
 * An urn gives the predictive distribution of a Dirichlet posterior without drawing the posterior: one uniform number
 * for each thing drawn.
 */
import type { Random } from '../numbers/random.js';
import { Vote } from '../select/vote.js';
import { OPINIONS, type Opinion, type ToolVerdict, type Verdict } from '../types.js';
import { judge, rules } from '../verify/opinion-rules.js';
import { NEW_ANSWER, newAnswerShares, TOOL_KINDS, type ToolKind, toolShares } from './expected.js';
import { isOpen, missingOf, saidOf, type Known, type KnownCandidate } from './known.js';
import type { Plan } from './stages.js';
import { possibleWorks, type Work } from './work.js';

/** Half the width of the rewards around that of the answer's others: a standard deviation of 0.15. */
const REWARD_SPREAD = 0.15 * Math.sqrt(3);

/** How a play ends. */
export interface Winner {
  /** Group of the answer; null for none. */
  readonly group: number | null;
  /** No answer passed, so what stands in for the strategy chose. */
  readonly byFallback: boolean;
}

/** Winners as numbers, to be counted: none, and an answer that nobody has named yet. */
const NONE = -1;
export const NEW_WINNER = -2;
const numberOf = (group: number, byFallback: boolean): number => 2 * group + Number(byFallback);
/** @param number not that of a new answer */
export const winnerOf = (number: number): Winner =>
  number === NONE ? { group: null, byFallback: true } : { group: Math.floor(number / 2), byFallback: number % 2 === 1 };

/** What came of a piece of work that a play has no place for. */
const NOTHING = -1;

/** What came of plays. */
export interface Played {
  /** [plays] see `winnerOf`. */
  readonly winners: Int32Array;
  /** [works][plays] what came of each piece, as a small number; −1 where there is nothing to tell. */
  readonly outcomes: readonly Int32Array[];
  /** [plays] what came of all that is on its way, as one number. */
  readonly arrived: Int32Array;
}

/** Where the outcomes of one look at a candidate are written. */
interface Place {
  /** Place in `works`; −1: nowhere. */
  readonly opinion: number;
  readonly judgement: number;
  readonly opinionArrives: boolean;
  readonly judgementArrives: boolean;
}

const TOOLS: Readonly<Record<Verdict, ToolVerdict>> = {
  pass: { verdict: 'pass', programs: [] },
  fail: { verdict: 'fail', programs: [] },
  unknown: { verdict: 'unknown', programs: [] },
  skipped: { verdict: 'skipped', programs: [] },
};

export class Plays {
  readonly works: readonly Work[];
  private readonly places: readonly Place[];
  /** [known] number of the answer of each candidate, in the order first seen; −1: none. */
  private readonly numbers: readonly number[];
  /** [answers seen] */
  private readonly groups: readonly number[];
  /** [known] the verdict of those of which nothing more will be said. */
  private readonly final: readonly (Verdict | undefined)[];
  /** Sample indices of the candidates that are still to come; those on their way first. */
  private readonly missing: readonly number[];
  /** How many of them are on their way, and the place of the first that is not (the last, where all are). */
  private readonly coming: number;
  private readonly nextDrawn: number;
  private readonly unanswered: number;
  private readonly meanReward: number;
  /** Of those that count for the strategy, and of all, by what stands in if none does. */
  private readonly own: Vote;
  private readonly standIn: Vote;

  /** [answers seen] before a play; then [answers] in the course of one. */
  private readonly seen: {
    readonly candidates: Float64Array;
    /** [kinds of tool] */
    readonly looks: readonly Float64Array[];
  };
  private readonly candidates: Float64Array;
  /** [answers × 3] with the prior. */
  private readonly looks: Float64Array;
  /** [answers] of one candidate with that answer; NaN: nobody asked. */
  private readonly rewards: Float64Array;
  /** Some answer has passed. */
  private readonly anyPassed: boolean;
  private readonly counts = { pass: 0, fail: 0, unknown: 0 };
  private answers = 0;
  /** [NEW_ANSWER] sums to 1. */
  private readonly newAnswerShares: readonly number[];
  /** [TOOL_KINDS] sums to 1. */
  private readonly kindShares: readonly number[];
  /** Of this play. */
  private newAnswer = 1;
  private kind = 0;

  /** @param running pieces that are on their way; of candidates, as many as there are */
  constructor(
    private readonly known: Known,
    private readonly plan: Plan,
    private readonly running: readonly Work[],
    private readonly random: Random,
  ) {
    const scored = known.flatMap(({ reward }) => (typeof reward === 'number' ? [reward] : []));
    this.meanReward = scored.length === 0 ? 0.5 : scored.reduce((sum, reward) => sum + reward, 0) / scored.length;
    this.own = new Vote(plan.candidates);
    this.standIn = new Vote(plan.candidates);
    this.missing = missingOf(known, plan);
    this.coming = running.filter(({ kind }) => kind === 'candidate').length;
    this.nextDrawn = Math.min(this.coming, this.missing.length - 1);
    this.groups = [...new Set(known.flatMap(({ group }) => (group === null ? [] : [group])))];
    this.numbers = known.map(({ group }) => (group === null ? -1 : this.groups.indexOf(group)));
    this.unanswered = this.numbers.filter((number) => number === -1).length;
    this.final = known.map((each) => (isOpen(each, plan) ? undefined : judge(each.opinions, plan.rule)));

    const most = this.groups.length + this.missing.length;
    this.candidates = new Float64Array(most);
    this.looks = new Float64Array(3 * most);
    this.rewards = new Float64Array(most).fill(NaN);
    this.anyPassed = known.some(({ opinions }) => opinions.includes('pass'));
    for (const number of this.numbers) if (number !== -1) increase(this.candidates, number);
    known.forEach(({ reward }, i) => {
      const number = this.numbers[i] ?? -1;
      if (number !== -1 && typeof reward === 'number' && Number.isNaN(this.rewards[number]))
        this.rewards[number] = reward;
    });
    const said = this.groups.map((group) => saidOf(known, group));
    this.kindShares = toolShares(said, known.length);
    const looks = TOOL_KINDS.map((kind) => {
      said.forEach(({ looks: counts, agreeing, against }, number) => {
        this.expect(number, kind, kind.odds(agreeing, known.length, against));
        for (const [i, count] of counts.entries())
          this.looks[3 * number + i] = (this.looks[3 * number + i] ?? 0) + count;
      });
      return this.looks.slice();
    });
    this.newAnswerShares = newAnswerShares(known.length - this.unanswered, this.groups.length);
    this.seen = { candidates: this.candidates.slice(), looks };
    this.works = possibleWorks(known, plan);
    this.places = known.map(({ index }) => this.placeOf(index));
  }

  private placeOf(index: number): Place {
    const at = (works: readonly Work[], kind: Work['kind']): number =>
      works.findIndex((work) => work.kind === kind && work.kind !== 'candidate' && work.candidate === index);
    return {
      opinion: at(this.works, 'opinion'),
      judgement: at(this.works, 'judgement'),
      opinionArrives: at(this.running, 'opinion') !== -1,
      judgementArrives: at(this.running, 'judgement') !== -1,
    };
  }

  /** @param times plays, one after the other */
  play(times: number): Played {
    const winners = new Int32Array(times);
    const arrived = new Int32Array(times);
    const outcomes = this.works.map(() => new Int32Array(times).fill(NOTHING));
    for (let play = 0; play < times; play++) {
      this.begin();
      const known = this.playKnown(outcomes, play);
      arrived[play] = this.playMissing(outcomes[0], play, known);
      winners[play] = this.winner();
    }
    return { winners, arrived, outcomes };
  }

  private begin(): void {
    this.candidates.set(this.seen.candidates);
    this.kind = this.drawn(this.kindShares);
    this.looks.set(this.seen.looks[this.kind] ?? []);
    this.answers = this.groups.length;
    this.newAnswer = NEW_ANSWER[this.drawn(this.newAnswerShares)]?.weight ?? 1;
    this.own.begin(this.plan.strategy.combine);
    this.standIn.begin(this.plan.otherwise?.combine ?? 'sum');
  }

  /** What is left to be asked of the candidates that are there. @returns what of it arrives */
  private playKnown(outcomes: readonly Int32Array[], play: number): number {
    let arrived = 0;
    for (let i = 0; i < this.known.length; i++) {
      const number = this.numbers[i] ?? -1;
      const each = this.known[i];
      const place = this.places[i];
      if (number === -1 || !each || !place) continue;
      let verdict = this.final[i];
      let look = NOTHING;
      if (verdict === undefined) {
        look = this.lookAt(number, each.opinions, each.opinionsLeft);
        verdict = rules[this.plan.rule](this.counts);
      }
      const reward = this.rewardIn(number, each.reward, each.judgements, each.judgementsLeft);
      const scored = reward === null ? NOTHING : Math.floor(reward * 4);
      write(outcomes[place.opinion], play, look);
      write(outcomes[place.judgement], play, scored);
      if (place.opinionArrives) arrived = mixed(arrived, look);
      if (place.judgementArrives) arrived = mixed(arrived, scored);
      this.add(number, verdict, reward, each.index);
    }
    return arrived;
  }

  /**
   * The candidates that are still to come, with all that can be asked of them.
   *
   * @param next [plays] answer of the first that is not on its way: it is the first of `works`
   */
  private playMissing(next: Int32Array | undefined, play: number, before: number): number {
    let arrived = before;
    let unanswered = this.unanswered;
    for (let drawn = 0; drawn < this.missing.length; drawn++) {
      const number = this.drawAnswer(unanswered, this.known.length + drawn);
      const outcome = number === -1 ? NOTHING : Math.min(number, this.groups.length);
      if (drawn === this.nextDrawn) write(next, play, outcome);
      if (drawn < this.coming) arrived = mixed(arrived, outcome);
      if (number === -1) {
        unanswered++;
        continue;
      }
      increase(this.candidates, number);
      this.lookAt(number, NO_OPINIONS, this.plan.opinions);
      const reward = this.rewardIn(number, undefined, 0, this.plan.judgements);
      this.add(number, rules[this.plan.rule](this.counts), reward, this.missing[drawn] ?? Infinity);
    }
    return arrived;
  }

  /** @param shares that sum to 1 @returns place of one of them */
  private drawn(shares: readonly number[]): number {
    let at = this.uniform();
    for (let i = 0; i < shares.length; i++) if ((at -= shares[i] ?? 0) < 0) return i;
    return shares.length - 1;
  }

  /** @returns number of the answer; −1: none */
  private drawAnswer(unanswered: number, seen: number): number {
    let at = this.uniform() * (seen + this.newAnswer);
    for (let number = 0; number < this.answers; number++) {
      at -= this.candidates[number] ?? 0;
      if (at < 0) return number;
    }
    if (at - unanswered < 0) return -1;
    const number = this.answers++;
    this.candidates[number] = 0;
    const kind = TOOL_KINDS[this.kind];
    if (kind) this.expect(number, kind, kind.odds(1, seen + 1, this.anyPassed));
    return number;
  }

  private expect(
    number: number,
    { looksBefore }: ToolKind,
    [pass, fail, unknown]: readonly [number, number, number],
  ): void {
    this.looks[3 * number] = looksBefore * pass;
    this.looks[3 * number + 1] = looksBefore * fail;
    this.looks[3 * number + 2] = looksBefore * unknown;
  }

  /** Counts what has been said and all that is left. @returns what the first of them says; −1 for none */
  private lookAt(number: number, opinions: readonly Opinion[], left: number): number {
    const { counts, looks } = this;
    counts.pass = counts.fail = counts.unknown = 0;
    for (const opinion of opinions) counts[opinion]++;
    let first = NOTHING;
    for (let each = 0; each < left; each++) {
      const [pass, fail] = [looks[3 * number] ?? 0, looks[3 * number + 1] ?? 0];
      const at = this.uniform() * (pass + fail + (looks[3 * number + 2] ?? 0));
      const look = at < pass ? 0 : at < pass + fail ? 1 : 2;
      increase(looks, 3 * number + look);
      counts[OPINIONS[look] ?? 'unknown']++;
      if (first === NOTHING) first = look;
    }
    return first;
  }

  private rewardIn(
    number: number,
    reward: KnownCandidate['reward'],
    judgements: number,
    judgementsLeft: number,
  ): number | null {
    if (judgementsLeft === 0) return reward ?? null;
    const known = number < this.groups.length ? (this.rewards[number] ?? NaN) : NaN;
    const mean = Number.isNaN(known) ? this.meanReward : known;
    const drawn = Math.min(1, Math.max(0, mean + REWARD_SPREAD * (2 * this.uniform() - 1)));
    if (typeof reward !== 'number') return drawn;
    return (reward * judgements + drawn * judgementsLeft) / (judgements + judgementsLeft);
  }

  /** @param index of the candidate, which decides ties */
  private add(number: number, verdict: Verdict, reward: number | null, index: number): void {
    const { strategy, otherwise, unknown } = this.plan;
    const counted = verdict === 'unknown' && unknown === 'pass' ? 'pass' : verdict;
    const judged = { tool: TOOLS[counted], reward };
    if (!strategy.needsPass || counted === 'pass') this.own.add(number, strategy.weigh(judged), index);
    if (otherwise) this.standIn.add(number, otherwise.weigh(judged), index);
  }

  private winner(): number {
    const own = this.own.leader();
    const winner = own === -1 ? this.standIn.leader() : own;
    if (winner === -1) return NONE;
    const group = this.groups[winner];
    return group === undefined ? NEW_WINNER : numberOf(group, own === -1);
  }

  private uniform(): number {
    return this.random.next() / 4294967296;
  }
}

const NO_OPINIONS: readonly Opinion[] = [];

const write = (values: Int32Array | undefined, at: number, value: number): void => {
  if (values) values[at] = value;
};

const increase = (values: Float64Array, at: number): void => {
  values[at] = (values[at] ?? 0) + 1;
};

/** Outcomes in their order as one number, below 2^31. */
const mixed = (before: number, outcome: number): number => (Math.imul(before, 67) + outcome + 2) & 0x7fffffff;
