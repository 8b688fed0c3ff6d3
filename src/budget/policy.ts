/**
 * What an adaptive budget decides by: a policy is told what is known of a problem and says which piece of work comes
 * next. So what spends a live budget can be played over recorded pools too (`statistics/simulate-policy.ts`).
 */
import { forecastOf, type Forecast, type Work } from './forecast.js';
import type { Known } from './known.js';
import { Costs, nextWork } from './next-work.js';
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
  /**
   * What the strategy would choose now: the group of the answer, null for none, and whether the fallback would choose
   * it.
   */
  readonly chosen: () => { readonly group: number | null; readonly byFallback: boolean };
}

/** Asked again after every piece of work, until it stops or nothing is left to do. */
export type Policy = (seen: Seen) => Work | Stop;

/**
 * @param chosen group of the answer that the strategy itself would choose now; null for none, or where only the
 *   fallback would
 */
export function isSettled(
  { leader, confidence, certain }: Forecast,
  chosen: number | null,
  plan: Pick<Plan, 'confidence'>,
): boolean {
  if (leader === null || leader !== chosen) return false;
  return certain || (plan.confidence < 1 && confidence >= plan.confidence);
}

/** What `--budget adaptive` decides, one piece of work at a time (it keeps several on their way). */
export const adaptivePolicy =
  (plan: Plan): Policy =>
  ({ known, spent, chosen }) => {
    const forecast = forecastOf(known, plan);
    const { group, byFallback } = chosen();
    if (isSettled(forecast, byFallback ? null : group, plan))
      return { kind: 'stop', confidence: forecast.certain ? 1 : forecast.confidence };
    const costs = new Costs();
    for (const kind of ['candidate', 'opinion', 'judgement'] as const)
      if (spent[kind].pieces > 0) costs.add(kind, spent[kind].tokens, spent[kind].pieces);
    return nextWork(known, forecast, costs, () => true) ?? { kind: 'stop', confidence: forecast.confidence };
  };
