/** `t1 eval`: a benchmark, from the first problem to the report. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import yargs, { type Argv, type CommandModule } from 'yargs';
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
import { parseOptions, type SolveOptions } from '../options.js';
import { cacheFolder, packageRoot } from '../paths.js';
import { profileFor } from '../prompt/profile.js';
import { UsageCounter } from '../stage-context.js';
import { LazySandbox } from '../sandbox/lazy-sandbox.js';
import type { ProgramRequest } from '../sandbox/sandbox.js';
import { Memory } from '../store/memory.js';
import { Store } from '../store/store.js';
import { arithmeticAbout, arithmeticClaims, type Claim } from '../task/arithmetic-task.js';
import { fetchTask } from '../task/fetch.js';
import { inCategories, readTaskFile, type TaskData, type TaskProblem } from '../task/task-problems.js';
import { FIELDS, ownTask, taskNamed, type Task } from '../task/task.js';
import { summaryOf, type ClaimsSummary, type RunSummary } from '../runs/run-summary.js';
import type { Tool } from '../verify/tool.js';
import { packageVersion } from '../version.js';
import { flagOf, readingFlags, sandboxOptions } from './flags.js';
import { rangeOf } from './input.js';
import { Progress } from './progress.js';
import { EvaluationProgress } from './eval-progress.js';
import { summaryTable } from './eval-table.js';
import { writeReport } from './report.js';
import { settingsOf, verifierOf, withEngines, withSolving, type SolvingArguments } from './solve.js';

export const RUNS_FOLDER = 't1-runs';
/** In the folder of a run. */
const REPORT_FILE = 'report.html';

const builder = (yargs: Argv) =>
  withSolving(yargs)
    .positional('task', {
      type: 'string',
      demandOption: true,
      describe:
        't1 ls tasks lists them; arithmetic; or a file of your own: JSONL, JSON, CSV or Parquet of {id, problem, answer}',
    })
    .positional('more', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'further tasks, one after the other; each has a folder in --out',
    })
    .option('data', { type: 'string', requiresArg: true, describe: "the task's file, instead of fetching it" })
    .option('map', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'field=COLUMN for a file of your own: id, problem, answer, category, level',
    })
    .option('limit', { type: 'string', requiresArg: true, describe: 'how many problems, or which: 0-100' })
    .option('category', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [] as string[],
      describe: 'only problems of this one; give it again for more',
    })
    .option('seeds', {
      type: 'number',
      default: 1,
      requiresArg: true,
      describe: 'how many, from --seed on; intervals then include them',
    })
    .option('out', {
      type: 'string',
      requiresArg: true,
      describe: `folder of the run; one that is there goes on (default: ${RUNS_FOLDER}/TASK-DATE)`,
    })
    .option('progress', {
      choices: ['text', 'json'] as const,
      default: 'text' as const,
      requiresArg: true,
      describe: 'on standard error',
    });

export type EvalArguments = Awaited<ReturnType<typeof builder>['argv']>;

export const evalCommand = (signal: AbortSignal): CommandModule<object, EvalArguments> => ({
  command: 'eval <task> [more..]',
  describe: 'run a benchmark: accuracy of every strategy, against samples and tokens',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async (args) => {
    const tasks = [args.task, ...args.more];
    if (tasks.length > 1 && args.data !== undefined)
      throw new T1Error('USAGE', '--data is for one task: give each a command of its own');
    for (const name of tasks) {
      // before hours of work, not after
      const task = taskFor({ ...args, task: name });
      if (task?.name === 'own' && args.data === undefined) await readTaskFile(task, task.title);
    }
    for (const task of tasks) {
      const out = args.out !== undefined && tasks.length > 1 ? join(args.out, folderName(task)) : args.out;
      const command = process.argv.slice(2).filter((word) => word === task || !tasks.includes(word));
      const { summary, folder } = await runEvaluation({ ...args, task, out }, { retryFailed: false, command }, signal);
      process.stdout.write(args.json ? `${JSON.stringify({ folder, ...summary })}\n` : summaryTable(summary, folder));
    }
  },
});

interface RunOptions {
  readonly retryFailed: boolean;
  readonly command: readonly string[];
}

/** @returns the summary over all problems of the run, those of earlier starts included */
export async function runEvaluation(
  args: EvalArguments,
  options: RunOptions,
  signal: AbortSignal,
): Promise<{ summary: RunSummary | ClaimsSummary; folder: string }> {
  if (!Number.isInteger(args.seeds) || args.seeds < 1 || args.seeds > 1000)
    throw new T1Error('USAGE', '--seeds: must be a whole number from 1 to 1000');
  const task = taskFor(args);
  const verifier = await verifierFor(task, args, options);
  const settings = parseOptions({ ...settingsOf(args), verifier }, flagOf);
  const progress = new Progress();
  const folder = args.out ?? join(RUNS_FOLDER, `${folderName(args.task)}-${timestamp()}`);
  const store = Store.open(args.cache ? args.db : ':memory:');
  const programs = new LazySandbox(sandboxOptions(args)); // one for all problems
  try {
    const work = task ? await problemsOf(task, args, progress, signal) : claimsOf(args, settings.seed);
    return await withEngines(args, progress, signal, async ({ engine, rewardEngine }) => {
      const sandbox = {
        run: async (request: ProgramRequest) => (await programs.start()).run(request),
        version: await programs.version(),
        identity: await programs.identity(),
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
            memory: new Memory(store),
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

/** The task's own, unless the user names one. */
async function verifierFor(
  task: Task | undefined,
  args: EvalArguments,
  { command }: RunOptions,
): Promise<string | Tool> {
  const chosen = command.some((word) => word === '--verifier' || word.startsWith('--verifier='));
  return task && !chosen ? task.verifier : verifierOf(args.verifier);
}

type About = RunManifest['task'];
type Work =
  | { readonly kind: 'problems'; readonly task: Task; readonly problems: readonly TaskProblem[]; readonly about: About }
  | { readonly kind: 'claims'; readonly claims: readonly Claim[]; readonly about: About };

async function problemsOf(task: Task, args: EvalArguments, progress: Progress, signal: AbortSignal): Promise<Work> {
  const data = await dataOf(task, args, progress, signal);
  const all = inCategories(data.problems, args.category);
  const problems = all.slice(...rangeOf(args.limit));
  if (problems.length === 0)
    throw new T1Error(
      'USAGE',
      `--limit ${args.limit ?? ''}: ${task.name} has only ${all.length} problems${args.category.length > 0 ? ' of the category' : ''}`,
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
function claimsOf({ limit, data, map, category, seeds }: EvalArguments, seed: number): Work {
  if (data !== undefined || map !== undefined || category.length > 0)
    throw new T1Error(
      'USAGE',
      '--data, --map and --category are for tasks with a file, and arithmetic is drawn from --seed',
    );
  if (seeds > 1)
    throw new T1Error(
      'USAGE',
      '--seeds: arithmetic is greedy, so its claims alone depend on --seed: give it another one',
    );
  const [from, to] = rangeOf(limit ?? '500');
  if (from !== 0)
    throw new T1Error(
      'USAGE',
      '--limit: arithmetic takes a number, of right and of wrong claims for each number of operands',
    );
  const claims = arithmeticClaims(to, seed);
  const sha256 = createHash('sha256')
    .update(claims.map(({ text }) => text).join('\n'))
    .digest('hex');
  return { kind: 'claims', claims, about: { ...arithmeticAbout, sha256, problems: claims.length } };
}

/** @returns undefined for arithmetic, which has no file */
const taskFor = (args: EvalArguments): Task | undefined => (args.task === 'arithmetic' ? undefined : taskOf(args));

function taskOf({ task, map = [] }: EvalArguments): Task {
  const mapping = Object.fromEntries(
    map.map((pair) => {
      const [field = '', column] = pair.split('=');
      if (
        column !== undefined &&
        (FIELDS as readonly string[]).includes(field) &&
        /^[\p{L}_][\p{L}\p{N}_]*$/u.test(column)
      )
        return [field, column];
      throw new T1Error('USAGE', `--map: '${pair}' is not FIELD=COLUMN with one of ${FIELDS.join(', ')}`);
    }),
  );
  if (/[\\/.]/.test(task)) return ownTask(task, mapping);
  if (map.length > 0) throw new T1Error('USAGE', '--map is for a file of your own, and the task is a name');
  return taskNamed(task);
}

async function dataOf(task: Task, { data }: EvalArguments, progress: Progress, signal: AbortSignal): Promise<TaskData> {
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
  args: SolvingArguments & Pick<EvalArguments, 'limit' | 'category' | 'seeds'>,
  { command }: RunOptions,
  task: About,
  settings: SolveOptions & { readonly sandbox: string },
  engine: Engine,
  rewardEngine: Engine | undefined,
  store: Store,
): Promise<RunManifest> {
  const { verifier, ...rest } = settings;
  const adapters = await Promise.all(
    [engine, rewardEngine]
      .flatMap((each) => each?.adapters ?? [])
      .map(async ({ name, path, scale }) => ({ name, scale, sha256: await fingerprint(path, store) })),
  );
  const tool = typeof verifier === 'string' ? verifier : `${verifier.name} ${verifier.version}`;
  return {
    command: [...command],
    configuration: {
      ...rest,
      verifier: tool,
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

const retryBuilder = (yargs: Argv) =>
  yargs.positional('run', { type: 'string', demandOption: true, describe: 'folder of the run' });

/** Goes on with a run: only what failed or is missing, with the command that it was made with. */
export const retryCommand = (signal: AbortSignal): CommandModule<object, { run: string }> => ({
  command: 'retry <run>',
  describe: 'go on with a run: only what failed or is missing',
  builder: (outer) => retryBuilder(outer as Argv) as never,
  handler: async ({ run: folder }) => {
    const command = (() => {
      using run = RunFile.open(folder);
      return run.manifest.command;
    })();
    const args = await builder(readingFlags(yargs(command.slice(1))))
      .command('$0 <task>', false, (each) => each as never)
      .exitProcess(false)
      .parseAsync();
    const { summary } = await runEvaluation(
      { ...(args as EvalArguments), out: folder },
      { retryFailed: true, command },
      signal,
    );
    process.stdout.write(args.json ? `${JSON.stringify({ folder, ...summary })}\n` : summaryTable(summary, folder));
  },
});
