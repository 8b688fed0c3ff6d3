/** A benchmark, from the first problem to the report, with what a session has. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from './engine/engine-types.js';
import { T1Error } from './errors.js';
import { extractBoxed } from './grade/boxed.js';
import { extractChoice } from './grade/choice.js';
import { extractAnswer } from './grade/extract.js';
import { Grader } from './grade/grader.js';
import type { SameAnswer } from './grade/same.js';
import { fingerprint } from './model/fingerprint.js';
import { parseOptions, type SolveOptions, type SolveSettings } from './options.js';
import { cacheFolder, packageRoot } from './paths.js';
import { profileFor } from './prompt/profile.js';
import { writeReport } from './report/write-report.js';
import { evaluateArithmetic } from './runs/arithmetic-run.js';
import { EnergyMeter } from './runs/energy.js';
import { evaluate, type EvaluateProgress, hardware } from './runs/evaluate-task.js';
import { RunFile, type RunManifest } from './runs/run-file.js';
import { type ClaimsSummary, type RunSummary, summaryOf } from './runs/run-summary.js';
import type { Session } from './session.js';
import { UsageCounter } from './stage-context.js';
import { arithmeticAbout, arithmeticClaims, type Claim } from './task/arithmetic-task.js';
import { fetchTask } from './task/fetch.js';
import { inCategories, readTaskFile, type TaskData, type TaskProblem } from './task/task-problems.js';
import { FIELDS, ownTask, type Task, taskNamed } from './task/task.js';
import { packageVersion } from './version.js';

export const RUNS_FOLDER = 't1-runs';
/** In the folder of a run. */
const REPORT_FILE = 'report.html';

export interface EvaluateTask extends SolveSettings {
  /** The task's file, instead of fetching it. */
  readonly data?: string | undefined;
  /** Names of the columns of a file of one's own. */
  readonly map?: Readonly<Partial<Record<(typeof FIELDS)[number], string>>> | undefined;
  /** Problems from … up to, not including; all when absent. */
  readonly limit?: readonly [from: number, to: number] | undefined;
  /** Only problems of these; all when absent. */
  readonly categories?: readonly string[] | undefined;
  /** How many seeds, from `seed` on; 1 when absent. */
  readonly seeds?: number | undefined;
  /** Of the run; one that is there goes on. `t1-runs/TASK-DATE` when absent. */
  readonly folder?: string | undefined;
  /** Ask again about problems that ended in an error. */
  readonly retryFailed?: boolean | undefined;
  /** Kept in the run, so that it can be gone on with. */
  readonly command?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: EvaluateProgress) => void) | undefined;
  /** Told once, when the problems are known: how many are in the run already. */
  readonly onBegin?: ((before: number) => void) | undefined;
  readonly onDownload?: Parameters<typeof fetchTask>[1]['onProgress'];
}

export interface Evaluation {
  /** Over all problems of the run, those of earlier starts included. */
  readonly summary: RunSummary | ClaimsSummary;
  readonly folder: string;
}

/**
 * @param name a task that is known, `arithmetic`, or the path of a file of one's own
 * @throws T1Error USAGE, INPUT, DATA_UNAVAILABLE, RUN_MISMATCH, RUN_CORRUPT, ABORTED (what was finished is in the run), and what
 *   solving raises
 */
export async function evaluateTask(session: Session, name: string, options: EvaluateTask): Promise<Evaluation> {
  const { data, map, limit, categories = [], seeds = 1, folder: chosen, retryFailed = false, command = [] } = options;
  const { signal: wanted, onProgress, onBegin, onDownload, ...rest } = options;
  const {
    data: _,
    map: _map,
    limit: _limit,
    categories: _c,
    seeds: _s,
    folder: _f,
    retryFailed: _r,
    command: _command,
    ...given
  } = rest;
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > 1000)
    throw new T1Error('USAGE', 'seeds: must be a whole number from 1 to 1000');
  const signal = AbortSignal.any([session.closing, ...(wanted ? [wanted] : [])]);
  const task = taskFor(name, map);
  const settings = parseOptions({ ...given, verifier: given.verifier ?? task?.verifier ?? 'math' });
  const work = task
    ? await problemsOf(task, { data, limit, categories }, signal, onDownload)
    : claimsOf(options, settings.seed);
  const folder = chosen ?? join(RUNS_FOLDER, `${folderName(name)}-${timestamp()}`);
  const configuration = { ...settings, limit: limit ? limitText(limit) : null, category: categories, seeds };
  const manifest = await manifestOf(session, command, work.about, configuration);
  using run = RunFile.begin(folder, manifest);
  onBegin?.(run.done(retryFailed).size);
  const [energy, startedAt] = [new EnergyMeter(), new Date().toISOString()];
  const progress = (now: EvaluateProgress): void => {
    run.spend(startedAt, { seconds: now.seconds, joules: energy.joules(), generatedTokens: now.generatedTokens });
    onProgress?.(now);
  };
  if (work.kind === 'claims') await judgeClaims(session, work.claims, run, signal, progress);
  else {
    await using grader = new Grader();
    const same = judgeOf(work.task, grader, signal);
    const call = { ...settings, signal, solveMessages: work.task.solve, extract: EXTRACT[work.task.extract], same };
    const all = Array.from({ length: seeds }, (_, i) => settings.seed + i);
    await evaluate(work.problems, run, session, call, { isRight: same, seeds: all, retryFailed, onProgress: progress });
  }
  const summary = await summaryOf(run);
  if (summary.problems > 0) await writeReport(folder, join(folder, REPORT_FILE));
  return { summary, folder };
}

async function judgeClaims(
  { model, store, sandbox }: Session,
  claims: readonly Claim[],
  run: RunFile,
  signal: AbortSignal,
  onProgress: (progress: EvaluateProgress) => void,
): Promise<void> {
  const { engine, hash: modelHash } = model;
  const usage = new UsageCounter();
  const source = { engine, modelHash, store, usage, signal, emit: () => {}, profile: profileFor(engine.model) };
  const runner = {
    run: async (request: Parameters<Awaited<ReturnType<typeof sandbox>>['run']>[0]) => (await sandbox()).run(request),
  };
  await evaluateArithmetic(claims, run, source, runner, onProgress);
}

type About = RunManifest['task'];
type Work =
  | { readonly kind: 'problems'; readonly task: Task; readonly problems: readonly TaskProblem[]; readonly about: About }
  | { readonly kind: 'claims'; readonly claims: readonly Claim[]; readonly about: About };

type Part = Pick<EvaluateTask, 'data' | 'limit'> & { readonly categories: readonly string[] };

async function problemsOf(
  task: Task,
  { data: file, limit, categories }: Part,
  signal: AbortSignal,
  onDownload: EvaluateTask['onDownload'],
): Promise<Work> {
  const data = await dataOf(task, file, signal, onDownload);
  const all = inCategories(data.problems, categories);
  const problems = all.slice(...(limit ?? [0, Infinity]));
  if (problems.length === 0)
    throw new T1Error(
      'USAGE',
      `limit ${limit ? limitText(limit) : ''}: ${task.name} has only ${all.length} problems${categories.length > 0 ? ' of the category' : ''}`,
    );
  const { name, version, title, source } = task;
  const about = { name, version, title, source, sha256: data.sha256, problems: problems.length };
  return { kind: 'problems', task, problems, about };
}

/** `limit` says how many right and how many wrong claims of each number of operands. */
function claimsOf({ limit, data, map, categories = [], seeds = 1 }: EvaluateTask, seed: number): Work {
  if (data !== undefined || map !== undefined || categories.length > 0)
    throw new T1Error(
      'USAGE',
      'data, map and categories are for tasks with a file, and arithmetic is drawn from the seed',
    );
  if (seeds > 1)
    throw new T1Error(
      'USAGE',
      'seeds: arithmetic is greedy, so its claims alone depend on the seed: give it another one',
    );
  const [from, to] = limit ?? [0, 500];
  if (from !== 0)
    throw new T1Error(
      'USAGE',
      'limit: arithmetic takes a number, of right and of wrong claims for each number of operands',
    );
  const claims = arithmeticClaims(to, seed);
  const sha256 = createHash('sha256')
    .update(claims.map(({ text }) => text).join('\n'))
    .digest('hex');
  return { kind: 'claims', claims, about: { ...arithmeticAbout, sha256, problems: claims.length } };
}

/**
 * Makes sure that there is such a task, and, for a file of one's own, that it can be read.
 *
 * @throws T1Error USAGE, INPUT, FILE_NOT_FOUND
 */
export async function checkTask(name: string, { data, map }: Pick<EvaluateTask, 'data' | 'map'>): Promise<void> {
  const task = taskFor(name, map);
  if (task?.name === 'own' && data === undefined) await readTaskFile(task, task.title);
}

/** @returns undefined for arithmetic, which has no file */
function taskFor(name: string, map: EvaluateTask['map']): Task | undefined {
  if (name === 'arithmetic') return undefined;
  if (/[\\/.]/.test(name)) return ownTask(name, map ?? {});
  if (map !== undefined) throw new T1Error('USAGE', 'map: is for a file of your own, and the task is a name');
  return taskNamed(name);
}

async function dataOf(
  task: Task,
  data: string | undefined,
  signal: AbortSignal,
  onProgress: EvaluateTask['onDownload'],
): Promise<TaskData> {
  if (data !== undefined) return readTaskFile(task, data);
  if (task.name === 'own') return readTaskFile(task, task.title);
  if (task.data.file !== undefined) return readTaskFile(task, join(packageRoot, task.data.file));
  const folder = join(cacheFolder(), 'tasks');
  return readTaskFile(task, await fetchTask(task, { folder, signal, ...(onProgress && { onProgress }) }));
}

/** How a task finds the final answer of a solution: boxed; boxed, else stated, else the last number; or the letter of an option. */
const EXTRACT: Readonly<Record<Task['extract'], (solution: string) => string | null>> = {
  boxed: extractBoxed,
  math: extractAnswer,
  choice: (solution) => extractChoice(solution),
};

/** Letters are compared as they are; everything else is graded, with a time limit, and may stay undecided. */
const judgeOf =
  ({ extract }: Task, grader: Grader, signal: AbortSignal): SameAnswer =>
  async (gold, answer) =>
    extract === 'choice' ? gold === answer : (await grader.grade(gold, answer, { kind: 'math', signal })).equal;

async function manifestOf(
  { model, rewardModel, store, sandboxVersion }: Session,
  command: readonly string[],
  task: About,
  { verifier, ...configuration }: SolveOptions & Readonly<Record<string, unknown>>,
): Promise<RunManifest> {
  const two = rewardModel !== model;
  const adaptersOf = ({ adapters }: Engine) =>
    Promise.all(
      adapters.map(async ({ name, path, scale }) => ({ name, scale, sha256: await fingerprint(path, store) })),
    );
  const { engine } = model;
  return {
    command: [...command],
    configuration: {
      ...configuration,
      sandbox: await sandboxVersion(),
      verifier: typeof verifier === 'string' ? verifier : `${verifier.name} ${verifier.version}`,
      reproducible: engine.reproducible,
      adapters: [...(await adaptersOf(engine)), ...(two ? await adaptersOf(rewardModel.engine) : [])],
      rewardModel: two ? rewardModel.hash : null,
    },
    task,
    model: { name: engine.model.name, path: engine.model.path, sha256: model.hash },
    engine: engine.build,
    hardware: hardware(),
    packageVersion,
    node: process.version,
    startedAt: new Date().toISOString(),
  };
}

/** As it is written: `100`, or `50-100`. */
const limitText = ([from, to]: readonly [number, number]): string => (from === 0 ? String(to) : `${from}-${to}`);

export const folderName = (task: string): string => task.replaceAll(/[^\w-]+/g, '-');
const timestamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
