/** Gold against prediction, both as text: what the worker does with one pair. */
import { same, sameText } from './compare.js';
import type { Equality, Tolerance } from './equality.js';
import { readings } from './read.js';

export interface Judgement {
  readonly equal: Equality;
  /** One line for people. */
  readonly why: string;
}

/**
 * True when any reading of one says the same as any reading of the other. Of the likeliest readings it comes whether
 * the answer is no or nobody knows.
 */
export function judge(gold: string, prediction: string, tolerance: Tolerance): Judgement {
  const [golds, predictions] = [readings(gold), readings(prediction)];
  let likeliest: Equality = false;
  for (const a of golds) {
    for (const b of predictions) {
      const verdict = same(a, b, tolerance);
      if (verdict === true) return { equal: true, why: explain(a.kind, b.kind) };
      if (a === golds[0] && b === predictions[0]) likeliest = verdict;
    }
  }
  if (sameText(gold, prediction) && /\p{L}{3}/u.test(gold) && !/[\d\\]/.test(gold))
    return { equal: true, why: 'the same words' };
  if (predictions[0]?.kind === 'unreadable')
    return { equal: false, why: 'the prediction cannot be read as maths or words' };
  if (golds[0]?.kind === 'unreadable') return { equal: null, why: 'undecided: the gold answer cannot be read' };
  if (likeliest === null) return { equal: null, why: 'undecided: an expression that cannot be computed' };
  return { equal: false, why: `different: ${golds[0]?.kind ?? ''} and ${predictions[0]?.kind ?? ''}` };
}

const explain = (gold: string, prediction: string): string =>
  gold === prediction ? `the same ${gold}` : `the same as ${gold} and as ${prediction}`;
