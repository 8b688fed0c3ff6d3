/** `t1 ls tasks`: the benchmarks that are built in. */
import Table from 'cli-table3';
import { z } from 'zod';
import { arithmeticAbout } from '../task/arithmetic-task.js';
import { builtInTasks } from '../task/task.js';
import { command } from './command.js';
import { jsonFlag } from './flags.js';
import { jsonLine } from './json.js';

export const lsCommand = command({
  flags: jsonFlag,
  words: { what: { type: z.enum(['tasks']), group: 'Options', help: 'what to list' } },
  run: ({ flags: { json } }) => {
    const fromFiles = builtInTasks().map(({ name, version, title, source, data, verifier }) => ({
      name,
      version,
      title,
      source,
      verifier,
      data: data.file !== undefined ? 'ships' : data.url !== undefined ? 'fetched once, or --data' : 'with --data',
    }));
    const tasks = [...fromFiles, { ...arithmeticAbout, verifier: 'math', data: 'drawn from --seed' }].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
    if (json) process.stdout.write(jsonLine('ls tasks', { tasks }));
    else {
      const table = new Table({ head: ['task', 'what', 'data'], style: { head: [], border: [] } });
      for (const { name, title, data } of tasks) table.push([name, title, data]);
      process.stdout.write(`${table.toString()}\n`);
    }
  },
});
