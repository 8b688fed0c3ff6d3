/**
 * The whole way of one problem (arXiv 2504.04718):
 * problem → prompt → sample → tool verdict → reward → selection.
 *
 * Every stage looks into `run.store` first and keeps there what it adds, row by row, as it comes to be.
 */
import { sampleCandidates } from './generate/sample.js';
import { answerGroups } from './grade/same.js';
import { parseProblem } from './problem/problem.js';
import { renderPrompt } from './prompt/prompt.js';
import type { PipelineOptions } from './options.js';
import { rewardChecks, rewardModels } from './reward/reward.js';
import type { StageContext } from './stage-context.js';
import { select } from './select/select.js';
import type { Stopwatch } from './stopwatch.js';
import type { SolveResult } from './types.js';
import { countMissingModules } from './verify/missing-modules.js';

export async function pipeline(
  text: string,
  options: PipelineOptions,
  run: StageContext,
  watch: Stopwatch,
): Promise<SolveResult> {
  const problem = parseProblem(text);
  const prompt = await renderPrompt(run.engine, run.profile.roles.solve, { problem: problem.text });

  await rewardChecks[options.reward](run);
  await options.verifier.check?.(run);

  const candidates = await watch.time('sample', () => sampleCandidates(prompt, run));
  const verdicts = await watch.time('verify', () => options.verifier.verify(problem, prompt, candidates, run));
  const rewards = await watch.time('reward', () => rewardModels[options.reward](problem, prompt, candidates, run));

  const groups = await watch.time('select', () =>
    answerGroups(
      candidates.map(({ answer }) => answer),
      run.same,
    ),
  );
  const pool = candidates.map((candidate, i) => ({
    ...candidate,
    group: groups[i] ?? null,
    tool: verdicts[i] ?? { verdict: 'unknown' as const, programs: [] },
    reward: rewards[i]?.score ?? null,
    rationales: rewards[i]?.rationales,
    stepScores: rewards[i]?.steps,
    rewardTokens: rewards[i]?.tokens,
  }));
  const selection = watch.timeSync('select', () => select(pool, options.select, options.fallback, options.unknown));

  return {
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
    missingModules: countMissingModules(verdicts),
    usage: run.usage.total,
    cache: run.memory.counts,
    timing: watch.timing,
  };
}
