#!/usr/bin/env node
/** The command line. Whatever takes time to load is loaded when it is needed: one file per command in `cli/`. */
import { T1Error } from './errors.js';
import { packageVersion } from './version.js';

const line = process.argv.slice(2);

// A reader that went away (`t1 … | head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  const full = error.code === 'ENOSPC';
  process.stderr.write(`t1: ${full ? 'DISK_FULL' : 'INPUT'}: cannot write standard output (${error.message})\n`);
  process.exit(1);
});

if (line.length === 1 && line[0] === '--version') process.stdout.write(`${packageVersion}\n`);
else await run();

async function run(): Promise<void> {
  // Idle engines and sandboxes do not keep a process alive; a command ends when it is done, not when nothing seems to
  // be left.
  const alive = setInterval(() => {}, 2 ** 31 - 1);
  try {
    const { interruptSignal } = await import('./cli/interrupt.js');
    const signal = interruptSignal();
    const { main } = await import('./cli/main.js');
    await main(line, signal);
  } catch (error) {
    report(error);
  } finally {
    clearInterval(alive);
  }
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
