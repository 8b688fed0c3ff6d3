/**
 * Generative reward with rationales (arXiv 2504.04718 §3, eq. 2; arXiv 2408.15240): the model writes m verifications of
 * each solution, each ends with a question, and the reward is the mean of P(Yes) at its answer.
 */
import { concatTokens } from '../engine/tokens.js';
import { sampleCached } from '../generate/cached.js';
import { sampleSeed } from '../generate/seeds.js';
import { T1Error } from '../errors.js';
import { must } from '../must.js';
import type { Problem } from '../problem/problem.js';
import type { Profile } from '../prompt/profile.js';
import { renderPrompt, type Prompt } from '../prompt/prompt.js';
import { rolePrompts } from '../prompt/role-prompts.js';
import type { RewardSource, StageContext } from '../stage-context.js';
import type { Candidate, Rationale, Reward, StoredSample } from '../types.js';
import { tokensOf } from '../verify/math.js';
import { scoresAt } from './score.js';
import { verdictTokens } from './verdict-words.js';

const NOT_SCORED: Reward = { score: null };

/**
 * Makes sure, before anything is sampled, that the model can be asked.
 *
 * @throws T1Error USAGE: the profile has no such role; MODEL_INVALID: no usable chat template, no single token for a
 *   word
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
    const row = must(written[i], 'the rationales of a solution');
    const rationales = row.map((said): Rationale => ({ text: said.text, score: scores.get(said) ?? null }));
    const reward = {
      score: mean(rationales, run.settings.rationaleScore),
      rationales,
      tokens: tokensOf(row),
    };
    for (const { index } of same) {
      rewards.set(index, reward);
      run.emit({ type: 'score', index, reward: reward.score });
    }
  });
  return candidates.map(({ index }) => rewards.get(index) ?? NOT_SCORED);
}

/** @returns P(Yes) of the rationales that came to their question; the others have none */
async function verdicts(
  prompts: readonly Prompt[],
  written: readonly (readonly StoredSample[])[],
  role: ReturnType<typeof rationaleRole>,
  run: StageContext,
): Promise<Map<StoredSample, number>> {
  const words = await verdictTokens(run.reward.engine, role);
  const asked = written.flatMap((row, i) => {
    const { tokens } = must(prompts[i], 'the prompt of rationales');
    return row
      .filter(({ finish }) => finish === 'stop')
      .map((said) => ({ said, tokens: concatTokens([tokens, said.tokens]) }));
  });
  const scores = await scoresAt(
    asked.map(({ tokens }) => tokens),
    words,
    run,
  );
  return new Map(asked.map(({ said }, i) => [said, must(scores[i], 'the score of a rationale')]));
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
