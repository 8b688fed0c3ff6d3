/** Reads a command line, and runs the command that it names. */
import type { Argv } from 'yargs';
import { z } from 'zod';
import { packageVersion } from '../version.js';
import { declare, type Command, type CommandEntry, type GivenArguments } from './command.js';
import { commands } from './commands.js';
import { understood } from './habits.js';
import { misread } from './misread.js';
import { reading } from './reading.js';

// A schema that is used once or twice is not worth compiling.
z.config({ jitless: true });

/**
 * Runs one command line; `process.exitCode` says how it went.
 *
 * @param line the words after `t1`
 * @throws T1Error, with the names of flags in its message
 */
export async function main(line: readonly string[], signal: AbortSignal): Promise<void> {
  const words = understood(line);
  let loaded: Command | undefined;
  let known = commands;
  const add = (parser: Argv, { usage, describe, load }: CommandEntry): Argv =>
    parser.command({
      command: usage,
      describe,
      // yargs takes a promise here; its types know only half of that.
      builder: (async (outer: Argv) => {
        const found = await load();
        if ('actions' in found) {
          known = found.actions;
          const names = found.actions.map(({ usage: action }) => action.split(' ')[0] ?? '');
          for (const action of found.actions) add(outer, action);
          return outer.demandCommand(1, `name an action: ${listed(names)}`);
        }
        loaded = found;
        return declare(outer, found);
      }) as never,
      handler: async (args) => {
        if (loaded) await loaded.run(args as GivenArguments, line, signal);
      },
    });
  const parser = commands
    .reduce(add, reading(words).scriptName('t1'))
    .usage('$0 <command>\n\nSmall language models, verified: sample, refute with a tool, score, answer.')
    .demandCommand(1, 'name a command')
    .strict()
    .version(packageVersion)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, process.stdout.columns || 80))
    .fail((message, error) => {
      // yargs reports some wrong usage as an error of its own class instead of a message.
      if (error && error.name !== 'YError') throw error;
      throw misread(message ?? error.message, words, loaded, known);
    });
  try {
    await parser.parseAsync();
  } catch (error) {
    // What yargs finds after a promise does not pass through `fail`.
    if (!(error instanceof Error) || error.name !== 'YError') throw error;
    throw misread(error.message, words, loaded, known);
  }
}

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
