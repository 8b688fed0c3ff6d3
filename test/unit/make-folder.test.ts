/** Folders are made, or it is told at once why not. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../src/make-folder.js';

const folder = mkdtempSync(join(tmpdir(), 't1-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('with those above it, twice, and with the mode that was asked for', () => {
  const path = join(folder, 'a', 'b', 'c');
  makeFolder(path, 0o700);
  makeFolder(path, 0o700);
  expect(statSync(path).isDirectory()).toBe(true);
  if (process.platform !== 'win32') expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
});

test('not where a file is in the way', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(folder, 'file', 'below'))).toThrow(/EEXIST|ENOTDIR/);
});

test.skipIf(process.platform !== 'linux')('not in /proc, where Node itself would try for ever', () => {
  expect(() => makeFolder('/proc/x/y')).toThrow(/ENOENT/);
});
