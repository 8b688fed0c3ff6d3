/** `t1 ls tasks`: the benchmarks that are built in. */
import Table from 'cli-table3';
import type { Argv, CommandModule } from 'yargs';
import { arithmeticAbout } from '../task/arithmetic-task.js';
import { builtInTasks } from '../task/task.js';
import { withJson } from './flags.js';

const builder = (yargs: Argv) =>
  withJson(yargs).positional('what', { choices: ['tasks'] as const, demandOption: true });
type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const lsCommand = (): CommandModule<object, Arguments> => ({
  command: 'ls <what>',
  describe: 'list the benchmarks',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: ({ json }) => {
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
    if (json) process.stdout.write(`${JSON.stringify(tasks)}\n`);
    else {
      const table = new Table({ head: ['task', 'what', 'data'], style: { head: [], border: [] } });
      for (const { name, title, data } of tasks) table.push([name, title, data]);
      process.stdout.write(`${table.toString()}\n`);
    }
  },
});
