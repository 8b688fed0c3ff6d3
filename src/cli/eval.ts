/** `t1 eval`: a benchmark, from the first problem to the report. */
import { join } from 'node:path';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { checkTask, type Evaluation, evaluateTask, folderName } from '../evaluate.js';
import { RunFile } from '../runs/run-file.js';
import { benchmarkSettings } from '../settings/benchmark-settings.js';
import { ownValues, type SettingTable, type Settled } from '../settings/setting.js';
import { command, declare, namesOf, parsedFlags, type Call } from './command.js';
import { EvaluationProgress } from './eval-progress.js';
import { summaryTable } from './eval-table.js';
import { understood } from './habits.js';
import { jsonLine } from './json.js';
import { Progress } from './progress.js';
import { reading } from './reading.js';
import { settingsIn, solvingFlags, withSession } from './solve.js';

const evalFlags = {
  ...solvingFlags,
  ...benchmarkSettings,
  progress: {
    type: z.enum(['text', 'json']).default('text'),
    group: 'Options',
    help: 'on standard error',
  },
} as const;

type EvalFlags = Settled<typeof evalFlags>;
type Calling = Pick<Call<SettingTable, SettingTable>, 'nameOf' | 'signal'>;

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
  run: async (call) => {
    const { flags, words, line } = call;
    const tasks = [words.task, ...words.more];
    if (tasks.length > 1 && flags.data !== undefined)
      throw new T1Error('USAGE', 'is for one task: give each a command of its own', { setting: 'data' });
    for (const name of tasks) await checkTask(name, ownValues(benchmarkSettings, flags)); // before hours of work, not after
    for (const task of tasks) {
      const folder =
        flags.folder !== undefined && tasks.length > 1 ? join(flags.folder, folderName(task)) : flags.folder;
      const kept = line.filter((word) => word === task || !tasks.includes(word));
      const made = await runEvaluation(task, { ...flags, folder }, { retryFailed: false, command: kept }, call);
      print('eval', made, flags.json);
    }
  },
});

const print = (name: 'eval' | 'retry', { summary, folder }: Evaluation, json: boolean): void =>
  void process.stdout.write(json ? jsonLine(name, { folder, ...summary }) : summaryTable(summary, folder));

interface RunOptions {
  readonly retryFailed: boolean;
  /** The words after `t1`. */
  readonly command: readonly string[];
}

/** @returns the summary over all problems of the run, those of earlier starts included */
async function runEvaluation(
  task: string,
  flags: EvalFlags,
  { retryFailed, command: kept }: RunOptions,
  call: Calling,
): Promise<Evaluation> {
  const settings = await settingsIn(flags);
  const progress = new Progress();
  let shown: EvaluationProgress | undefined;
  try {
    return await withSession(flags, progress, call, (session) =>
      evaluateTask(session, task, {
        ...settings,
        ...ownValues(benchmarkSettings, flags),
        retryFailed,
        command: kept,
        signal: call.signal,
        onDownload: (p) => progress.download(p),
        onBegin: (before) => {
          progress.stop();
          shown = new EvaluationProgress(flags.progress, before);
        },
        onProgress: (now) => shown?.show(now),
      }),
    );
  } finally {
    shown?.stop();
    progress.stop();
  }
}

/** Goes on with a run: only what failed or is missing, with the command that it was made with. */
export const retryCommand = command({
  flags: {},
  words: { run: { type: z.string().min(1), group: 'Options', help: 'folder of the run' } },
  run: async ({ words: { run: folder }, signal }) => {
    const kept = (() => {
      using run = RunFile.open(folder);
      return run.manifest.command;
    })();
    const { task, flags, nameOf } = await readKept(kept);
    const made = await runEvaluation(
      task,
      { ...flags, folder },
      { retryFailed: true, command: kept },
      { nameOf, signal },
    );
    print('retry', made, flags.json);
  },
});

/** @param kept `eval`, its task, and flags */
async function readKept(kept: readonly string[]) {
  const given = await declare(reading(understood(kept.slice(1))), { flags: evalFlags, words: {} }).parseAsync();
  return { task: String(given._[0]), flags: parsedFlags(evalFlags, given), nameOf: namesOf(evalFlags) };
}
