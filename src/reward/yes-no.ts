/**
 * Direct generative reward (arXiv 2408.15240, eq. for GenRM without a rationale): ask whether the solution is
 * correct and read P(Yes) / (P(Yes) + P(No)) from the logits, without sampling anything.
 */
import { concatTokens } from '../engine/tokens.js';
import { jobOf } from '../generate/cached.js';
import { adapterKey } from '../model/run-adapter.js';
import type { Problem } from '../problem/problem.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import { contentKey } from '../store/key.js';
import type { Candidate, Reward } from '../types.js';
import { goodShare, verdictTokens } from './verdict-words.js';

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
  const { engine, modelHash, adapter } = run.reward;
  const role = askedRole(run.reward);
  const { good, bad } = await verdictTokens(engine, role);
  const rewards = new Map<number, Reward>(); // by index of the candidate
  const told = () => candidates.map(({ index }) => rewards.get(index) ?? NOT_SCORED);
  const tell = (same: readonly Candidate[], reward: number) => {
    for (const { index } of same) {
      rewards.set(index, { score: reward });
      run.emit({ type: 'score', index, reward });
    }
  };
  const own = engine === run.engine ? solvePrompt : undefined;
  const asked = (await rolePrompts(engine, role, problem, own, candidates, 0)).map((entry) => ({
    ...entry,
    key: contentKey('yes-no', engine.build, modelHash, adapterKey(adapter), entry.prompt.tokens, good, bad),
  }));
  const unknown = asked.filter(({ key, candidates: same }) => {
    const known = run.store.score(key);
    if (known !== undefined) tell(same, known);
    return known === undefined;
  });
  if (unknown.length === 0) return told();
  const missing = jobOf(engine, asked, unknown);

  const { logprobs, usage } = await engine.score({
    sequences: missing.map(({ prompt: { tokens } }) => ({ tokens, positions: Int32Array.of(tokens.length - 1) })),
    targets: concatTokens([good, bad]),
    adapter: adapter?.name,
    signal: run.signal,
  });
  run.usage.add(usage);
  missing.forEach(({ key, candidates: same }, i) => {
    const reward = goodShare(logprobs[i] ?? new Float32Array(), good.length);
    run.store.saveScore(key, 'yes-no', reward);
    tell(same, reward);
  });
  return told();
}

/** The question that a reward model was trained on, else that of the profile. */
const askedRole = ({ entry, profile }: RewardSource) => (entry?.kind === 'yes-no' ? entry : profile.roles.reward);
