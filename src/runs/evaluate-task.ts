/** Many problems through the pipeline, so many at a time that the engine is full; each is written down when it is done. */
import { cpus, totalmem } from 'node:os';
import { T1Error } from '../errors.js';
import { sampleCached } from '../generate/cached.js';
import { extractBoxed } from '../grade/boxed.js';
import type { SameAnswer } from '../grade/same.js';
import { fingerprint } from '../model/fingerprint.js';
import { profileFor } from '../prompt/profile.js';
import { renderPrompt } from '../prompt/prompt.js';
import { UsageCounter } from '../stage-context.js';
import { solve, withSolver, type SolveContext } from '../solve.js';
import { Memory } from '../store/memory.js';
import type { Store } from '../store/store.js';
import type { SolveResult } from '../types.js';
import type { TaskProblem } from '../task/task-problems.js';
import { recordKey, solvedRecord, type RunRecord } from './record.js';
import type { RunFile } from './run-file.js';

/** Sequences that the engine decodes at the same time, at most. */
const ENGINE_SEQUENCES = 256;
/** Problems that wait for their programs decode nothing: so some more than fill the engine. */
const SPARE_PROBLEMS = 2;

export interface EvaluateProgress {
  readonly finished: number;
  readonly total: number;
  readonly correct: number;
  /** Those that ended in an error. */
  readonly failed: number;
  readonly generatedTokens: number;
  readonly cacheHits: number;
  readonly seconds: number;
}

/** As for one problem, with a store that all share. */
export type EvaluateContext = SolveContext & { readonly store: Store; readonly signal: AbortSignal };

export interface EvaluateOptions {
  /** Whether an answer is the right one. */
  readonly isRight: SameAnswer;
  /** Each problem is sampled with every one of them. */
  readonly seeds: readonly number[];
  /** Ask again about problems that ended in an error. */
  readonly retryFailed: boolean;
  readonly onProgress?: (progress: EvaluateProgress) => void;
}

/**
 * @param context as for one problem; its sandbox and store are shared by all
 * @throws T1Error what concerns more than one problem (engine, store, disk, abort); what concerns one ends in its record
 */
export async function evaluate(
  problems: readonly TaskProblem[],
  run: RunFile,
  context: EvaluateContext,
  { isRight, seeds, retryFailed, onProgress }: EvaluateOptions,
): Promise<void> {
  const done = run.done(retryFailed);
  const todo = seeds
    .flatMap((seed, k) => problems.map((problem, i) => ({ problem, seed, ordinal: k * problems.length + i })))
    .filter(({ problem: { id }, seed }) => !done.has(recordKey({ id, seed })));
  const started = performance.now();
  const progress = { finished: 0, correct: 0, failed: 0, generatedTokens: 0, cacheHits: 0 };
  const one = async ({ problem, seed, ordinal }: (typeof todo)[number]): Promise<void> => {
    const record = await recordOf(problem, seed, { ...context, seed }, isRight, ({ usage, cache }) => {
      progress.generatedTokens += usage.generatedTokens;
      progress.cacheHits += cache.hits;
    });
    run.save(ordinal, record);
    progress.finished++;
    if (record.outcome === 'failed') progress.failed++;
    else if (record.outcome === 'solved' && record.correct === true) progress.correct++;
    onProgress?.({
      ...progress,
      total: todo.length,
      seconds: (performance.now() - started) / 1000,
    });
  };
  const width = Math.ceil(ENGINE_SEQUENCES / (context.samples ?? 16)) + SPARE_PROBLEMS;
  await forEachAtOnce(todo, context.engine.reproducible ? 1 : width, one);
}

/** Of one problem alone: a prompt that is too long, or an input that is none. */
const ITS_OWN = new Set(['INPUT', 'PROMPT_TOO_LONG']);

async function recordOf(
  problem: TaskProblem,
  seed: number,
  context: EvaluateContext,
  isRight: SameAnswer,
  count: (result: Pick<SolveResult, 'usage' | 'cache'>) => void,
): Promise<RunRecord> {
  try {
    const result = await solve(problem.problem, context).result;
    count(result);
    const usage = new UsageCounter();
    const memory = new Memory(context.store);
    const greedy = await greedyAnswer(problem.problem, context, usage, memory);
    count({ usage: usage.total, cache: memory.counts });
    const answers = new Set(
      [greedy, ...result.candidates.map(({ answer }) => answer)].flatMap((answer) => answer ?? []),
    );
    const equal = new Map<string, boolean | null>();
    for (const answer of answers) equal.set(answer, await isRight(problem.gold, answer));
    return solvedRecord(problem, seed, result, greedy, equal);
  } catch (error) {
    if (!(error instanceof T1Error) || !ITS_OWN.has(error.code)) throw error;
    return { ...problem, seed, outcome: 'failed', code: error.code, message: error.message };
  }
}

/** The likeliest solution's answer; verifiers and rewards are not asked about it. */
async function greedyAnswer(
  problem: string,
  { engine, store, solveMessages, extract = extractBoxed, maxTokens, signal }: EvaluateContext,
  usage: UsageCounter,
  memory: Memory,
): Promise<string | null> {
  const profile = withSolver(profileFor(engine.model), solveMessages);
  const { tokens } = await renderPrompt(engine, profile.roles.solve, { problem });
  const source = {
    engine,
    modelHash: await fingerprint(engine.model.path, store),
    memory,
    usage,
    signal,
    emit: () => {},
  };
  const settings = {
    sampler: { temperature: 0, topK: 0, topP: 1, minP: 0 },
    maxTokens: maxTokens ?? profile.defaults.maxTokens,
  };
  const [[sample] = []] = await sampleCached(source, 'sample', [{ tokens, seeds: [0] }], settings);
  return sample ? extract(sample.text) : null;
}

/** At most `width` at the same time; the first failure ends what has not begun. */
async function forEachAtOnce<Item>(
  items: readonly Item[],
  width: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  let failed = false;
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return;
      await run(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

/** What a run says of the machine. */
export const hardware = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  platform: `${process.platform}-${process.arch}`,
});
