import yargs, { type Argv } from 'yargs';
import { markStandardInput } from './input.js';

/** How words of a command line become flags, wherever one is read. */
export const reading = (line: readonly string[]): Argv =>
  yargs(line.map(markStandardInput))
    .locale('en') // its messages are read below
    .parserConfiguration({
      'camel-case-expansion': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
    })
    .exitProcess(false);
