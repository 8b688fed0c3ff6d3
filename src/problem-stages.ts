/** The stages of one problem as the pieces of work that a budget spends, and the budget that the settings ask for. */
import type { Plan, Stages } from './budget/stages.js';
import { T1Error } from './errors.js';
import { sampleCandidates } from './generate/sample.js';
import { message, named } from './message.js';
import type { PipelineOptions } from './options.js';
import type { Problem } from './problem/problem.js';
import type { Prompt } from './prompt/prompt.js';
import { fallbackSelector, selectors } from './select/select.js';
import type { StageContext } from './stage-context.js';
import type { Stopwatch } from './stopwatch.js';
import type { SolveEvent, StageName } from './types.js';
import { oneLook } from './verify/looks.js';

export function problemStages(
  problem: Problem,
  prompt: Prompt,
  options: PipelineOptions,
  context: StageContext,
  watch: Stopwatch,
): Stages {
  const { verifier, reward } = options;
  const sums = new ProgressSums(context.emit);
  const during = (signal: AbortSignal, settings: Partial<StageContext['settings']> = {}): StageContext => ({
    ...context,
    settings: { ...context.settings, ...settings },
    signal,
    emit: sums.piece(),
  });
  const asksTool = options.budget === 'fixed' || selectors[options.select].needs.includes('tool');
  let prepared = !asksTool;
  /** A job of the engine tells its progress from its beginning on; what comes from the cache is no job. */
  const preparing = (run: StageContext): StageContext => ({
    ...run,
    emit: (event) => {
      if (!prepared && event.type === 'progress') {
        prepared = true;
        verifier.prepare?.(context);
      }
      run.emit(event);
    },
  });
  return {
    sample: (indices, signal, onCandidate) =>
      watch.time('sample', () => sampleCandidates(prompt, indices, preparing(during(signal)), onCandidate)),
    verify: (candidates, opinions, signal) =>
      watch.time('verify', () =>
        verifier.verify(problem, prompt, candidates, during(signal, { programs: opinions, checks: opinions })),
      ),
    reward: (candidates, judgements, signal) =>
      watch.time('reward', () => reward.score(problem, prompt, candidates, during(signal, { rationales: judgements }))),
    tell: ({ candidate: { index }, tool, reward }) => {
      if (tool) context.emit({ type: 'verdict', index, tool });
      if (reward) context.emit({ type: 'score', index, reward: reward.score });
    },
    opinionsOf: (verifier.looks ?? oneLook).opinions,
  };
}

/** @throws T1Error USAGE for a selection that nothing can settle early */
export function planOf(options: PipelineOptions, context: StageContext): Plan {
  const { most, rule } = options.verifier.looks ?? oneLook;
  const strategy = selectors[options.select];
  if (options.budget === 'adaptive' && strategy.combine === 'max')
    throw new T1Error(
      'USAGE',
      message`must be fixed with ${named('select')} ${options.select}: one more candidate can always win`,
      { setting: 'budget' },
    );
  return {
    candidates: options.samples,
    opinions: most(context),
    rule: rule(context),
    judgements: options.reward.judgements?.(context) ?? 1,
    strategy,
    otherwise: strategy.needsPass ? fallbackSelector(strategy, options.fallback) : null,
    unknown: options.unknown,
    confidence: options.confidence,
    reproducible: context.engine.reproducible,
  };
}

/** Progress of many jobs as that of their stage: each tells its own numbers, listeners get the sums. */
class ProgressSums {
  private readonly stages = new Map<StageName, { finished: number; total: number; generatedTokens: number }>();

  constructor(private readonly emit: (event: SolveEvent) => void) {}

  /** @returns where one piece of work tells its events */
  piece(): (event: SolveEvent) => void {
    const told = { finished: 0, total: 0, generatedTokens: 0 };
    return (event) => {
      if (event.type !== 'progress') return this.emit(event);
      const sum = this.stages.get(event.stage) ?? { finished: 0, total: 0, generatedTokens: 0 };
      this.stages.set(event.stage, sum);
      for (const name of ['finished', 'total', 'generatedTokens'] as const) {
        sum[name] += event[name] - told[name];
        told[name] = event[name];
      }
      this.emit({ type: 'progress', stage: event.stage, ...sum });
    };
  }
}
