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
import { message, named } from './message.js';
import { profileFor } from './prompt/profile.js';
import { writeReport } from './report/write-report.js';
import { evaluateArithmetic } from './runs/arithmetic-run.js';
import { EnergyMeter } from './runs/energy.js';
import { evaluate, type EvaluateProgress, hardware } from './runs/evaluate-task.js';
import { RunFile, type RunManifest } from './runs/run-file.js';
import { type ClaimsSummary, type RunSummary, summaryOf } from './runs/run-summary.js';
import type { Session } from './session.js';
import { benchmarkSettings, type BenchmarkSettings, limitText } from './settings/benchmark-settings.js';
import { engineSettings } from './settings/engine-settings.js';
import { parseSettings, recordedSettings } from './settings/parse-settings.js';
import { sandboxSettings } from './settings/sandbox-settings.js';
import { sessionSettings } from './settings/session-settings.js';
import { otherValues, ownValues, type Settled } from './settings/setting.js';
import { solveSettings } from './settings/solve-settings.js';
import { UsageCounter } from './stage-context.js';
import { Memory } from './store/memory.js';
import { arithmeticAbout, arithmeticClaims, type Claim } from './task/arithmetic-task.js';
import { fetchTask } from './task/fetch.js';
import { inCategories, readTaskFile, type TaskData, type TaskProblem } from './task/task-problems.js';
import { ownTask, type Task, taskNamed } from './task/task.js';
import { packageVersion } from './version.js';

export const RUNS_FOLDER = 't1-runs';
/** In the folder of a run. */
const REPORT_FILE = 'report.html';

/** The settings of `settings/benchmark-settings.ts` and of a solve, and what only a program can say. */
export interface EvaluateTask extends SolveSettings, BenchmarkSettings {
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
 * @throws T1Error USAGE, INPUT, DATA_UNAVAILABLE, RUN_MISMATCH, RUN_CORRUPT, ABORTED (what was finished is in the run),
 *   and what solving raises
 */
export async function evaluateTask(session: Session, name: string, options: EvaluateTask): Promise<Evaluation> {
  const { retryFailed = false, command = [], signal: wanted, onProgress, onBegin, onDownload, ...rest } = options;
  const part = parseSettings(benchmarkSettings, ownValues(benchmarkSettings, rest));
  const { map, seeds, folder: chosen } = part;
  const given = otherValues(benchmarkSettings, rest);
  const signal = AbortSignal.any([session.closing, ...(wanted ? [wanted] : [])]);
  const task = taskFor(name, map);
  const settings = parseOptions({ ...given, verifier: given.verifier ?? task?.verifier ?? 'math' });
  const work = task ? await problemsOf(task, part, signal, onDownload) : claimsOf(part, settings.seed);
  const folder = chosen ?? join(RUNS_FOLDER, `${folderName(name)}-${timestamp()}`);
  const manifest = await manifestOf(session, command, work.about, settings, part);
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
  const memory = new Memory(store);
  const source = { engine, modelHash, memory, usage, signal, emit: () => {}, profile: profileFor(engine.model) };
  const runner = {
    run: async (request: Parameters<Awaited<ReturnType<typeof sandbox>>['run']>[0]) => (await sandbox()).run(request),
  };
  await evaluateArithmetic(claims, run, source, runner, onProgress);
}

type About = RunManifest['task'];
type Work =
  | { readonly kind: 'problems'; readonly task: Task; readonly problems: readonly TaskProblem[]; readonly about: About }
  | { readonly kind: 'claims'; readonly claims: readonly Claim[]; readonly about: About };

type Part = Settled<typeof benchmarkSettings>;

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
      `${limit ? limitText(limit) : 'all'}: ${task.name} has only ${all.length} problems${categories.length > 0 ? ' of the category' : ''}`,
      { setting: 'limit' },
    );
  const { name, version, title, source } = task;
  const about = { name, version, title, source, sha256: data.sha256, problems: problems.length };
  return { kind: 'problems', task, problems, about };
}

/** `limit` says how many right and how many wrong claims of each number of operands. */
function claimsOf({ limit, data, map, categories, seeds }: Part, seed: number): Work {
  if (data !== undefined || map !== undefined || categories.length > 0)
    throw new T1Error(
      'USAGE',
      message`${named('data')}, ${named('map')} and ${named('categories')} are for tasks with a file, and arithmetic is drawn from ${named('seed')}`,
    );
  if (seeds > 1)
    throw new T1Error(
      'USAGE',
      message`arithmetic is greedy, so its claims alone depend on ${named('seed')}: give it another one`,
      { setting: 'seeds' },
    );
  const [from, to] = limit ?? [0, 500];
  if (from !== 0)
    throw new T1Error('USAGE', 'arithmetic takes a number, of right and of wrong claims for each number of operands', {
      setting: 'limit',
    });
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
export async function checkTask(name: string, options: BenchmarkSettings): Promise<void> {
  const { data, map } = parseSettings(benchmarkSettings, ownValues(benchmarkSettings, options));
  const task = taskFor(name, map);
  if (task?.name === 'own' && data === undefined) await readTaskFile(task, task.title);
}

/** @returns undefined for arithmetic, which has no file */
function taskFor(name: string, map: Part['map']): Task | undefined {
  if (name === 'arithmetic') return undefined;
  if (/[\\/.]/.test(name)) return ownTask(name, map ?? {});
  if (map !== undefined)
    throw new T1Error('USAGE', 'is for a file of your own, and the task is a name', { setting: 'map' });
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

/**
 * How a task finds the final answer of a solution: boxed; boxed, else stated, else the last number; or the letter of an
 * option.
 */
const EXTRACT: Readonly<Record<Task['extract'], (solution: string) => string | null>> = {
  boxed: extractBoxed,
  math: extractAnswer,
  choice: (solution) => extractChoice(solution),
};

/** What a solver was made with. */
const solverSettings = { ...sessionSettings, sandbox: { parts: sandboxSettings }, ...engineSettings };

/** Letters are compared as they are; everything else is graded, with a time limit, and may stay undecided. */
const judgeOf =
  ({ extract }: Task, grader: Grader, signal: AbortSignal): SameAnswer =>
  async (gold, answer) =>
    extract === 'choice' ? gold === answer : (await grader.grade(gold, answer, { kind: 'math', signal })).equal;

async function manifestOf(
  { model, rewardModel, store, sandboxVersion }: Session,
  command: readonly string[],
  task: About,
  settings: SolveOptions,
  part: Part,
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
      ...recordedSettings(solveSettings, settings),
      ...recordedSettings(benchmarkSettings, part),
      ...recordedSettings(solverSettings, {
        rewardModel: two ? rewardModel.hash : null,
        sandbox: await sandboxVersion(),
        reproducible: engine.reproducible,
      }),
      // No setting names them: they are files that were loaded with an engine.
      adapters: [...(await adaptersOf(engine)), ...(two ? await adaptersOf(rewardModel.engine) : [])],
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

export const folderName = (task: string): string => task.replaceAll(/[^\w-]+/g, '-');
const timestamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
