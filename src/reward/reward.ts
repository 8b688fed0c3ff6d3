/**
 * Stage 5: how good a candidate looks to the model's own weights.
 *
 * A reward model is one file with one function of this type, and one entry in the map.
 */
import type { Problem } from '../problem/problem.js';
import type { Prompt } from '../prompt/prompt.js';
import type { Run } from '../run.js';
import type { Candidate } from '../types.js';
import { yesNo } from './yes-no.js';

/** @returns [candidates] scores from 0 to 1, null where there is nothing to score */
export type RewardModel = (
  problem: Problem,
  prompt: Prompt,
  candidates: readonly Candidate[],
  run: Run,
) => Promise<(number | null)[]>;

export const rewardModels = { 'yes-no': yesNo } satisfies Record<string, RewardModel>;
