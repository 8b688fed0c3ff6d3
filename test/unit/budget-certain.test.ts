/** Whether an answer is certain: against all that could still come. */
import { expect, test } from 'vitest';
import { isCertain } from '../../src/budget/certain.js';
import type { Known, KnownCandidate } from '../../src/budget/known.js';
import type { Plan } from '../../src/budget/stages.js';
import { fallbackSelector, select, selectors, type SelectorName } from '../../src/select/select.js';
import type { Opinion, ScoredCandidate } from '../../src/types.js';
import { judge } from '../../src/verify/opinion-rules.js';

const planOf = (name: SelectorName): Plan => ({
  candidates: 3,
  opinions: 1,
  rule: 'any',
  judgements: 1,
  strategy: selectors[name],
  otherwise: selectors[name].needsPass ? fallbackSelector(selectors[name], 'majority') : null,
  unknown: 'fail',
  confidence: 1,
  reproducible: false,
});

/** One candidate, with what is not known of it yet. */
interface State {
  /** Undefined: not sampled yet. */
  readonly answer: number | null | undefined;
  readonly opinion: Opinion | undefined;
  readonly reward: number | undefined;
}

/** Everything that a pool can still become: rewards at their ends, answers that are there or one that is new. */
function futures(states: readonly State[]): State[][] {
  const [first, ...rest] = states;
  if (!first) return [[]];
  const others = futures(rest);
  const answers = first.answer === undefined ? [null, 1, 2, 3] : [first.answer];
  return answers.flatMap((answer) =>
    (first.opinion ? [first.opinion] : (['pass', 'fail'] as const)).flatMap((opinion) =>
      (first.reward === undefined ? [0, 1] : [first.reward]).flatMap((reward) =>
        others.map((other) => [{ answer, opinion, reward }, ...other]),
      ),
    ),
  );
}

const firstOf = (states: readonly State[], answer: number | null | undefined): number | null =>
  answer == null ? null : states.findIndex((state) => state.answer === answer);

function chosenOf(states: readonly State[], name: SelectorName): number | null {
  const pool = states.flatMap(({ answer, opinion, reward }, index): ScoredCandidate[] =>
    answer === undefined
      ? []
      : [
          {
            index,
            seed: 0,
            text: '',
            tokens: new Int32Array(),
            logprobs: new Float32Array(),
            finish: 'eog',
            answer: answer === null ? null : String(answer),
            group: firstOf(states, answer),
            tool: { verdict: opinion ? judge([opinion], 'any') : 'skipped', programs: [] },
            reward: reward ?? 'skipped',
          },
        ],
  );
  const { answer } = select(pool, name, 'majority');
  return answer === null ? null : Number(answer);
}

const knownOf = (states: readonly State[]): Known =>
  states.flatMap(({ answer, opinion, reward }, index): KnownCandidate[] =>
    answer === undefined
      ? []
      : [
          {
            index,
            group: firstOf(states, answer),
            opinions: opinion && answer !== null ? [opinion] : [],
            opinionsLeft: opinion || answer === null ? 0 : 1,
            reward: answer === null ? null : reward,
            judgements: reward === undefined ? 0 : 1,
            judgementsLeft: reward === undefined && answer !== null ? 1 : 0,
          },
        ],
  );

const UNKNOWN: State = { answer: undefined, opinion: undefined, reward: undefined };
/** All that can be known of one candidate; rewards that are not 0 or 1 make no other ties. */
const states: readonly State[] = [
  UNKNOWN,
  { answer: null, opinion: undefined, reward: undefined },
  ...[1, 2].flatMap((answer) =>
    (['pass', 'fail', undefined] as const).flatMap((opinion) =>
      [1, undefined].map((reward) => ({ answer, opinion, reward })),
    ),
  ),
];

test.each(['majority', 'reward', 'tool', 'weighted'] as const)(
  '%s: what is certain stays, also at ties and when candidates finish out of order',
  (name) => {
    let [certain, early, ties] = [0, 0, 0];
    const plan = planOf(name);
    for (const a of states)
      for (const b of states)
        for (const c of states) {
          const now = [a, b, c];
          const chosen = chosenOf(now, name);
          const leader = firstOf(now, chosen);
          if (leader === null || !isCertain(knownOf(now), plan, { group: leader, byFallback: false })) continue;
          certain++;
          if (now.some(({ answer }) => answer === undefined)) early++;
          const ends = new Set(futures(now).map((future) => chosenOf(future, name)));
          expect([...ends], JSON.stringify(now)).toEqual([chosen]);
          if (now.some(({ answer }) => answer !== null && answer !== undefined && answer !== chosen)) ties++;
        }
    expect([certain > 100, early > 10, ties > 10]).toEqual([true, true, true]);
  },
);
