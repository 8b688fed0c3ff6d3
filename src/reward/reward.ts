/**
 * Stage 5: how good a candidate looks to the model's own weights, or to those of a reward model.
 *
 * A reward is one file with one function of this type and one that checks, and an entry in both maps.
 */
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { Run } from '../run.js';
import type { Candidate } from '../types.js';
import { checkYesNo, yesNo } from './yes-no.js';

/** @returns [candidates] scores from 0 to 1, null where there is nothing to score */
export type RewardModel = (
  problem: Problem,
  prompt: Prompt,
  candidates: readonly Candidate[],
  run: Run,
) => Promise<(number | null)[]>;

export const rewardModels = { 'yes-no': yesNo } satisfies Record<string, RewardModel>;

/** What makes sure, before anything is sampled, that the reward can be had; throws a T1Error otherwise. */
export const rewardChecks: Record<keyof typeof rewardModels, (run: Run) => void> = { 'yes-no': checkYesNo };
