/** llama-server as a child, spoken to over HTTP. */
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param {object} options
 * @param {string} options.binary
 * @param {string} options.path of the model
 * @param {number} options.threads
 * @param {number} options.slots sequences at once
 * @param {number} options.slotTokens most tokens of one of them
 * @param {boolean} options.unified KV layout
 * @param {string[]} [options.more] further arguments
 * @returns {Promise<{ completion: (body: object) => Promise<object | object[]>, stop: () => Promise<void> }>} ready to
 *   serve
 */
export async function startServer({ binary, path, threads, slots, slotTokens, unified, more = [] }) {
  const port = await freePort();
  // As llama.cpp rounds a stream of its cache.
  const cells = slots * Math.ceil((slotTokens + 8) / 256) * 256;
  const args = [
    '-m',
    path,
    '-c',
    cells,
    '-np',
    slots,
    '-t',
    threads,
    '-b',
    2048,
    '-ub',
    512,
    '-ngl',
    0,
    '--host',
    '127.0.0.1',
    '--port',
    port,
  ];
  // A thread for every connection: requests wait in the server's queue, not before it.
  args.push(
    '--threads-http',
    3 * slots + 8,
    unified ? '--kv-unified' : '--no-kv-unified',
    '--no-ui',
    '--offline',
    '-lv',
    2,
    ...more,
  );
  const child = spawn(binary, args.map(String), { stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let log = '';
  let ended;
  child.stderr.on('data', (data) => (log = (log + data).slice(-2000)));
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.once('error', (error) => (ended = error.message));
  child.once('close', (code, signal) => (ended ??= `ended with ${signal ?? code}`));
  const agent = new Agent({ keepAlive: true, maxSockets: 3 * slots });
  const call = (method, url, body) => exchange({ agent, method, port, path: url, host: '127.0.0.1' }, body);
  for (;;) {
    if (ended) throw new Error(`llama-server ${args.join(' ')} ${ended}: ${log}`);
    if ((await call('GET', '/health').catch(() => undefined))?.status === 200) break;
    await sleep(50);
  }
  return {
    async completion(body) {
      const { status, text } = await call('POST', '/completion', JSON.stringify(body)).catch((error) => {
        throw new Error(`llama-server ${ended ?? 'does not answer'}: ${error.message} ${log}`);
      });
      if (status !== 200) throw new Error(`llama-server answered ${status}: ${text.slice(0, 500)}`);
      return JSON.parse(text);
    },
    async stop() {
      agent.destroy();
      child.kill();
      await closed;
      process.off('exit', kill);
    },
  };
}

/** One request; no time limit, as fetch would have. */
function exchange(options, body) {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request({ ...options, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (data) => (text += data));
      response.on('end', () => resolve({ status: response.statusCode, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
