/**
 * Direct generative reward (arXiv 2408.15240, eq. for GenRM without a rationale): ask whether the solution is
 * correct and read P(Yes) / (P(Yes) + P(No)) from the logits, without sampling anything.
 */
import type { Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import { adapterKey } from '../model/run-adapter.js';
import type { Problem } from '../problem/problem.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { Run } from '../run.js';
import { contentKey } from '../store/key.js';
import type { Candidate } from '../types.js';

/**
 * Makes sure, before anything is sampled, that the model can be asked.
 *
 * @throws T1Error MODEL_INVALID: no usable chat template, or no single token for a word
 */
export function checkYesNo({ reward: { engine, profile } }: Run): void {
  const role = profile.roles.reward;
  renderPrompt(engine, role, { problem: 'problem', solution: 'solution' });
  singleTokens(engine, role.good);
  singleTokens(engine, role.bad);
}

/**
 * Scores refuted candidates too: one decode serves all, and every selection can then be made from the pool
 * without decoding again.
 */
export async function yesNo(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: Run,
): Promise<(number | null)[]> {
  const { engine, modelHash, profile, adapter } = run.reward;
  const role = profile.roles.reward;
  const good = singleTokens(engine, role.good);
  const bad = singleTokens(engine, role.bad);
  const rewards: (number | null)[] = candidates.map(() => null);
  const tell = (same: readonly Candidate[], reward: number) => {
    for (const { index } of same) {
      rewards[index] = reward;
      run.emit({ type: 'score', index, reward });
    }
  };
  const asked = rolePrompts(engine, role, problem, engine === run.engine ? solvePrompt : undefined, candidates, 0).map((entry) => ({
    ...entry,
    key: contentKey('yes-no', engine.build, modelHash, adapterKey(adapter), entry.prompt.tokens, good, bad),
  }));
  const missing = asked.filter(({ key, candidates: same }) => {
    const known = run.store.score(key);
    if (known !== undefined) tell(same, known);
    return known === undefined;
  });
  if (missing.length === 0) return rewards;

  const { logprobs, usage } = await engine.score({
    sequences: missing.map(({ prompt: { tokens } }) => ({ tokens, positions: Int32Array.of(tokens.length - 1) })),
    targets: Int32Array.of(...good, ...bad),
    adapter: adapter?.name,
    signal: run.signal,
  });
  run.usage.add(usage);
  missing.forEach(({ key, candidates: same }, i) => {
    const reward = goodShare(logprobs[i] ?? new Float32Array(), good.length);
    run.store.saveScore(key, 'yes-no', reward);
    tell(same, reward);
  });
  return rewards;
}

/**
 * @param logprobs [good + bad] natural logs
 * @returns Σ P(good) / (Σ P(good) + Σ P(bad)); exact also where both are tiny
 */
export function goodShare(logprobs: Float32Array, goodCount: number): number {
  const highest = Math.max(...logprobs);
  const odds = Array.from(logprobs, (logprob) => Math.exp(logprob - highest));
  const good = odds.slice(0, goodCount).reduce((sum, p) => sum + p, 0);
  const share = good / odds.reduce((sum, p) => sum + p, 0);
  if (!Number.isFinite(share)) throw new T1Error('DECODE_FAILED', 'the reward is not a number: the model gave no usable logits');
  return share;
}

/** Ids of those words that are one token in this vocabulary; the rest cannot be read from a single position. */
function singleTokens(engine: Engine, words: readonly string[]): Int32Array {
  const ids = words.map((word) => engine.tokenize(word, { special: false })).filter(({ length }) => length === 1);
  if (ids.length === 0) {
    throw new T1Error('MODEL_INVALID', `none of ${JSON.stringify(words)} is a single token of ${engine.model.name}: its reward cannot be read`);
  }
  return Int32Array.from(new Set(ids.flatMap((tokens) => [...tokens])));
}
