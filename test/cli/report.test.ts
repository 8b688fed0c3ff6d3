/** `t1 report` and `t1 view` as a user runs them. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUN_FILE, RunFile } from '../../src/runs/run-file.js';
import { syntheticManifest, syntheticRecords } from '../support/synthetic-run.mjs';
import { start, t1, temporaryFolder, type Running } from '../support/t1.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const records = [...syntheticRecords({ problems: 6, samples: 4 })];

function makeRun(name: string, problems: number): string {
  using run = RunFile.begin(at(name), syntheticManifest(6, 4));
  for (const [ordinal, record] of records.slice(0, problems).entries()) run.save(ordinal, record);
  return at(name);
}

beforeAll(() => {
  makeRun('run', 6);
  makeRun('empty', 0);
  const damaged = new Database(join(makeRun('damaged', 6), RUN_FILE));
  damaged.prepare("UPDATE record SET value = replace(value, '\"solved\"', '\"Solved\"') WHERE key = 'made-3#0'").run();
  damaged.close();
  mkdirSync(at('folder'));
  mkdirSync(at('text'));
  writeFileSync(join(at('text'), RUN_FILE), 'no database '.repeat(1000));
});
afterAll(() => folder.remove());

test('report writes one file, says where, and leaves nothing else', async () => {
  const { code, stdout, stderr } = await t1(['report', at('run'), '-o', at('page.html')]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${at('page.html')}\n`, stderr: '' });
  expect(readFileSync(at('page.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*6 of 6 problems[\s\S]*<\/html>\n$/);
  expect(readdirSync(folder.path).filter((name) => name.includes('.part'))).toEqual([]);
});

describe('what can go wrong is one clear line', () => {
  test.each<[name: string, args: () => string[], code: string, exit: number, says: string]>([
    ['no such run', () => ['report', at('absent')], 'FILE_NOT_FOUND', 2, 'no run at'],
    ['no such run to view', () => ['view', at('absent')], 'FILE_NOT_FOUND', 2, 'no run at'],
    ['empty run', () => ['report', at('empty'), '-o', at('none.html')], 'INPUT', 2, 'no finished problem'],
    ['damaged record', () => ['report', at('damaged'), '-o', at('none.html')], 'RUN_CORRUPT', 1, 'made-3'],
    ['damaged record to view', () => ['view', at('damaged')], 'RUN_CORRUPT', 1, 'made-3'],
    ['not a run', () => ['report', at('text')], 'RUN_CORRUPT', 1, 'damaged or no run'],
    ['-o in no folder', () => ['report', at('run'), '-o', at('nowhere/page.html')], 'INPUT', 2, 'cannot write'],
    ['-o is a folder', () => ['report', at('run'), '-o', at('folder')], 'INPUT', 2, 'cannot write'],
    ['port out of range', () => ['view', at('run'), '--port', '70000'], 'USAGE', 2, '--port'],
    ['port is no number', () => ['view', at('run'), '--port', 'some'], 'USAGE', 2, '--port'],
  ])('%s', async (_, args, code, exit, says) => {
    const finished = await t1(args());
    expect(finished).toMatchObject({ code: exit, stdout: '' });
    expect(finished.stderr).toMatch(new RegExp(`^t1: ${code}: [^\\n]*${says}[^\\n]*\\n$`));
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.part') || name === 'none.html')).toEqual([]);
  });

  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { code, stderr } = await t1(['view', at('run'), '--port', String(port)]);
    other.close();
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`--port: ${port} is in use`) as string,
    });
  });
});

describe('view', () => {
  let running: Running;
  let address = '';
  beforeAll(async () => {
    makeRun('live', 2);
    running = start(['view', at('live')]);
    const [line] = (await once(running.child.stdout ?? process.stdin, 'data')) as [string];
    address = line.trim();
  });
  afterAll(() => running.child.kill('SIGKILL'));

  const get = (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string; version: string }> =>
    new Promise((resolve, reject) => {
      request(new URL(path, address), { headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, version: String(response.headers['x-version'] ?? '') }),
        );
      })
        .on('error', reject)
        .end();
    });

  test('prints its address, of this machine alone', () => expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/));

  test('the page, its figures and one problem', async () => {
    expect((await get('/')).text).toMatch(/connect-src 'self'/);
    const data = JSON.parse((await get('/data')).text) as { rows: { id: string }[]; overview: string };
    expect(data.rows.map(({ id }) => id)).toEqual(['made-0', 'made-1']);
    expect(data.overview).toContain('2 of 6 problems');
    expect(JSON.parse((await get('/problem/1')).text)).toMatchObject({ record: { id: 'made-1' } });
    expect(await get('/problem/2')).toMatchObject({ status: 404 });
    expect(await get('/../package.json')).toMatchObject({ status: 404 });
  });

  test('another Host is refused: no other site may read a run', async () => {
    for (const path of ['/', '/data', '/problem/0'])
      expect(await get(path, { host: 'evil.example:80' })).toMatchObject({ status: 421 });
    const { port } = new URL(address);
    expect(await get('/', { host: `localhost:${port}` })).toMatchObject({ status: 200 });
  });

  test('figures follow while the run goes on, and only then', async () => {
    const before = await get('/data');
    expect(await get(`/data?since=${before.version}`)).toMatchObject({ status: 204 });
    makeRun('live', 5);
    await expect
      .poll(async () => (await get(`/data?since=${before.version}`)).text, { timeout: 10_000 })
      .toContain('5 of 6 problems');
  });

  test('Ctrl-C ends it', async () => {
    running.child.kill('SIGINT');
    expect((await running.finished).code).toBe(0);
  });
});
