/** `t1 cache`: what the result database holds. */
import type { Argv, CommandModule } from 'yargs';
import { Store } from '../store/store.js';
import { withDatabase, withJson } from './flags.js';

const builder = (yargs: Argv) =>
  withJson(withDatabase(yargs)).positional('action', { choices: ['stats', 'clear'] as const, demandOption: true });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const cacheCommand = (): CommandModule<object, Arguments> => ({
  command: 'cache <action>',
  describe: 'stats: what the database holds; clear: forget it all',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: (args) => {
    const store = Store.open(args.db);
    try {
      if (args.action === 'clear') store.clear();
      const stats = store.stats();
      const text = `${stats.path}: ${stats.generations} generations, ${stats.verdicts} verdicts, ${stats.scores} scores, ${(stats.bytes / 1e6).toFixed(1)} MB`;
      process.stdout.write(`${args.json ? JSON.stringify(stats) : text}\n`);
    } finally {
      store.close();
    }
  },
});
