/** `t1 view`: a run on a page of this machine, which follows it while it goes on. */
import { once } from 'node:events';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { RunFile } from '../runs/run-file.js';
import { viewServer } from '../report/server.js';
import { command } from './command.js';

export const viewCommand = command({
  flags: { port: { type: z.int().min(0).max(65_535).default(0), group: 'Options', help: '0: a free one' } },
  words: { run: { type: z.string().min(1), group: 'Options', help: 'folder of the run' } },
  run: async ({ flags: { port }, words: { run: folder }, signal }) => {
    using run = RunFile.open(folder);
    for (const _ of run.records()); // a damaged record is said here, not in the browser
    const server = viewServer(run);
    const address = await listening(server, port);
    process.stdout.write(`http://127.0.0.1:${address}/\n`);
    process.stderr.write('t1: Ctrl-C ends it\n');
    if (!signal.aborted) await once(signal, 'abort');
    server.closeAllConnections();
    server.close();
  },
});

async function listening(server: ReturnType<typeof viewServer>, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be had (${code})`;
    throw new T1Error('USAGE', `${port} ${why}: name another one, or none for a free one`, { cause, setting: 'port' });
  }
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}
