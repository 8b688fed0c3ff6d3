/** `t1 report`: a run as one HTML file that needs no network. */
import { basename, resolve } from 'node:path';
import { z } from 'zod';
import { writeReport } from '../report/write-report.js';
import { command } from './command.js';

export const reportCommand = command({
  flags: {
    output: {
      type: z.string().min(1).optional(),
      group: 'Options',
      help: 'file to write',
      absent: 'RUN.html here',
      alias: 'o',
    },
  },
  words: { run: { type: z.string().min(1), group: 'Options', help: 'folder of the run' } },
  run: async ({ flags, words: { run: folder } }) => {
    const output = flags.output ?? `${basename(resolve(folder)).replace(/\.sqlite$/, '')}.html`;
    await writeReport(folder, output);
    process.stdout.write(`${output}\n`);
  },
});
