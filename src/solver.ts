/** A solver: models, sandbox, database and indexes, loaded once, for as many problems as one likes. */
import { z } from 'zod';
import type { Engine, ModelInfo } from './engine/engine-types.js';
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
  const own = Object.entries(options).filter(([name]) => SESSION_OPTIONS.has(name));
  const rest = Object.entries(options).filter(([name, value]) => !SESSION_OPTIONS.has(name) && value !== undefined);
  return [Object.fromEntries(own), Object.fromEntries(rest)];
}

const given = z.looseObject({});
const engine = z.custom<Engine>((value) => typeof value === 'object' && value !== null && 'sample' in value);
const adapters = z.array(z.looseObject({ name: z.string(), path: z.string() }));
const callback = z.custom<() => void>((value) => typeof value === 'function');

/** What JavaScript may give instead of what the types say. */
const sessionShape = z.looseObject({
  model: z.string().min(1).optional(),
  rewardModel: z.string().min(1).optional(),
  adapters: adapters.optional(),
  rewardAdapters: adapters.optional(),
  engine: engine.optional(),
  rewardEngine: engine.optional(),
  database: z
    .union([z.string().min(1), z.literal(false), z.custom<Store>((value) => value instanceof Store)])
    .optional(),
  sandbox: given.optional(),
  knowledge: given.optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onDownload: callback.optional(),
  onNote: callback.optional(),
} satisfies Record<keyof typeof OWN, z.ZodType>);

const WANTED: Readonly<Record<string, string>> = {
  model: "the path of a GGUF file, or 'hf:user/repo:quant'",
  rewardModel: "the path of a GGUF file, or 'hf:user/repo:quant'",
  adapters: 'a list of { name, path, scale? }',
  rewardAdapters: 'a list of { name, path, scale? }',
  engine: 'what loadEngine gives',
  rewardEngine: 'what loadEngine gives',
  database: 'the path of a file, false, or a Store',
  sandbox: "an object, as { backend: 'cpython' }",
  signal: 'an AbortSignal',
};

function checkSessionOptions(options: unknown): void {
  const checked = sessionShape.safeParse(options);
  if (checked.success) return;
  const [name] = checked.error.issues[0]?.path ?? [];
  if (typeof name !== 'string') throw new T1Error('USAGE', 'a solver is given an object with settings, or nothing');
  throw new T1Error('USAGE', `must be ${WANTED[name] ?? 'as its type says'}`, { setting: name });
}

const OWN = {
  model: 0,
  rewardModel: 0,
  adapters: 0,
  rewardAdapters: 0,
  engine: 0,
  rewardEngine: 0,
  database: 0,
  sandbox: 0,
  knowledge: 0,
  signal: 0,
  onDownload: 0,
  onNote: 0,
} satisfies Record<Exclude<keyof SessionOptions, keyof EngineSettings>, 0>;

const SESSION_OPTIONS: ReadonlySet<string> = new Set([...Object.keys(OWN), ...Object.keys(engineSettings)]);
