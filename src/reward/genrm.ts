/**
 * Generative reward with rationales (arXiv 2504.04718 §3, eq. 2; arXiv 2408.15240): the model writes m verifications of
 * each solution, each ends with a question, and the reward is the mean of P(Yes) at its answer.
 */
import { concatTokens } from '../engine/tokens.js';
import { jobOf, sampleCached } from '../generate/cached.js';
import { sampleSeed } from '../generate/seeds.js';
import { T1Error } from '../errors.js';
import { adapterKey } from '../model/run-adapter.js';
import type { Problem } from '../problem/problem.js';
import type { Profile } from '../prompt/profile.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import { contentKey } from '../store/key.js';
import type { StoredSample } from '../store/store.js';
import type { Candidate, Rationale, Reward } from '../types.js';
import { tokensOf } from '../verify/math.js';
import { goodShare, verdictTokens } from './verdict-words.js';

const NOT_SCORED: Reward = { score: null };

/**
 * Makes sure, before anything is sampled, that the model can be asked.
 *
 * @throws T1Error USAGE: the profile has no such role; MODEL_INVALID: no usable chat template, no single token for a word
 */
export async function checkGenrm({ reward }: StageContext): Promise<void> {
  const { engine } = reward;
  const role = rationaleRole(reward);
  await renderPrompt(engine, role, { problem: 'problem', solution: 'solution' });
  await verdictTokens(engine, role);
}

/** Rationales for each candidate; greedy ones are all alike. */
export const rationaleCount = ({ settings, reward: { profile } }: StageContext): number =>
  profile.defaults.rationaleTemperature === 0 ? 1 : (settings.rationales ?? profile.defaults.rationales);

/** Candidates that a tool refuted are judged too, so that every selection can be made from the pool. */
export async function genrm(
  problem: Problem,
  solvePrompt: Prompt,
  candidates: readonly Candidate[],
  run: StageContext,
): Promise<Reward[]> {
  const { engine, modelHash, profile, adapter } = run.reward;
  const { rationaleTokens, rationaleTemperature } = profile.defaults;
  const role = rationaleRole(run.reward);
  const count = rationaleCount(run);
  const seeds = Array.from({ length: count }, (_, i) =>
    rationaleTemperature === 0 ? 0 : sampleSeed(run.settings.seed, i),
  );
  const asked = await rolePrompts(
    engine,
    role,
    problem,
    engine === run.engine ? solvePrompt : undefined,
    candidates,
    rationaleTokens,
  );
  const written = await sampleCached(
    { ...run, engine, modelHash },
    'reward',
    asked.map(({ prompt }) => ({ tokens: prompt.tokens, seeds })),
    {
      sampler: { temperature: rationaleTemperature, topK: 0, topP: 1, minP: 0 },
      maxTokens: rationaleTokens,
      adapter,
      grammar: role.grammar,
      stop: [role.ask],
    },
  );
  const scores = await verdicts(
    asked.map(({ prompt }) => prompt),
    written,
    role,
    run,
  );
  const rewards = new Map<number, Reward>(); // by index of the candidate
  asked.forEach(({ candidates: same }, i) => {
    const rationales = (written[i] ?? []).map(({ text }, k): Rationale => ({ text, score: scores[i]?.[k] ?? null }));
    const reward = {
      score: mean(rationales, run.settings.rationaleScore),
      rationales,
      tokens: tokensOf(written[i] ?? []),
    };
    for (const { index } of same) {
      rewards.set(index, reward);
      run.emit({ type: 'score', index, reward: reward.score });
    }
  });
  return candidates.map(({ index }) => rewards.get(index) ?? NOT_SCORED);
}

/** @returns [prompts][rationales] P(Yes); null for one that never came to its question */
async function verdicts(
  prompts: readonly Prompt[],
  written: readonly (readonly StoredSample[])[],
  role: ReturnType<typeof rationaleRole>,
  run: StageContext,
): Promise<(number | null)[][]> {
  const { engine, modelHash, adapter } = run.reward;
  const { good, bad } = await verdictTokens(engine, role);
  const scores: (number | null)[][] = written.map((row) => row.map(() => null));
  const all = written.flatMap((row, i) =>
    row.flatMap(({ tokens: said, finish }, k) => {
      if (finish !== 'stop') return [];
      const tokens = concatTokens([prompts[i]?.tokens ?? new Int32Array(), said]);
      const key = contentKey('genrm', engine.build, modelHash, adapterKey(adapter), tokens, good, bad);
      return [{ tokens, key, place: { set: (score: number) => void ((scores[i] ?? [])[k] = score) } }];
    }),
  );
  const unknown = all.filter(({ key, place }) => {
    const known = run.store.score(key);
    if (known !== undefined) place.set(known);
    return known === undefined;
  });
  const missing = jobOf(engine, all, unknown);
  if (missing.length === 0) return scores;
  const { logprobs, usage } = await engine.score({
    sequences: missing.map(({ tokens }) => ({ tokens, positions: Int32Array.of(tokens.length - 1) })),
    targets: concatTokens([good, bad]),
    adapter: adapter?.name,
    signal: run.signal,
  });
  run.usage.add(usage);
  missing.forEach(({ key, place }, i) => {
    const score = goodShare(logprobs[i] ?? new Float32Array(), good.length);
    run.store.saveScore(key, 'genrm', score);
    place.set(score);
  });
  return scores;
}

/** Of those that came to a verdict; null when none did: a constant would be taken for an opinion. */
export function mean(rationales: readonly Rationale[], kind: 'probability' | 'vote'): number | null {
  const scores = rationales.map(({ score }) => score).filter((score) => score !== null);
  if (scores.length === 0) return null;
  const counted = kind === 'probability' ? scores : scores.map((score): number => (score > 0.5 ? 1 : 0));
  return counted.reduce((sum, score) => sum + score, 0) / counted.length;
}

/** The question that a reward model was trained on, else that of the profile. */
function rationaleRole({ entry, profile: { name, roles } }: RewardSource): NonNullable<Profile['roles']['rationale']> {
  if (entry?.kind === 'genrm') return entry;
  if (roles.rationale) return roles.rationale;
  throw new T1Error(
    'USAGE',
    `the prompt profile '${name}' has no rationales, so the model cannot give the reward genrm: use yes-no`,
  );
}
