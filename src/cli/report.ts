/** `t1 report`: a run as one HTML file that needs no network. */
import { basename, resolve } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { writeReport } from '../report/write-report.js';

const builder = (yargs: Argv) =>
  yargs.positional('run', { type: 'string', demandOption: true, describe: 'folder of the run' }).option('output', {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: 'file to write (default: RUN.html here)',
  });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const reportCommand = (): CommandModule<object, Arguments> => ({
  command: 'report <run>',
  describe: 'write a run as one HTML file that needs no network',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async ({ run: folder, output = `${basename(resolve(folder)).replace(/\.sqlite$/, '')}.html` }) => {
    await writeReport(folder, output);
    process.stdout.write(`${output}\n`);
  },
});
