/**
 * Stage 5: how good a candidate looks to the model's own weights, or to those of a reward model.
 *
 * A reward is one file, and one entry in the map.
 */
import { T1Error } from '../errors.js';
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { StageContext } from '../stage-context.js';
import type { Candidate, Reward } from '../types.js';
import { checkClassifier, classifier } from './classifier.js';
import type { RewardEntry } from './entry.js';
import { checkGenrm, genrm, rationaleCount } from './genrm.js';
import { checkPrm, prm } from './prm.js';
import { checkYesNo, yesNo } from './yes-no.js';

export interface RewardModel {
  /** Makes sure, before anything is sampled, that the reward can be had; rejects with a T1Error otherwise. */
  readonly check: (run: StageContext) => Promise<void>;
  /** How many judgements a candidate gets in a fixed budget, where its reward is read from several; 1 when absent. */
  readonly judgements?: (run: StageContext) => number;
  /** @returns [candidates] in the candidates' order */
  readonly score: (
    problem: Problem,
    prompt: Prompt,
    candidates: readonly Candidate[],
    run: StageContext,
  ) => Promise<Reward[]>;
}

export const rewardModels = {
  'yes-no': { check: checkYesNo, score: yesNo },
  genrm: { check: checkGenrm, judgements: rationaleCount, score: genrm },
  prm: { check: checkPrm, score: prm },
  classifier: { check: checkClassifier, score: classifier },
} satisfies Record<string, RewardModel>;

export type RewardName = keyof typeof rewardModels;

/**
 * What a reward model was made for; other models are asked for a yes or no.
 *
 * @throws T1Error MODEL_INVALID for a model whose head llama.cpp does not know
 */
export function rewardFor(wanted: RewardName | 'auto', entry: RewardEntry | undefined): RewardName {
  if (entry?.kind === 'unsupported' && wanted !== 'yes-no' && wanted !== 'genrm') {
    throw new T1Error('MODEL_INVALID', `${entry.name} cannot give the reward: ${entry.why}`);
  }
  if (wanted !== 'auto') return wanted;
  return entry && entry.kind !== 'unsupported' ? entry.kind : 'yes-no';
}
