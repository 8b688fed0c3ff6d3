/**
 * The paper's budget: every candidate gets everything. A candidate is checked and scored as soon as it is sampled; what
 * it gets depends on itself alone, so in which order they end changes nothing.
 */
import { must } from '../must.js';
import type { Candidate } from '../types.js';
import type { JudgedCandidate, Plan, Stages } from './stages.js';
import { together } from './together.js';

export async function fixed(stages: Stages, plan: Plan, signal: AbortSignal): Promise<JudgedCandidate[]> {
  const indices = Array.from({ length: plan.candidates }, (_, index) => index);
  return plan.reproducible ? inWholeStages(stages, plan, indices, signal) : flowing(stages, plan, indices, signal);
}

async function flowing(
  stages: Stages,
  plan: Plan,
  indices: readonly number[],
  signal: AbortSignal,
): Promise<JudgedCandidate[]> {
  const judged = new Map<number, JudgedCandidate>();
  await together(signal, async (group) => {
    const judge = async (candidate: Candidate): Promise<void> => {
      const [[tool], [reward]] = await Promise.all([
        stages.verify([candidate], plan.opinions, group.signal),
        stages.reward([candidate], plan.judgements, group.signal),
      ]);
      judged.set(candidate.index, { candidate, tool, reward });
    };
    await stages.sample(indices, group.signal, (candidate) => group.add(judge(candidate)));
  });
  return indices.map((index) => must(judged.get(index), `candidate ${index}`));
}

/** Each stage is one job, of the same rows whenever it is asked for: so the engine computes the same. */
async function inWholeStages(
  stages: Stages,
  plan: Plan,
  indices: readonly number[],
  signal: AbortSignal,
): Promise<JudgedCandidate[]> {
  const candidates = await stages.sample(indices, signal);
  const tools = await stages.verify(candidates, plan.opinions, signal);
  const rewards = await stages.reward(candidates, plan.judgements, signal);
  return candidates.map((candidate, i) => ({ candidate, tool: tools[i], reward: rewards[i] }));
}
