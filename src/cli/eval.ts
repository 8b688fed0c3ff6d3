/** `t1 eval`: a benchmark, from the first problem to the report. */
import { join } from 'node:path';
import yargs, { type Argv, type CommandModule } from 'yargs';
import { T1Error } from '../errors.js';
import { checkTask, type EvaluateTask, type Evaluation, evaluateTask, folderName, RUNS_FOLDER } from '../evaluate.js';
import { parseOptions, type SolveSettings } from '../options.js';
import { RunFile } from '../runs/run-file.js';
import { FIELDS } from '../task/task.js';
import { EvaluationProgress } from './eval-progress.js';
import { summaryTable } from './eval-table.js';
import { flagOf, readingFlags } from './flags.js';
import { rangeOf } from './input.js';
import { Progress } from './progress.js';
import { settingsOf, verifierOf, withSession, withSolving } from './solve.js';

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
      await checkTask(name, partOf(args));
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
  { retryFailed, command }: RunOptions,
  signal: AbortSignal,
): Promise<Evaluation> {
  const verifier = command.some((word) => word === '--verifier' || word.startsWith('--verifier='))
    ? { verifier: (await verifierOf(args.verifier)) as SolveSettings['verifier'] }
    : {}; // the task's own, unless the user names one
  const progress = new Progress();
  let shown: EvaluationProgress | undefined;
  try {
    return await withSession(args, progress, signal, (session) =>
      evaluateTask(session, args.task, {
        ...parseOptions({ ...settingsOf(args), ...verifier }, flagOf),
        ...partOf(args),
        verifier: verifier.verifier,
        seeds: args.seeds,
        folder: args.out,
        retryFailed,
        command,
        signal,
        onDownload: (p) => progress.download(p),
        onBegin: (before) => {
          progress.stop();
          shown = new EvaluationProgress(args.progress, before);
        },
        onProgress: (now) => shown?.show(now),
      }),
    );
  } finally {
    shown?.stop();
    progress.stop();
  }
}

type Part = Pick<EvaluateTask, 'data' | 'map' | 'limit' | 'categories'>;

const partOf = ({ data, map, limit, category }: EvalArguments): Part => ({
  data,
  map: mappingOf(map),
  limit: limit === undefined ? undefined : rangeOf(limit),
  categories: category,
});

function mappingOf(map: readonly string[] | undefined): EvaluateTask['map'] {
  return (
    map &&
    Object.fromEntries(
      map.map((pair) => {
        const [field = '', column] = pair.split('=');
        const known = (FIELDS as readonly string[]).includes(field);
        if (column !== undefined && known && /^[\p{L}_][\p{L}\p{N}_]*$/u.test(column)) return [field, column];
        throw new T1Error('USAGE', `--map: '${pair}' is not FIELD=COLUMN with one of ${FIELDS.join(', ')}`);
      }),
    )
  );
}

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
