/** `t1 eval`: a benchmark, from the first problem to the report. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import { evaluateArithmetic } from '../runs/arithmetic-run.js';
import { EnergyMeter } from '../runs/energy.js';
import { evaluate, hardware, type EvaluateProgress } from '../runs/evaluate-task.js';
import { RunFile, type RunManifest } from '../runs/run-file.js';
import { extractBoxed } from '../grade/boxed.js';
import { extractChoice } from '../grade/choice.js';
import { extractAnswer } from '../grade/extract.js';
import { Grader } from '../grade/grader.js';
import type { SameAnswer } from '../grade/same.js';
import { fingerprint } from '../model/fingerprint.js';
import { message, named, type NameOf } from '../message.js';
import type { SolveOptions } from '../options.js';
import { cacheFolder, defaultDatabase, packageRoot } from '../paths.js';
import { profileFor } from '../prompt/profile.js';
import { UsageCounter } from '../stage-context.js';
import { LazySandbox } from '../sandbox/lazy-sandbox.js';
import type { ProgramRequest } from '../sandbox/sandbox.js';
import { Store } from '../store/store.js';
import { arithmeticAbout, arithmeticClaims, type Claim } from '../task/arithmetic-task.js';
import { fetchTask } from '../task/fetch.js';
import { inCategories, readTaskFile, type TaskData, type TaskProblem } from '../task/task-problems.js';
import { FIELDS, ownTask, taskNamed, type Task } from '../task/task.js';
import { summaryOf, type ClaimsSummary, type RunSummary } from '../runs/run-summary.js';
import { packageVersion } from '../version.js';
import { benchmarkSettings } from '../settings/benchmark-settings.js';
import { recordedSettings } from '../settings/parse-settings.js';
import type { Settled } from '../settings/setting.js';
import { solveSettings } from '../settings/solve-settings.js';
import { command, declare, parsedFlags } from './command.js';
import { RUNS_FOLDER, sandboxOptions } from './flags.js';
import { understood } from './habits.js';
import { rangeOf } from './input.js';
import { Progress } from './progress.js';
import { EvaluationProgress } from './eval-progress.js';
import { summaryTable } from './eval-table.js';
import { writeReport } from './report.js';
import { reading } from './reading.js';
import { settingsIn, solvingFlags, withEngines } from './solve.js';

/** In the folder of a run. */
const REPORT_FILE = 'report.html';

const evalFlags = {
  ...solvingFlags,
  ...benchmarkSettings,
  progress: {
    type: z.enum(['text', 'json']).default('text'),
    group: 'Options',
    help: 'on standard error',
  },
} as const;

/** What a run is made with: the flags, and the task that the command names. */
type EvalFlags = Settled<typeof evalFlags> & { readonly task: string };

export const evalCommand = command({
  flags: evalFlags,
  words: {
    task: {
      type: z.string().min(1),
      group: 'Options',
      help: 't1 ls tasks lists them; arithmetic; or a file of your own: JSONL, JSON, CSV or Parquet of {id, problem, answer}',
    },
    more: {
      type: z.array(z.string()).default([]),
      group: 'Options',
      help: 'further tasks, one after the other; each has a folder in that of the run',
    },
  },
  run: async ({ flags, words, line, nameOf, signal }) => {
    const tasks = [words.task, ...words.more];
    if (tasks.length > 1 && flags.data !== undefined)
      throw new T1Error('USAGE', 'is for one task: give each a command of its own', { setting: 'data' });
    for (const name of tasks) {
      // before hours of work, not after
      const task = taskFor({ ...flags, task: name });
      if (task?.name === 'own' && flags.data === undefined) await readTaskFile(task, task.title);
    }
    for (const task of tasks) {
      const out = flags.runFolder;
      const runFolder = out !== undefined && tasks.length > 1 ? join(out, folderName(task)) : out;
      const kept = line.filter((word) => word === task || !tasks.includes(word));
      const { summary, folder } = await runEvaluation(
        { ...flags, task, runFolder },
        { retryFailed: false, command: kept, nameOf },
        signal,
      );
      process.stdout.write(flags.json ? `${JSON.stringify({ folder, ...summary })}\n` : summaryTable(summary, folder));
    }
  },
});

interface RunOptions {
  readonly retryFailed: boolean;
  /** The words after `t1`. */
  readonly command: readonly string[];
  readonly nameOf: NameOf;
}

/** @returns the summary over all problems of the run, those of earlier starts included */
async function runEvaluation(
  args: EvalFlags,
  options: RunOptions,
  signal: AbortSignal,
): Promise<{ summary: RunSummary | ClaimsSummary; folder: string }> {
  const task = taskFor(args);
  const settings = await settingsIn(args, task?.verifier ?? 'math');
  const progress = new Progress();
  const folder = args.runFolder ?? join(RUNS_FOLDER, `${folderName(args.task)}-${timestamp()}`);
  const store = Store.open(args.cache ? (args.database ?? defaultDatabase()) : ':memory:');
  const programs = new LazySandbox(sandboxOptions(args.sandbox, options.nameOf)); // one for all problems
  try {
    const work = task ? await problemsOf(task, args, progress, signal) : claimsOf(args, settings.seed);
    return await withEngines(args, progress, signal, async ({ engine, rewardEngine }) => {
      const sandbox = {
        run: async (request: ProgramRequest) => (await programs.start()).run(request),
        version: await programs.version(),
      };
      const manifest = await manifestOf(
        args,
        options,
        work.about,
        { ...settings, sandbox: sandbox.version },
        engine,
        rewardEngine,
        store,
      );
      using run = RunFile.begin(folder, manifest);
      progress.stop();
      const shown = new EvaluationProgress(args.progress, run.done(options.retryFailed).size);
      const [meter, startedAt] = [new EnergyMeter(), new Date().toISOString()];
      const onProgress = (now: EvaluateProgress): void => {
        run.spend(startedAt, { seconds: now.seconds, joules: meter.joules(), generatedTokens: now.generatedTokens });
        shown.show(now);
      };
      try {
        if (work.kind === 'claims') {
          const source = {
            engine,
            modelHash: manifest.model.sha256,
            store,
            usage: new UsageCounter(),
            signal,
            emit: () => {},
            profile: profileFor(engine.model),
          };
          await evaluateArithmetic(work.claims, run, source, sandbox, onProgress);
        } else {
          await using grader = new Grader();
          const same = judgeOf(work.task, grader, signal);
          const context = {
            ...settings,
            engine,
            rewardEngine,
            store,
            signal,
            sandbox,
            solveMessages: work.task.solve,
            extract: EXTRACT[work.task.extract],
            same,
          };
          const seeds = Array.from({ length: args.seeds }, (_, i) => settings.seed + i);
          await evaluate(work.problems, run, context, {
            isRight: same,
            seeds,
            retryFailed: options.retryFailed,
            onProgress,
          });
        }
      } finally {
        shown.stop();
      }
      const summary = await summaryOf(run);
      if (summary.problems > 0) await writeReport(folder, join(folder, REPORT_FILE));
      return { summary, folder };
    });
  } finally {
    await programs.dispose();
    progress.stop();
    store.close();
  }
}

type About = RunManifest['task'];
type Work =
  | { readonly kind: 'problems'; readonly task: Task; readonly problems: readonly TaskProblem[]; readonly about: About }
  | { readonly kind: 'claims'; readonly claims: readonly Claim[]; readonly about: About };

async function problemsOf(task: Task, args: EvalFlags, progress: Progress, signal: AbortSignal): Promise<Work> {
  const data = await dataOf(task, args, progress, signal);
  const all = inCategories(data.problems, args.category);
  const problems = all.slice(...rangeOf(args.limit));
  if (problems.length === 0)
    throw new T1Error(
      'USAGE',
      `${args.limit ?? 'all'}: ${task.name} has only ${all.length} problems${args.category.length > 0 ? ' of the category' : ''}`,
      { setting: 'limit' },
    );
  const { name, version, title, source } = task;
  return {
    kind: 'problems',
    task,
    problems,
    about: { name, version, title, source, sha256: data.sha256, problems: problems.length },
  };
}

/** `--limit` says how many right and how many wrong claims of each number of operands. */
function claimsOf({ limit, data, map, category, seeds }: EvalFlags, seed: number): Work {
  if (data !== undefined || map !== undefined || category.length > 0)
    throw new T1Error(
      'USAGE',
      '--data, --map and --category are for tasks with a file, and arithmetic is drawn from --seed',
    );
  if (seeds > 1)
    throw new T1Error(
      'USAGE',
      message`arithmetic is greedy, so its claims alone depend on ${named('seed')}: give it another one`,
      { setting: 'seeds' },
    );
  const [from, to] = rangeOf(limit ?? '500');
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

/** @returns undefined for arithmetic, which has no file */
const taskFor = (args: EvalFlags): Task | undefined => (args.task === 'arithmetic' ? undefined : taskOf(args));

function taskOf({ task, map = [] }: EvalFlags): Task {
  const mapping = Object.fromEntries(
    map.map((pair) => {
      const [field = '', column] = pair.split('=');
      if (
        column !== undefined &&
        (FIELDS as readonly string[]).includes(field) &&
        /^[\p{L}_][\p{L}\p{N}_]*$/u.test(column)
      )
        return [field, column];
      throw new T1Error('USAGE', `'${pair}' is not FIELD=COLUMN with one of ${FIELDS.join(', ')}`, { setting: 'map' });
    }),
  );
  if (/[\\/.]/.test(task)) return ownTask(task, mapping);
  if (map.length > 0)
    throw new T1Error('USAGE', 'is for a file of your own, and the task is a name', { setting: 'map' });
  return taskNamed(task);
}

async function dataOf(task: Task, { data }: EvalFlags, progress: Progress, signal: AbortSignal): Promise<TaskData> {
  if (data !== undefined) return readTaskFile(task, data);
  if (task.name === 'own') return readTaskFile(task, task.title);
  if (task.data.file !== undefined) return readTaskFile(task, join(packageRoot, task.data.file));
  return readTaskFile(
    task,
    await fetchTask(task, { folder: join(cacheFolder(), 'tasks'), signal, onProgress: (p) => progress.download(p) }),
  );
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
  args: Pick<EvalFlags, 'limit' | 'category' | 'seeds'>,
  { command }: RunOptions,
  task: About,
  settings: SolveOptions & { readonly sandbox: string },
  engine: Engine,
  rewardEngine: Engine | undefined,
  store: Store,
): Promise<RunManifest> {
  const adapters = await Promise.all(
    [engine, rewardEngine]
      .flatMap((each) => each?.adapters ?? [])
      .map(async ({ name, path, scale }) => ({ name, scale, sha256: await fingerprint(path, store) })),
  );
  return {
    command: [...command],
    configuration: {
      ...recordedSettings(solveSettings, settings),
      sandbox: settings.sandbox,
      limit: args.limit ?? null,
      category: args.category,
      seeds: args.seeds,
      reproducible: engine.reproducible,
      adapters,
      rewardModel: rewardEngine ? await fingerprint(rewardEngine.model.path, store) : null,
    },
    task,
    model: { name: engine.model.name, path: engine.model.path, sha256: await fingerprint(engine.model.path, store) },
    engine: engine.build,
    hardware: hardware(),
    packageVersion,
    node: process.version,
    startedAt: new Date().toISOString(),
  };
}

const folderName = (task: string): string => task.replaceAll(/[^\w-]+/g, '-');
const timestamp = (): string => new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/** Goes on with a run: only what failed or is missing, with the command that it was made with. */
export const retryCommand = command({
  flags: {},
  words: { run: { type: z.string().min(1), group: 'Options', help: 'folder of the run' } },
  run: async ({ words: { run: folder }, nameOf, signal }) => {
    const kept = (() => {
      using run = RunFile.open(folder);
      return run.manifest.command;
    })();
    const { task = '', flags } = await readKept(kept);
    const { summary } = await runEvaluation(
      { ...flags, task, runFolder: folder },
      { retryFailed: true, command: kept, nameOf },
      signal,
    );
    process.stdout.write(flags.json ? `${JSON.stringify({ folder, ...summary })}\n` : summaryTable(summary, folder));
  },
});

/** @param kept `eval`, its task, and flags */
async function readKept(kept: readonly string[]) {
  const parser = declare(reading(understood(kept.slice(1))), { flags: evalFlags, words: {} });
  const given = await parser.parseAsync();
  return { task: given._.map(String)[0], flags: parsedFlags(evalFlags, given) };
}
