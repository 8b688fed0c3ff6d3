/** What is known of a problem while its budget is being spent, in the form in which it can be played on. */
import type { Opinion, Verdict } from '../types.js';
import { judge } from '../verify/opinion-rules.js';
import type { Said } from './expected.js';
import type { JudgedCandidate, Plan, Stages } from './stages.js';

export interface KnownCandidate {
  readonly index: number;
  /** Index of the first candidate with the same answer; null without an answer. */
  readonly group: number | null;
  /** What the tool has said; further looks may add to it. */
  readonly opinions: readonly Opinion[];
  readonly opinionsLeft: number;
  /** Null: there is nothing to score; undefined: not asked. */
  readonly reward: number | null | undefined;
  /** Looks of the reward so far, and those left. */
  readonly judgements: number;
  readonly judgementsLeft: number;
}

/** [candidates] in the order of their sample index. */
export type Known = readonly KnownCandidate[];

/** The verdict as it stands, with what was not asked as `skipped`. */
export const verdictOf = ({ opinions }: Pick<KnownCandidate, 'opinions'>, { rule }: Pick<Plan, 'rule'>): Verdict =>
  opinions.length === 0 ? 'skipped' : judge(opinions, rule);

/** Whether further looks may still change what the tool says. */
export function isOpen({ opinions, opinionsLeft }: KnownCandidate, { rule }: Pick<Plan, 'rule'>): boolean {
  if (opinionsLeft === 0) return false;
  const end = (rest: Opinion): Opinion => judge([...opinions, ...Array<Opinion>(opinionsLeft).fill(rest)], rule);
  return new Set([end('pass'), end('fail'), end('unknown')]).size > 1;
}

/** @param groups [candidates] see `answerGroups` */
export function knownOf(
  judged: readonly JudgedCandidate[],
  groups: readonly (number | null)[],
  plan: Plan,
  stages: Pick<Stages, 'opinionsOf'>,
  judgements: (candidate: JudgedCandidate) => number,
): KnownCandidate[] {
  return judged.map((each, i) => {
    const { candidate, tool, reward } = each;
    const group = groups[i] ?? null;
    const asked = judgements(each);
    const open = group !== null;
    // A tool that has given its verdict without a look of its own (steps that do not hold) has nothing to add.
    const opinions = tool ? stages.opinionsOf(tool) : [];
    const final = tool !== undefined && opinions.length === 0;
    return {
      index: candidate.index,
      group,
      opinions: final ? [opinionOf(tool.verdict)] : opinions,
      opinionsLeft: open && !final ? Math.max(0, plan.opinions - opinions.length) : 0,
      reward: reward?.score,
      judgements: asked,
      judgementsLeft: open ? Math.max(0, plan.judgements - asked) : 0,
    };
  });
}

const opinionOf = (verdict: Verdict): Opinion => (verdict === 'skipped' ? 'unknown' : verdict);

/** Sample indices that are not known yet, ascending. */
export function missingOf(known: Known, { candidates }: Pick<Plan, 'candidates'>): number[] {
  const there = new Set(known.map(({ index }) => index));
  return Array.from({ length: candidates }, (_, index) => index).filter((index) => !there.has(index));
}

/** Whether nothing more will be found out about it. */
export const isDone = (each: KnownCandidate, plan: Plan): boolean => !isOpen(each, plan) && each.judgementsLeft === 0;

/** What was said of one answer, whichever candidate it was asked about. */
export function saidOf(known: Known, group: number): Said {
  const mine = known.filter((each) => each.group === group);
  const opinions = mine.flatMap((each) => each.opinions);
  const count = (wanted: Opinion): number => opinions.filter((opinion) => opinion === wanted).length;
  return {
    looks: [count('pass'), count('fail'), count('unknown')],
    agreeing: mine.length,
    against: known.some((each) => each.group !== group && each.opinions.includes('pass')),
  };
}
