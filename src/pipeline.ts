/**
 * The whole way of one problem (arXiv 2504.04718):
 * problem → prompt → candidates → tool verdicts → rewards → selection.
 *
 * A candidate goes it alone, as far as the budget lets it (`budget/`); every stage looks up what is remembered before
 * it computes.
 */
import { fixed } from './budget/fixed.js';
import type { JudgedCandidate } from './budget/stages.js';
import { answerGroups } from './grade/same.js';
import type { PipelineOptions } from './options.js';
import { planOf, problemStages } from './problem-stages.js';
import { parseProblem } from './problem/problem.js';
import { renderPrompt } from './prompt/prompt.js';
import { rememberedAdaptive } from './remembered-budget.js';
import { select } from './select/select.js';
import type { StageContext } from './stage-context.js';
import type { Stopwatch } from './stopwatch.js';
import { RESULT_VERSION, type ScoredCandidate, type SolveResult } from './types.js';
import { countMissingModules } from './verify/missing-modules.js';

export async function pipeline(
  text: string,
  options: PipelineOptions,
  context: StageContext,
  watch: Stopwatch,
): Promise<SolveResult> {
  const problem = parseProblem(text);
  const plan = planOf(options, context);
  const prompt = await renderPrompt(context.engine, context.profile.roles.solve, { problem: problem.text });
  await options.reward.check(context);
  await options.verifier.check?.(context);

  const stages = problemStages(problem, prompt, options, context, watch);
  const decide = (pool: readonly ScoredCandidate[]) => select(pool, options.select, options.fallback, options.unknown);
  const grouped = (judged: readonly JudgedCandidate[]) =>
    watch.time('select', () =>
      answerGroups(
        judged.map(({ candidate: { answer } }) => answer),
        context.same,
      ),
    );

  const judged =
    options.budget === 'fixed'
      ? await fixed(stages, plan, context.signal)
      : await rememberedAdaptive(stages, plan, prompt, options, context, async (pool) => {
          const groups = await grouped(pool);
          const scored = scoredCandidates(pool, groups);
          const { chosen, fallback } = decide(scored);
          const group = scored.find(({ index }) => index === chosen)?.group ?? null;
          return { groups: scored.map((each) => each.group), chosen: { group, byFallback: fallback !== null } };
        });

  const pool = scoredCandidates(judged, await grouped(judged));
  const selection = decide(pool);
  return {
    version: RESULT_VERSION,
    problem: problem.text,
    answer: selection.answer,
    verified: selection.verified,
    select: options.select,
    fallback: selection.fallback,
    chosen: selection.chosen,
    candidates: pool.map(({ tokens, logprobs: _, ...candidate }, i) => ({
      ...candidate,
      generatedTokens: tokens.length,
      weight: selection.weights[i] ?? 0,
    })),
    missingModules: countMissingModules(pool.map(({ tool }) => tool)),
    usage: context.usage.total,
    cache: context.memory.counts,
    timing: watch.timing,
  };
}

/** @param groups [candidates] see `answerGroups` */
const scoredCandidates = (judged: readonly JudgedCandidate[], groups: readonly (number | null)[]): ScoredCandidate[] =>
  judged.map(({ candidate, tool, reward }, i) => {
    const first = groups[i] ?? null; // a place in the pool
    return {
      ...candidate,
      group: first === null ? null : (judged[first]?.candidate.index ?? null),
      tool: tool ?? { verdict: 'skipped', programs: [] },
      reward: reward ? reward.score : 'skipped',
      rationales: reward?.rationales,
      stepScores: reward?.steps,
      rewardTokens: reward?.tokens,
    };
  });
