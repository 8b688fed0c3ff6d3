/** `t1 view`: a run on a page of this machine, which follows it while it goes on. */
import { once } from 'node:events';
import type { Argv, CommandModule } from 'yargs';
import { T1Error } from '../errors.js';
import { RunFile } from '../runs/run-file.js';
import { viewServer } from '../report/server.js';

const builder = (yargs: Argv) =>
  yargs
    .positional('run', { type: 'string', demandOption: true, describe: 'folder of the run' })
    .option('port', { type: 'number', default: 0, requiresArg: true, describe: '0: a free one' });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

export const viewCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'view <run>',
  describe: 'show a run in the browser, for this machine only; follows it while it goes on',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async ({ run: folder, port }) => {
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new T1Error('USAGE', '--port: a whole number from 0 to 65535');
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
    throw new T1Error('USAGE', `port ${port} ${why}: name another --port, or none for a free one`, { cause });
  }
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}
