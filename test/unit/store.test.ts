import Database from 'better-sqlite3';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentKey } from '../../src/store/key.js';
import { Store, type StoredSample } from '../../src/store/store.js';
import { codeOf } from '../support/code-of.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sample: StoredSample = {
  seed: 7,
  index: 3,
  text: 'é\u0000 🙂',
  tokens: Int32Array.of(1, -2, 2 ** 31 - 1),
  logprobs: Float32Array.of(-0.5, -Infinity, 0),
  finish: 'stop',
};

describe('rows come back as they were written', () => {
  test('also after the file was closed and opened again', () => {
    const path = join(folder, 'deep', 'results.sqlite');
    const first = Store.open(path);
    first.saveGeneration(contentKey('g'), 'hash', sample);
    first.saveVerdict(contentKey('v'), 'math', {
      verdict: 'fail',
      programs: [{ code: null, status: 'missing', stdout: '', ms: 0 }],
    });
    first.saveScore(contentKey('s'), 'yes-no', 0.25);
    first.close();
    const second = Store.open(path);
    expect(second.generation(contentKey('g'))).toEqual(sample);
    expect(second.verdict(contentKey('v'))).toEqual({
      verdict: 'fail',
      programs: [{ code: null, status: 'missing', stdout: '', ms: 0 }],
    });
    expect(second.score(contentKey('s'))).toBe(0.25);
    expect(second.generation(contentKey('other'))).toBeUndefined();
    expect(second.cacheCounts).toEqual({ hits: 3, misses: 1 });
    expect(second.stats()).toMatchObject({ path, generations: 1, verdicts: 1, scores: 1 });
    second.clear();
    expect(second.stats()).toMatchObject({ generations: 0, verdicts: 0, scores: 0 });
    second.close();
  });

  test('a row that was not committed by a killed writer does not spoil the file', () => {
    const path = join(folder, 'results.sqlite');
    const store = Store.open(path);
    store.saveScore(contentKey('a'), 'yes-no', 0.5);
    // What kill -9 leaves behind: database and log as they are on disk, nobody closed them.
    const copy = join(folder, 'after-kill.sqlite');
    for (const suffix of ['', '-wal']) writeFileSync(copy + suffix, readFileSync(path + suffix));
    const recovered = Store.open(copy);
    expect(recovered.score(contentKey('a'))).toBe(0.5);
    recovered.close();
    store.close();
  });
});

describe('bad days', () => {
  test('a file that is no database', () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'these are my notes, not a database\n'.repeat(100));
    expect(codeOf(() => Store.open(path))).toBe('STORE_CORRUPT');
    expect(readFileSync(path, 'utf8')).toContain('my notes');
  });

  test("another program's database is refused and left alone", () => {
    const path = join(folder, 'other.sqlite');
    const other = new Database(path);
    other.exec('CREATE TABLE bookmarks (url TEXT)');
    other.close();
    expect(codeOf(() => Store.open(path))).toBe('STORE_UNAVAILABLE');
    const after = new Database(path);
    expect(after.prepare('SELECT name FROM sqlite_master').all()).toEqual([{ name: 'bookmarks' }]);
    after.close();
  });

  test('a database from a newer version', () => {
    const path = join(folder, 'new.sqlite');
    Store.open(path).close();
    const raw = new Database(path);
    raw.pragma('user_version = 999');
    raw.close();
    expect(codeOf(() => Store.open(path))).toBe('STORE_UNAVAILABLE');
  });

  test('a damaged database', () => {
    const path = join(folder, 'damaged.sqlite');
    const store = Store.open(path);
    for (let i = 0; i < 300; i++) store.saveGeneration(contentKey(i), 'hash', sample);
    store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096); // all pages but the first
    writeFileSync(path, bytes);
    const use = () => {
      const damaged = Store.open(path);
      try {
        for (let i = 0; i < 300; i++) damaged.generation(contentKey(i));
      } finally {
        damaged.close();
      }
    };
    expect(codeOf(use)).toBe('STORE_CORRUPT');
  });

  test('a path that cannot be written', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(codeOf(() => Store.open(join(folder, 'file', 'results.sqlite')))).toBe('STORE_UNAVAILABLE');
    expect(codeOf(() => Store.open(folder))).toBe('STORE_UNAVAILABLE');
  });

  test('no room left: the row is refused, what is stored stays', () => {
    const path = join(folder, 'full.sqlite');
    const raw = new Database(path);
    const store = Store.over(raw);
    store.saveScore(contentKey('kept'), 'yes-no', 0.5);
    raw.pragma('max_page_count = 20'); // SQLite reports SQLITE_FULL as it does for a full disk
    const big = { ...sample, text: 'x'.repeat(50_000) };
    expect(
      codeOf(() => {
        for (let i = 0; i < 100; i++) store.saveGeneration(contentKey(i), 'hash', big);
      }),
    ).toBe('DISK_FULL');
    expect(store.score(contentKey('kept'))).toBe(0.5);
    store.close();
  });
});

describe('contentKey', () => {
  test('parts cannot run into each other', () => {
    const keys = [
      contentKey('a', 'bc'),
      contentKey('ab', 'c'),
      contentKey('abc'),
      contentKey(['a', 'bc']),
      contentKey(1, 2),
      contentKey(12),
      contentKey('12'),
      contentKey(null),
      contentKey(Int32Array.of(1, 2)),
      contentKey([1, 2]),
    ].map((key) => key.toString('hex'));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is the same in every process', () => {
    expect(contentKey('generation', 1.5, null, Int32Array.of(1, -1), ['x']).toString('hex')).toMatchInlineSnapshot(
      `"23094d57b457448866d8ce52ddda7a55affb6a9e54ccfe969ce50c9973faf4a6"`,
    );
  });
});
