/**
 * Many problems through the pipeline, so many at a time that the engine is full; each is written down when it is done.
 */
import { cpus, totalmem } from 'node:os';
import { mapAtOnce } from '../at-once.js';
import { FIRST_WINDOW } from '../budget/adaptive.js';
import { T1Error } from '../errors.js';
import { sampleCached } from '../generate/cached.js';
import { extractBoxed } from '../grade/boxed.js';
import type { SameAnswer } from '../grade/same.js';
import { parseProblem } from '../problem/problem.js';
import { profileFor } from '../prompt/profile.js';
import { renderPrompt } from '../prompt/prompt.js';
import { orderedEngine } from '../engine/ordered-engine.js';
import type { Session } from '../session.js';
import { type SolveCall, solve, withSolver } from '../solve.js';
import { UsageCounter } from '../stage-context.js';
import { Memory } from '../store/memory.js';
import type { TaskProblem } from '../task/task-problems.js';
import type { SolveEvent, SolveResult } from '../types.js';
import { type RunRecord, recordKey, solvedRecord } from './record.js';
import type { RunFile } from './run-file.js';
import { type EvaluateProgress, ProgressMeter } from './progress-meter.js';

export type { EvaluateProgress } from './progress-meter.js';

/** Problems that wait for their programs decode nothing: so one more than fill the engine. */
const SPARE_PROBLEMS = 1;

/** As for one problem; holds for all. */
export type EvaluateCall = SolveCall & { readonly signal: AbortSignal };

export interface EvaluateOptions {
  /** Whether an answer is the right one. */
  readonly isRight: SameAnswer;
  /** Each problem is sampled with every one of them. */
  readonly seeds: readonly number[];
  /** Ask again about problems that ended in an error. */
  readonly retryFailed: boolean;
  /** Told about every half second, and after every problem. */
  readonly onProgress?: (progress: EvaluateProgress) => void;
}

/**
 * Problems are taken in order, and the engine serves those that were taken first before later ones, so results come
 * early.
 *
 * @throws T1Error what concerns more than one problem (engine, store, disk, abort); what concerns one ends in its
 *   record
 */
export async function evaluate(
  problems: readonly TaskProblem[],
  run: RunFile,
  session: Session,
  call: EvaluateCall,
  { isRight, seeds, retryFailed, onProgress }: EvaluateOptions,
): Promise<void> {
  const done = run.done(retryFailed);
  const todo = seeds
    .flatMap((seed, k) => problems.map((problem, i) => ({ problem, seed, ordinal: k * problems.length + i })))
    .filter(({ problem: { id }, seed }) => !done.has(recordKey({ id, seed })));
  const { samples = 16, budget } = call;
  const meter = new ProgressMeter(todo.length, samples, onProgress);
  const one = async ({ problem, seed, ordinal }: (typeof todo)[number], signal: AbortSignal): Promise<void> => {
    const watched = meter.problem();
    const record = await recordOf(problem, session, { ...call, seed, ordinal, signal }, isRight, watched.event);
    run.save(ordinal, record);
    watched.end(record);
  };
  const { reproducible, efficientSequences } = session.model.engine;
  const atOnce = budget === 'adaptive' ? FIRST_WINDOW : samples; // sequences of one problem, at least
  const width = reproducible ? 1 : Math.ceil(efficientSequences / atOnce) + SPARE_PROBLEMS;
  try {
    await mapAtOnce(todo, one, { width, signal: call.signal });
  } finally {
    meter.stop();
  }
}

/** Of one problem alone: a prompt that is too long, or an input that is none. */
const ITS_OWN = new Set(['INPUT', 'PROMPT_TOO_LONG']);

async function recordOf(
  problem: TaskProblem,
  session: Session,
  call: EvaluateCall & { readonly seed: number; readonly ordinal: number },
  isRight: SameAnswer,
  watch: (event: SolveEvent) => void,
): Promise<RunRecord> {
  const { seed } = call;
  try {
    const solved = async (): Promise<SolveResult> => {
      const solving = solve(session, problem.problem, call);
      for await (const event of solving) watch(event);
      return solving;
    };
    const greedy = () => greedyAnswer(problem.problem, session, call, watch);
    // One job at a time where the engine is to compute the same again, in the same order.
    const [result, answer] = session.model.engine.reproducible
      ? [await solved(), await greedy()]
      : await Promise.all([solved(), greedy()]);
    const answers = new Set([answer, ...result.candidates.map((each) => each.answer)].flatMap((each) => each ?? []));
    const equal = new Map<string, boolean | null>();
    for (const each of answers) equal.set(each, await isRight(problem.gold, each));
    return solvedRecord(problem, seed, result, answer, equal);
  } catch (error) {
    if (!(error instanceof T1Error) || !ITS_OWN.has(error.code)) throw error;
    return { ...problem, seed, outcome: 'failed', code: error.code, message: error.message };
  }
}

/** The likeliest solution's answer; verifiers and rewards are not asked about it. */
async function greedyAnswer(
  problem: string,
  { model, store }: Session,
  { solveMessages, extract = extractBoxed, maxTokens, signal, ordinal = 0 }: EvaluateCall,
  watch: (event: SolveEvent) => void,
): Promise<string | null> {
  const engine = orderedEngine(model.engine, ordinal);
  const profile = withSolver(profileFor(engine.model), solveMessages);
  const { text } = parseProblem(problem); // one that is none fails before the engine is asked
  const { tokens } = await renderPrompt(engine, profile.roles.solve, { problem: text });
  const memory = new Memory(store);
  const source = { engine, modelHash: model.hash, memory, usage: new UsageCounter(), signal, emit: watch };
  const settings = {
    sampler: { temperature: 0, topK: 0, topP: 1, minP: 0 },
    maxTokens: maxTokens ?? profile.defaults.maxTokens,
  };
  const [[sample] = []] = await sampleCached(source, 'select', [{ tokens, seeds: [0] }], settings);
  return sample ? extract(sample.text) : null;
}

/** What a run says of the machine. */
export const hardware = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  platform: `${process.platform}-${process.arch}`,
});
