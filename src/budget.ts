/**
 * How many candidates a problem gets. `fixed`: all of them at once. `adaptive`: in rounds that double, until the answer that leads
 * cannot be overtaken any more, or is not likely to be (`evaluate/adaptive.ts`); easy problems then cost a fraction.
 */
import { T1Error } from './errors.js';
import { message, named } from './message.js';
import { stopping } from './statistics/stopping.js';
import type { SelectorName } from './select/select.js';
import type { SolveResult } from './types.js';

/** The first round: fewer say nothing, and a decode of few rows costs as much. */
const FIRST_ROUND = 4;

export interface Budget {
  readonly samples: number;
  readonly select: SelectorName;
  /** Of the leader, ½…1. */
  readonly confidence: number;
}

/** Strategies whose weights add up; where they compete, one more candidate can always overtake. */
const ADDS_UP: ReadonlySet<SelectorName> = new Set<SelectorName>(['weighted', 'majority', 'reward', 'tool']);

/**
 * @param round the whole pipeline with so many candidates; those of earlier rounds come from the store
 * @throws T1Error USAGE for a selection that nothing can settle early
 */
export async function adaptively(
  { samples, select, confidence }: Budget,
  round: (samples: number) => Promise<SolveResult>,
): Promise<SolveResult> {
  if (!ADDS_UP.has(select))
    throw new T1Error(
      'USAGE',
      message`adaptive: with ${named('select')} ${select} one more candidate can always win; use ${[...ADDS_UP].join(', ')}`,
      { setting: 'budget' },
    );
  for (let n = Math.min(FIRST_ROUND, samples); ; n = Math.min(2 * n, samples)) {
    const result = await round(n);
    // A fallback's weights are none of the tool's: nobody is verified yet.
    const weights = result.fallback === null ? weightsOf(result) : [];
    if (n === samples || stopping(weights, { confidence, left: samples - n }).stop) return result;
  }
}

/** [distinct answers] */
function weightsOf({ candidates }: SolveResult): number[] {
  const weights = new Map<number, number>();
  for (const { group, weight } of candidates) {
    if (group !== null) weights.set(group, (weights.get(group) ?? 0) + weight);
  }
  return [...weights.values()];
}
