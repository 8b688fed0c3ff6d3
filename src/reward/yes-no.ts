/**
 * Direct generative reward (arXiv 2408.15240, eq. for GenRM without a rationale): ask whether the solution is
 * correct and read P(Yes) / (P(Yes) + P(No)) from the logits, without sampling anything.
 */
import type { Problem } from '../problem/problem.js';
import { must } from '../must.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import type { Candidate, Reward } from '../types.js';
import { scoresAt } from './score.js';
import { verdictTokens } from './verdict-words.js';

const NOT_SCORED: Reward = { score: null };

/**
 * Makes sure, before anything is sampled, that the model can be asked.
 *
 * @throws T1Error MODEL_INVALID: no usable chat template, or no single token for a word
 */
export async function checkYesNo({ reward }: StageContext): Promise<void> {
  const role = askedRole(reward);
  await renderPrompt(reward.engine, role, { problem: 'problem', solution: 'solution' });
  await verdictTokens(reward.engine, role);
}

/**
 * Scores refuted candidates too: one decode serves all, and every selection can then be made from the pool
 * without decoding again.
 */
export async function yesNo(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<Reward[]> {
  const { engine } = run.reward;
  const role = askedRole(run.reward);
  const words = await verdictTokens(engine, role);
  const own = engine === run.engine ? solvePrompt : undefined;
  const asked = await rolePrompts(engine, role, problem, own, candidates, 0);
  const rewards = new Map<number, Reward>(); // by index of the candidate
  await scoresAt(
    asked.map(({ prompt }) => prompt.tokens),
    words,
    run,
    (i, score) => {
      for (const { index } of must(asked[i], 'what was asked').candidates) {
        rewards.set(index, { score });
        run.emit({ type: 'score', index, reward: score });
      }
    },
  );
  // Those without an answer, or too long to ask about, were not.
  return candidates.map(({ index }) => rewards.get(index) ?? NOT_SCORED);
}

/** The question that a reward model was trained on, else that of the profile. */
const askedRole = ({ entry, profile }: RewardSource) => (entry?.kind === 'yes-no' ? entry : profile.roles.reward);
