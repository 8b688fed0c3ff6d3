/** Whether an answer wins whatever is still to come. */
import { missingOf, isDone, isOpen, type Known, type KnownCandidate } from './known.js';
import { judge } from '../verify/opinion-rules.js';
import { OPINIONS, type Verdict } from '../types.js';
import type { Winner } from './plays.js';
import type { Plan } from './stages.js';

const ROUNDING = 1e-9;

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
export function isCertain(known: Known, plan: Plan, { group: leader, byFallback }: Winner): boolean {
  const missing = missingOf(known, plan);
  if (missing.length === 0 && known.every((each) => isDone(each, plan))) return true;
  if (leader === null || byFallback || plan.strategy.combine === 'max') return false;
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
