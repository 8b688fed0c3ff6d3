/** The worker thread: judges one pair at a time. Whoever started it kills it when that takes too long. */
import { parentPort } from 'node:worker_threads';
import { judge, type Judgement } from './judge.js';
import type { Tolerance } from './equality.js';

/** What may be equal to what: the answers as extracted first, then the texts they came from. */
export interface Question {
  readonly golds: readonly string[];
  readonly predictions: readonly string[];
  readonly tolerance: Tolerance;
}

function answer({ golds, predictions, tolerance }: Question): Judgement {
  let first: Judgement | undefined;
  for (const gold of golds) {
    for (const prediction of predictions) {
      const judgement = judge(gold, prediction, tolerance);
      if (judgement.equal === true) return judgement;
      first ??= judgement;
    }
  }
  return first ?? { equal: false, why: 'nothing to compare' };
}

parentPort?.on('message', (question: Question) => parentPort?.postMessage(answer(question)));
parentPort?.postMessage('ready');
