/**
 * Stage 5: how good a candidate looks to the model's own weights, or to those of a reward model.
 *
 * A reward is one file with one function of this type and one that checks, and an entry in both maps.
 */
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { Run } from '../run.js';
import type { Candidate, Reward } from '../types.js';
import { checkGenrm, genrm } from './genrm.js';
import { checkYesNo, yesNo } from './yes-no.js';

/** @returns [candidates] in the candidates' order */
export type RewardModel = (
  problem: Problem,
  prompt: Prompt,
  candidates: readonly Candidate[],
  run: Run,
) => Promise<Reward[]>;

export const rewardModels = { 'yes-no': yesNo, genrm } satisfies Record<string, RewardModel>;

/** What makes sure, before anything is sampled, that the reward can be had; throws a T1Error otherwise. */
export const rewardChecks: Record<keyof typeof rewardModels, (run: Run) => void> = { 'yes-no': checkYesNo, genrm: checkGenrm };
