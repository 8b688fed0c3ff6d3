/** A solver: models, sandbox, database and indexes, loaded once, for as many problems as one likes. */
import { z } from 'zod';
import type { ModelInfo } from './engine/engine-types.js';
import { T1Error } from './errors.js';
import { Session, type SessionOptions } from './session.js';
import { Store } from './store/store.js';
import { solve, type SolveCall, type Solving } from './solve.js';
import { parseOptions, type SolveSettings } from './options.js';
import type { EvaluateTask, Evaluation } from './evaluate.js';
import { engineSettings, type EngineSettings } from './settings/engine-settings.js';

/** Settings given here hold for all problems, unless a problem has its own. */
export interface SolverOptions extends SessionOptions, SolveSettings {}

export interface Solver extends AsyncDisposable {
  /** What the model's file says of itself. */
  readonly model: ModelInfo;
  /**
   * Solves a problem; any number at the same time.
   *
   * @param problem the question in plain words
   * @returns a promise of the result that can also be iterated for what happens on the way
   * @throws (rejects) T1Error USAGE, INPUT, PROMPT_TOO_LONG, ABORTED, DISPOSED, and what engine, sandbox and database
   *   raise
   */
  solve(problem: string, call?: SolveCall): Solving;
  /**
   * Runs a benchmark and writes it down, problem by problem, in a folder; the same call on the same folder goes on.
   *
   * @param task one that is known (`t1 ls tasks`), `arithmetic`, or the path of a file of one's own
   * @throws (rejects) as `solve`, and T1Error DATA_UNAVAILABLE, RUN_MISMATCH, RUN_CORRUPT, DISK_FULL
   */
  evaluate(task: string, options?: EvaluateTask): Promise<Evaluation>;
  /**
   * Ends all work (those waiting get DISPOSED) and frees everything, so that the process can exit. Safe to call twice.
   */
  close(): Promise<void>;
}

/**
 * @returns when vocabulary and metadata of the models are read; weights are loaded at the first problem that needs
 *   them, the sandbox starts with the first program
 * @throws T1Error FILE_NOT_FOUND, MODEL_INVALID, MODEL_DOWNLOAD, ADAPTER_INVALID, ADDON_UNAVAILABLE, USAGE,
 *   STORE_UNAVAILABLE, SANDBOX_UNAVAILABLE, ABORTED
 */
export async function createSolver(options: SolverOptions = {}): Promise<Solver> {
  const [sessionOptions, settings] = partition(options);
  parseOptions(settings); // wrong settings are told at once
  const session = await Session.open(sessionOptions);
  const close = () => session.close();
  return {
    model: session.model.engine.model,
    solve: (problem, call = {}) => solve(session, problem, { ...settings, ...call }),
    evaluate: async (task, options = {}) => {
      const { evaluateTask } = await import('./evaluate.js'); // tasks, statistics and reports are for those who measure
      return session.use(() => evaluateTask(session, task, { ...settings, ...options }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** By name: what is no session option is a setting, and an unknown one is refused as such. */
function partition(options: SolverOptions): readonly [SessionOptions, SolveSettings] {
  checkSessionOptions(options);
  const session = Object.entries(options).filter(([name]) => SESSION_OPTIONS.has(name));
  const rest = Object.entries(options).filter(([name, value]) => !SESSION_OPTIONS.has(name) && value !== undefined);
  return [Object.fromEntries(session), Object.fromEntries(rest)];
}

/** @param words what it must be @returns a check of what JavaScript may give instead of what the types say */
const wanted = (words: string, isRight: (value: unknown) => boolean) =>
  z.custom<unknown>(isRight, `must be ${words}`).optional();
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

const model = wanted("the path of a GGUF file, or 'hf:user/repo:quant'", isText);
const adapters = wanted(
  'a list of { name, path, scale? }',
  (value) => Array.isArray(value) && value.every((each) => isObject(each) && 'name' in each && 'path' in each),
);
const engine = wanted('what loadEngine gives', (value) => isObject(value) && 'sample' in value);
const callback = wanted('a function', (value) => typeof value === 'function');

/** What a session is given besides the settings of its engine. */
const own = {
  model,
  rewardModel: model,
  adapters,
  rewardAdapters: adapters,
  engine,
  rewardEngine: engine,
  database: wanted(
    'the path of a file, false, or a Store',
    (value) => isText(value) || value === false || value instanceof Store,
  ),
  sandbox: wanted("an object, as { backend: 'cpython' }", isObject),
  knowledge: wanted('an object that searches', isObject),
  signal: wanted('an AbortSignal', (value) => value instanceof AbortSignal),
  onDownload: callback,
  onNote: callback,
} satisfies Record<Exclude<keyof SessionOptions, keyof EngineSettings>, z.ZodType>;
const ownShape = z.looseObject(own, 'a solver is given an object with settings, or nothing');

function checkSessionOptions(options: unknown): void {
  const issue = ownShape.safeParse(options).error?.issues[0];
  if (issue) throw new T1Error('USAGE', issue.message, { setting: issue.path[0]?.toString() });
}

const SESSION_OPTIONS: ReadonlySet<string> = new Set([...Object.keys(own), ...Object.keys(engineSettings)]);
