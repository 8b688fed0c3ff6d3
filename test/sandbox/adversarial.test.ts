/** 43 adversarial programs, each followed by a correct run; 26 ways out, none of which gets out. */
import { existsSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { allSandboxes } from './backends.js';
import { ADVERSARIAL } from './fixtures/adversarial.js';
import { PROBES } from './fixtures/probes.js';
import { canaryIsRight } from './support.js';

const TRACE = '/tmp/t1-escaped';
const SECRET = 'a-secret-of-the-host';
/** Those among the adversarial programs that try to reach something outside. */
const REACHING = ['read_passwd', 'read_self_env', 'env', 'host_cmd', 'subproc', 'socket', 'disk_fill'];

let sandbox: Sandbox;
let server: Server;
let port = 0;
let connections = 0;

beforeAll(async () => {
  rmSync(TRACE, { force: true });
  process.env['T1_TEST_SECRET'] = SECRET;
  server = createServer((socket) => {
    connections++;
    socket.end('CONNECTED');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address && typeof address === 'object') port = address.port;
});

afterAll(() => server.close());

const aimed = (code: string): string => code.replaceAll('PORT', String(port));

function expectNothingReached(stdout: string): void {
  expect(stdout).not.toMatch(/^ESC |CONN|uid=|root:/m);
  expect(stdout).not.toContain(SECRET);
  expect(stdout).not.toContain(process.env['PATH'] ?? SECRET);
  expect(connections).toBe(0);
  expect(existsSync(TRACE)).toBe(false);
}

describe.each(allSandboxes)('$name', ({ start }) => {
  beforeAll(async () => {
    sandbox = await start({ workers: 1 });
  });
  afterAll(() => sandbox.dispose());

  describe('an adversarial program ends in time and leaves the next run correct', () => {
    test.each(Object.entries(ADVERSARIAL))('%s', async (_name, { code, expect: statuses }) => {
      // Short where the limit is what ends it; on a busy machine the others need their time.
      const timeoutMs = statuses.includes('timeout') ? 1000 : 20_000;
      const result = await sandbox.run({ code: aimed(code), timeoutMs });
      expect(statuses).toContain(result.status);
      expectNothingReached(result.stdout);
      expect(await canaryIsRight(sandbox)).toBe(true);
    });
  });

  describe('a probe reaches nothing outside', () => {
    const reaching = REACHING.map((name): [string, string] => [name, ADVERSARIAL[name]?.code ?? '']);
    test.each([...Object.entries(PROBES), ...reaching])('%s', async (_name, code) => {
      expect(code).not.toBe('');
      const result = await sandbox.run({ code: aimed(code), timeoutMs: 20_000 });
      expectNothingReached(result.stdout);
      expect(await canaryIsRight(sandbox)).toBe(true);
    });

    test('there are 43 programs and 26 probes', () => {
      expect(Object.keys(ADVERSARIAL)).toHaveLength(43);
      expect(Object.keys(PROBES).length + REACHING.length).toBe(26);
    });
  });
});
