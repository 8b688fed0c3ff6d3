/** The start image on disk. */
import { mkdtempSync, readFileSync, readSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSnapshot, type Snapshot } from '../../src/sandbox/snapshot.js';

const IMAGE = Buffer.from('an image of Python');
let folder: string;
let built: number;
const build = () => {
  built++;
  return Promise.resolve(IMAGE);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-test-'));
  built = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function content({ fd, imageBytes }: Snapshot): string {
  const buffer = Buffer.alloc(imageBytes);
  readSync(fd, buffer, 0, imageBytes, 0);
  return buffer.toString();
}

async function openAndClose(where: string): Promise<string> {
  const snapshot = await openSnapshot(where, null, build);
  const text = content(snapshot);
  await snapshot.close();
  return text;
}

const onlyFile = (): string => {
  const [name = '', ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return join(folder, name);
};

test('is made once, in a folder made for it, and leaves no temporary file', async () => {
  expect(await openAndClose(folder)).toBe(IMAGE.toString());
  expect(await openAndClose(folder)).toBe(IMAGE.toString());
  expect(built).toBe(1);
  expect(onlyFile()).toMatch(/sandbox-[\d.]+-[0-9a-f]{16}\.snapshot$/);
  expect(await openAndClose(join(folder, 'a', 'b'))).toBe(IMAGE.toString());
});

test.each([
  [
    'a changed byte',
    (file: string) =>
      writeFileSync(
        file,
        readFileSync(file).map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
      ),
  ],
  ['a missing end', (file: string) => truncateSync(file, 20)],
  ['no content', (file: string) => truncateSync(file, 0)],
])('with %s is made again', async (_what, damage) => {
  await openAndClose(folder);
  damage(onlyFile());
  expect(await openAndClose(folder)).toBe(IMAGE.toString());
  expect(built).toBe(2);
  await openAndClose(folder);
  expect(built).toBe(2);
});

test('stays readable when another process removes the file', async () => {
  const snapshot = await openSnapshot(folder, null, build);
  rmSync(onlyFile());
  expect(content(snapshot)).toBe(IMAGE.toString());
  await snapshot.close();
});

/** A path below a file can be no folder, not even for root. */
function unwritable(): string {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  return join(file, 'cache');
}

test('lives in a temporary folder while the cache folder cannot be written', async () => {
  const ours = () => readdirSync(tmpdir()).filter((name) => name.startsWith('t1-sandbox-'));
  const before = ours();
  const snapshot = await openSnapshot(unwritable(), null, build);
  expect(content(snapshot)).toBe(IMAGE.toString());
  expect(ours()).toHaveLength(before.length + 1);
  await snapshot.close();
  expect(ours()).toEqual(before);
});

test('is a clear error when no folder can be written', async () => {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = unwritable();
  try {
    await expect(openSnapshot(unwritable(), null, build)).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      message: expect.stringMatching(/^cannot store the Python start image in .+T1_CACHE_DIR/) as string,
    });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
});
