/** `t1 cache`: what the result database holds. */
import { z } from 'zod';
import { defaultDatabase } from '../paths.js';
import { databaseSettings } from '../settings/session-settings.js';
import { Store } from '../store/store.js';
import { command } from './command.js';
import { jsonFlag } from './flags.js';
import { jsonLine } from './json.js';

export const cacheCommand = command({
  flags: { ...databaseSettings, ...jsonFlag },
  words: { action: { type: z.enum(['stats', 'clear']), group: 'Options', help: 'what to do' } },
  run: ({ flags, words }) => {
    const store = Store.open(flags.database ?? defaultDatabase());
    try {
      if (words.action === 'clear') store.clear();
      const stats = store.stats();
      const held = Object.entries(stats.values).map(([stage, count]) => `${count} × ${stage}`);
      const text = `${stats.path}: ${held.join(', ') || 'nothing'}; ${megabytes(stats.usedBytes)} of at most ${megabytes(stats.maxBytes)} MB used (T1_CACHE_SIZE)`;
      process.stdout.write(flags.json ? jsonLine(`cache ${words.action}`, stats) : `${text}\n`);
    } finally {
      store.close();
    }
  },
});

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
