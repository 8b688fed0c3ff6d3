/**
 * Stage 5: how good a candidate looks to the model's own weights, or to those of a reward model.
 *
 * A reward is one file with one function of this type and one that checks, and an entry in both maps.
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

/** @returns [candidates] in the candidates' order */
export type RewardModel = (
  problem: Problem,
  prompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
) => Promise<Reward[]>;

export const rewardModels = { 'yes-no': yesNo, genrm, prm, classifier } satisfies Record<string, RewardModel>;

export type RewardName = keyof typeof rewardModels;

/** What makes sure, before anything is sampled, that the reward can be had; rejects with a T1Error otherwise. */
export const rewardChecks: Record<RewardName, (run: StageContext) => Promise<void>> = {
  'yes-no': checkYesNo,
  genrm: checkGenrm,
  prm: checkPrm,
  classifier: checkClassifier,
};

/** How many judgements a candidate gets in a fixed budget, where its reward is read from several. */
export const rewardLooks: Partial<Record<RewardName, (context: StageContext) => number>> = { genrm: rationaleCount };

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
