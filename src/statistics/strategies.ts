/** Which figures a pool allows: a strategy that needs what is not there is left out, never fed with constants. */
import { T1Error } from '../errors.js';
import { selectors, type SelectorName } from '../select/select.js';
import type { Fallback } from '../types.js';
import type { Pools } from './pools.js';

/** `mean`: one candidate, drawn at random. `oracle`: any candidate right. `greedy`: one sample at temperature 0. */
export const strategyNames = [
  'mean',
  'oracle',
  'greedy',
  'majority',
  'best-of-n',
  'reward',
  'tool',
  'weighted',
] as const;
export type StrategyName = (typeof strategyNames)[number];

/** How tables and pages call them, from what one sample is worth to what no strategy can exceed. */
export const strategyTitles = {
  greedy: 'greedy',
  mean: 'one candidate',
  majority: 'majority',
  reward: 'reward only',
  'best-of-n': 'best of N',
  tool: 'tool only',
  weighted: 'T1',
  oracle: 'any right',
} as const satisfies Record<StrategyName, string>;

/** In that order. */
export const titledStrategies = Object.entries(strategyTitles) as readonly (readonly [StrategyName, string])[];

type Need = 'reward' | 'tool' | 'greedy';

export const isSelector = (name: StrategyName): name is SelectorName => Object.hasOwn(selectors, name);

const needsOf = (name: StrategyName): readonly Need[] =>
  isSelector(name) ? selectors[name].needs : name === 'greedy' ? ['greedy'] : [];

const missing: Readonly<Record<Need, string>> = {
  reward: 'no candidate has a reward',
  tool: 'no candidate has a verdict of the tool',
  greedy: 'not every problem has a greedy answer',
};

export interface Available {
  readonly strategies: readonly StrategyName[];
  /** Why the others are not there. */
  readonly leftOut: Readonly<Partial<Record<StrategyName, string>>>;
}

/** @param wanted all when absent */
export function availableStrategies(
  { has }: Pick<Pools, 'has'>,
  wanted: readonly StrategyName[] = strategyNames,
): Available {
  const why = (name: StrategyName): string | undefined => {
    const gaps = needsOf(name).filter((need) => !has[need]);
    return gaps.length === 0 ? undefined : gaps.map((need) => missing[need]).join(' and ');
  };
  return {
    strategies: wanted.filter((name) => why(name) === undefined),
    leftOut: Object.fromEntries(wanted.flatMap((name) => (why(name) === undefined ? [] : [[name, why(name)]]))),
  };
}

/** What the mark of a partial figure means. */
export function partialInWords(
  partial: Readonly<Partial<Record<StrategyName, number>>>,
  of: number,
  titleOf: (name: StrategyName) => string,
): string | null {
  const each = Object.entries(partial).map(([name, pools]) => `${titleOf(name as StrategyName)} in ${pools}`);
  if (each.length === 0) return null;
  return `* partial: something that the strategy looks at was skipped (${each.join(', ')} of ${of} pools): it chose with what there is, and of whole pools only.`;
}

/** A smaller run would have asked about other candidates, so parts of such a pool say nothing. */
export const ONLY_WHOLE = 'what it looks at was skipped for some candidates, so it has a figure for whole pools only';

/** What was skipped once cannot be asked for when the pool is played again. */
export const PLAYED_WHOLE =
  'what it looks at was skipped for some candidates, and only what was asked can be played again';

/**
 * @param wanted by default the rewards where there are some, else the majority
 * @throws T1Error USAGE when the rewards are to decide and there are none
 */
export function fallbackFor({ has }: Pools, wanted: Fallback | undefined): Fallback {
  if (wanted === 'reward' && has.tool && !has.reward) {
    throw new T1Error(
      'USAGE',
      `the fallback 'reward' has nothing to go by, as ${missing.reward}: choose majority or abstain`,
    );
  }
  return wanted ?? (has.reward ? 'reward' : 'majority');
}
