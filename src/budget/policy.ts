/**
 * What an adaptive budget decides by: a policy is told what is known of a problem and says which piece of work comes
 * next. So what spends a live budget can be played over recorded pools too (`statistics/simulate-policy.ts`).
 */
import { forecastOf, type Forecast } from './forecast.js';
import type { Known } from './known.js';
import { Costs, nextWork } from './next-work.js';
import type { Winner } from './plays.js';
import type { Work } from './work.js';
import type { Plan } from './stages.js';

export type WorkKind = Work['kind'];

/**
 * Nothing more is asked. `confidence`: the stated probability that the whole budget would give the same answer, 0…1.
 */
export interface Stop {
  readonly kind: 'stop';
  readonly confidence: number;
}

export interface Seen {
  readonly known: Known;
  /** Candidates that may still be sampled. */
  readonly candidatesLeft: number;
  /** What each kind of work has taken so far in this problem: generated tokens, 0 where nobody counted. */
  readonly spent: Readonly<Record<WorkKind, { readonly pieces: number; readonly tokens: number }>>;
  /** What the strategy, with its fallback, would choose now. */
  readonly chosen: () => Winner;
}

/** Asked again after every piece of work, until it stops or nothing is left to do. */
export type Policy = (seen: Seen) => Work | Stop;

/** @param chosen what the strategy, with its fallback, would choose now */
export function isSettled(
  { leader, confidence, certain }: Forecast,
  chosen: Winner,
  plan: Pick<Plan, 'confidence'>,
): boolean {
  if (leader?.group !== chosen.group || (leader.group !== null && leader.byFallback !== chosen.byFallback))
    return false;
  return certain || (plan.confidence < 1 && confidence >= plan.confidence);
}

/** What `--budget adaptive` decides, one piece of work at a time (it keeps several on their way). */
export const adaptivePolicy =
  (plan: Plan): Policy =>
  ({ known, spent, chosen }) => {
    const forecast = forecastOf(known, plan);
    if (isSettled(forecast, chosen(), plan))
      return { kind: 'stop', confidence: forecast.certain ? 1 : forecast.confidence };
    const costs = new Costs();
    for (const kind of ['candidate', 'opinion', 'judgement'] as const)
      if (spent[kind].pieces > 0) costs.add(kind, spent[kind].tokens, spent[kind].pieces);
    return nextWork(known, forecast, costs, () => true) ?? { kind: 'stop', confidence: forecast.confidence };
  };
