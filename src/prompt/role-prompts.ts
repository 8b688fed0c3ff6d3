/** A verifier's prompts for a pool of candidates: one for each distinct solution that has an answer. */
import type { Engine } from '../engine/engine-types.js';
import type { Candidate } from '../types.js';
import type { Problem } from '../problem/problem.js';
import type { Role } from './profile.js';
import { renderPrompt, type Prompt, type Turn } from './prompt.js';

export interface RolePrompt {
  readonly prompt: Prompt;
  /** All candidates with this very solution: they are verified once. */
  readonly candidates: readonly Candidate[];
}

/**
 * @param engine of the model that is asked
 * @param solvePrompt what the candidates were sampled from; absent when another model sampled them: its token ids mean
 *   nothing to this one
 * @param newTokens room that the role's own output needs
 * @returns prompts that fit the context; candidates without an answer, or too long to ask about, are left out
 */
export async function rolePrompts(
  engine: Engine,
  role: Role,
  problem: Problem,
  solvePrompt: Prompt | undefined,
  candidates: readonly Candidate[],
  newTokens: number,
): Promise<RolePrompt[]> {
  const asked = await Promise.all(
    distinctSolutions(candidates, solvePrompt).map(async ({ text, turn, candidates: same }) => ({
      prompt: await renderPrompt(engine, role, { problem: problem.text, solution: text }, turn),
      candidates: same,
    })),
  );
  return asked.filter(({ prompt }) => prompt.tokens.length + newTokens <= engine.model.contextLength);
}

export interface DistinctSolution {
  readonly text: string;
  readonly candidates: readonly Candidate[];
  /** The model's own tokens, for a prompt that continues them. */
  readonly turn: Turn | undefined;
}

/** Solutions that have an answer, equal ones together. `solvePrompt` as in `rolePrompts`. */
export function distinctSolutions(
  candidates: readonly Candidate[],
  solvePrompt: Prompt | undefined,
): DistinctSolution[] {
  const distinct = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    if (candidate.answer === null) continue;
    const same = distinct.get(candidate.text);
    if (same) same.push(candidate);
    else distinct.set(candidate.text, [candidate]);
  }
  return [...distinct.entries()].map(([text, same]) => {
    const [first] = same;
    // Only a solution that ended by itself is followed by the template's end of turn in the model's cache.
    const turn =
      solvePrompt && first?.finish === 'eog' ? { prompt: solvePrompt, text, tokens: first.tokens } : undefined;
    return { text, candidates: same, turn };
  });
}
