#!/usr/bin/env node
/** The command line: one file per command in `cli/`. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { cacheCommand } from './cli/cache.js';
import { indexCommand } from './cli/indexes.js';
import { distillCommand } from './cli/distill.js';
import { evalCommand, retryCommand } from './cli/eval.js';
import { readingFlags } from './cli/flags.js';
import { gradeCommand } from './cli/grade.js';
import { inspectCommand } from './cli/inspect.js';
import { markStandardInput } from './cli/input.js';
import { interruptSignal } from './cli/interrupt.js';
import { lsCommand } from './cli/ls.js';
import { pythonCommand } from './cli/python.js';
import { reportCommand } from './cli/report.js';
import { runsCommand } from './cli/runs.js';
import { sampleCommand } from './cli/sample.js';
import { selectCommand } from './cli/select.js';
import { solveCommand } from './cli/solve.js';
import { viewCommand } from './cli/view.js';
import { T1Error } from './errors.js';
import { packageVersion } from './version.js';

/** Runs one command line; `process.exitCode` says how it went. */
async function main(argv: readonly string[]): Promise<void> {
  const signal = interruptSignal();
  const parser = readingFlags(yargs(argv.map(markStandardInput)))
    .scriptName('t1')
    .usage('$0 <command>\n\nSmall language models, verified: sample, refute with a tool, score, answer.')
    .command(solveCommand(signal))
    .command(sampleCommand(signal))
    .command(selectCommand(signal))
    .command(pythonCommand(signal))
    .command(cacheCommand())
    .command(indexCommand(signal))
    .command(inspectCommand(signal))
    .command(evalCommand(signal))
    .command(retryCommand(signal))
    .command(runsCommand())
    .command(reportCommand())
    .command(viewCommand(signal))
    .command(lsCommand())
    .command(distillCommand(signal))
    .command(gradeCommand(signal))
    .demandCommand(1, 'name a command')
    .strict()
    .recommendCommands()
    .version(packageVersion)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, process.stdout.columns || 80))
    .exitProcess(false)
    .fail((message, error) => {
      // yargs reports some wrong usage as an error of its own class instead of a message.
      if (error && error.name !== 'YError') throw error;
      throw new T1Error(
        'USAGE',
        `${(message ?? error.message).replaceAll('\n', ' ')} (t1 --help lists commands and flags)`,
      );
    });
  await parser.parseAsync();
}

/** One line for the user; the stack only for faults of our own. */
function report(error: unknown): void {
  if (error instanceof T1Error) {
    process.stderr.write(`t1: ${error.code}: ${error.message}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`t1: INTERNAL: ${text}\n`);
  process.exitCode = 1;
}

// A reader that went away (`t1 … | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

// Idle engines and sandboxes do not keep a process alive; a command ends when it is done, not when nothing seems to be left.
const alive = setInterval(() => {}, 2 ** 31 - 1);
await main(hideBin(process.argv))
  .catch(report)
  .finally(() => clearInterval(alive));
