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
      const held = Object.entries(stats.values).map(([stage, count]) => `${count} × ${stage}`);
      const text = `${stats.path}: ${held.join(', ') || 'nothing'}; ${megabytes(stats.usedBytes)} of at most ${megabytes(stats.maxBytes)} MB used (T1_CACHE_SIZE)`;
      process.stdout.write(`${args.json ? JSON.stringify(stats) : text}\n`);
    } finally {
      store.close();
    }
  },
});

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
