import Database from 'better-sqlite3';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheSize } from '../../src/store/cache-size.js';
import { decode, encode, plainKey } from '../../src/store/canonical.js';
import { contentKey } from '../../src/store/key.js';
import { migrations } from '../../src/store/migrations.js';
import { Store } from '../../src/store/store.js';
import { codeOf } from '../support/code-of.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sample = {
  text: 'é\u0000 🙂',
  tokens: Int32Array.of(1, -2, 2 ** 31 - 1),
  logprobs: Float32Array.of(-0.5, -Infinity, 0),
  finish: 'stop',
};

describe('rows come back as they were written', () => {
  test('also after the file was closed and opened again', () => {
    const path = join(folder, 'deep', 'results.sqlite');
    const first = Store.open(path, { now: () => 5000 });
    first.keep(plainKey('s'), 'sample', sample);
    first.keep(plainKey('n'), 'score', 0.25, 3);
    first.close();
    const second = Store.open(path);
    expect(second.find(plainKey('s'))).toEqual({ value: sample, times: 0, computedAt: 5000 });
    expect(second.find(plainKey('n'))).toEqual({ value: 0.25, times: 3, computedAt: 5000 });
    expect(second.find(plainKey('other'))).toBeUndefined();
    expect(second.stats()).toMatchObject({ path, values: { sample: 1, score: 1 } });
    second.clear();
    expect(second.stats().values).toEqual({});
    second.close();
  });

  test("a file's hash and an engine's costs are no results: clearing leaves them", () => {
    const store = Store.open(join(folder, 'results.sqlite'));
    const costs = { decode: 1, rowSplit: 2, rowUnified: 3, cellSplit: 4, cellUnified: 5, copy: 6 };
    store.saveFileHash('/m.gguf', 7, 8n, 'abc');
    store.saveKvCosts(plainKey('k'), costs);
    store.clear();
    expect(store.fileHash('/m.gguf', 7, 8n)).toBe('abc');
    expect(store.fileHash('/m.gguf', 7, 9n)).toBeUndefined();
    expect(store.kvCosts(plainKey('k'))).toEqual(costs);
    store.close();
  });

  test('a row that was not committed by a killed writer does not spoil the file', () => {
    const path = join(folder, 'results.sqlite');
    const store = Store.open(path);
    store.keep(plainKey('a'), 'score', 0.5);
    // What kill -9 leaves behind: database and log as they are on disk, nobody closed them.
    const copy = join(folder, 'after-kill.sqlite');
    for (const suffix of ['', '-wal']) writeFileSync(copy + suffix, readFileSync(path + suffix));
    const recovered = Store.open(copy);
    expect(recovered.find(plainKey('a'))?.valueOf()).toMatchObject({ value: 0.5 });
    recovered.close();
    store.close();
  });

  test('two that are open at once see what the other has written', () => {
    const path = join(folder, 'results.sqlite');
    const [a, b] = [Store.open(path), Store.open(path)];
    a.keep(plainKey('a'), 'score', 0.5);
    b.keep(plainKey('b'), 'score', 0.25);
    expect(b.find(plainKey('a'))).toMatchObject({ value: 0.5 });
    expect(a.find(plainKey('b'))).toMatchObject({ value: 0.25 });
    a.close();
    b.close();
  });
});

describe('a row that is not what was written', () => {
  const change = (path: string, sql: string): void => {
    const raw = new Database(path);
    raw.exec(sql);
    raw.close();
  };

  test.each([
    ['another value', "UPDATE remembered SET value = (SELECT value FROM remembered WHERE stage = 'other')"],
    ['half of it', 'UPDATE remembered SET value = substr(value, 1, length(value) / 2)'],
    [
      'under the key of another',
      "UPDATE remembered SET value = o.value, digest = o.digest FROM remembered AS o WHERE o.stage = 'other'",
    ],
  ])('%s: is told from a whole one, and can be written anew', (_, sql) => {
    const path = join(folder, 'results.sqlite');
    const store = Store.open(path);
    store.keep(plainKey('a'), 'score', 0.5);
    store.keep(plainKey('b'), 'other', 0.75);
    change(path, sql);
    expect(store.find(plainKey('a'))).toBe('damaged');
    store.keep(plainKey('a'), 'score', 0.5);
    expect(store.find(plainKey('a'))).toMatchObject({ value: 0.5 });
    store.close();
  });

  test('a hash or costs that are damaged are as good as none', () => {
    const path = join(folder, 'results.sqlite');
    const store = Store.open(path);
    store.saveFileHash('/m.gguf', 7, 8n, 'abc');
    store.saveKvCosts(plainKey('k'), { decode: 1, rowSplit: 2, rowUnified: 3, cellSplit: 4, cellUnified: 5, copy: 6 });
    change(path, 'UPDATE remembered SET value = zeroblob(9)');
    expect(store.fileHash('/m.gguf', 7, 8n)).toBeUndefined();
    expect(store.kvCosts(plainKey('k'))).toBeUndefined();
    store.close();
  });
});

describe('a limit', () => {
  const MAX = 2 * 2 ** 20;
  const big = 'x'.repeat(10_000);
  const count = (store: Store) => store.stats().values['big'] ?? 0;

  test('what was used longest ago goes first, and the file stays below it', () => {
    let now = 0;
    const path = join(folder, 'results.sqlite');
    const store = Store.open(path, { maxBytes: MAX, now: () => now });
    store.keep(plainKey('often used'), 'small', 1);
    for (let i = 0; i < 1000; i++) {
      now += 7200_000;
      store.keep(plainKey(i), 'big', big);
      expect(store.find(plainKey('often used'))).toMatchObject({ value: 1 });
    }
    expect(count(store)).toBeGreaterThan(120);
    expect(count(store)).toBeLessThan(200);
    expect(store.find(plainKey(999))).toMatchObject({ value: big });
    expect(store.find(plainKey(0))).toBeUndefined();
    expect(store.stats().usedBytes).toBeLessThanOrEqual(1.05 * MAX);
    store.close();
    expect(statSync(path).size).toBeLessThanOrEqual(1.1 * MAX);
  });

  test('a lower one is kept from the next opening on', () => {
    const path = join(folder, 'results.sqlite');
    const store = Store.open(path);
    for (let i = 0; i < 400; i++) store.keep(plainKey(i), 'big', big);
    store.close();
    const smaller = Store.open(path, { maxBytes: MAX });
    expect(count(smaller)).toBeLessThan(200);
    expect(smaller.find(plainKey(399))).toMatchObject({ value: big });
    smaller.close();
    expect(statSync(path).size).toBeLessThanOrEqual(1.1 * MAX);
  });

  test.each([
    [undefined, 4 * 2 ** 30],
    ['', 4 * 2 ** 30],
    ['500MB', 500 * 2 ** 20],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['2t', 2 * 2 ** 40],
    ['1048576', 2 ** 20],
  ])('T1_CACHE_SIZE=%s is %i bytes', (T1_CACHE_SIZE, bytes) => expect(cacheSize({ T1_CACHE_SIZE })).toBe(bytes));
  test.each(['much', '-1', '0', '100', '1 GiB more', '1e9'])('T1_CACHE_SIZE=%s is refused', (T1_CACHE_SIZE) =>
    expect(codeOf(() => cacheSize({ T1_CACHE_SIZE }))).toBe('USAGE'),
  );
});

test.skipIf(process.platform === 'win32')('is for the eyes of its owner', () => {
  const path = join(folder, 'new', 'results.sqlite');
  const modes = () => [path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777);
  const store = Store.open(path);
  store.keep(plainKey('a'), 'score', 0.5);
  expect(modes()).toEqual([0o600, 0o600, 0o600]);
  expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
  store.close();
  chmodSync(path, 0o644); // as earlier versions made it
  const again = Store.open(path);
  expect(modes()).toEqual([0o600, 0o600, 0o600]);
  again.close();
});

describe('bad days', () => {
  test('a file that is no database', () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'these are my notes, not a database\n'.repeat(100), { mode: 0o644 });
    expect(codeOf(() => Store.open(path))).toBe('STORE_CORRUPT');
    expect(readFileSync(path, 'utf8')).toContain('my notes');
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o644);
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
    for (let i = 0; i < 300; i++) store.keep(plainKey(i), 'sample', sample);
    store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096); // all pages but the first
    writeFileSync(path, bytes);
    const use = () => {
      const damaged = Store.open(path);
      try {
        for (let i = 0; i < 300; i++) damaged.find(plainKey(i));
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
    let now = 0;
    const store = Store.over(raw, { now: () => now });
    store.keep(plainKey('kept'), 'score', 0.5);
    raw.pragma('max_page_count = 20'); // SQLite reports SQLITE_FULL as it does for a full disk
    const big = { ...sample, text: 'x'.repeat(50_000) };
    expect(
      codeOf(() => {
        for (let i = 0; i < 100; i++) store.keep(plainKey(i), 'sample', big);
      }),
    ).toBe('DISK_FULL');
    now += 10 * 3600_000; // old enough for the use to be noted down, for which there may be no room
    expect(store.find(plainKey('kept'))).toMatchObject({ value: 0.5 });
    store.close();
  });
});

test('a database of 0.1.0 opens, and is as good as a new one', () => {
  const path = join(folder, 'old.sqlite');
  copyFileSync(join(import.meta.dirname, '..', 'fixtures', 'results-0.1.0.sqlite'), path);
  const old = new Database(path, { readonly: true });
  expect(old.pragma('user_version', { simple: true })).toBe(3);
  expect(old.prepare('SELECT count(*) AS n FROM generation').get()).toEqual({ n: 4 });
  old.close();
  const store = Store.open(path);
  store.keep(plainKey('a'), 'score', 0.5);
  expect(store.find(plainKey('a'))).toMatchObject({ value: 0.5 });
  expect(store.stats().values).toEqual({ score: 1 });
  store.close();
  const raw = new Database(path);
  expect(raw.pragma('user_version', { simple: true })).toBe(migrations.length);
  expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
  raw.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
});

describe('plain data as bytes', () => {
  const values = [
    null,
    true,
    false,
    0,
    -0,
    1,
    -1.5,
    NaN,
    Infinity,
    '',
    'a',
    'é\u0000🙂',
    '\ud800',
    '\udc00',
    '1',
    Int32Array.of(),
    Int32Array.of(1, -2),
    Float32Array.of(1, -2),
    Float32Array.of(0.1),
    [],
    [[]],
    [1, 2],
    ['a', 'bc'],
    ['ab', 'c'],
    [['a'], 'bc'],
    {},
    { a: 1 },
    { a: [1] },
    { ab: 1 },
    { a: { b: 1 } },
    { a: 1, b: 2 },
    { b: 1, a: 2 },
  ];
  test('different data give different bytes, and come back as they were', () => {
    expect(new Set(values.map((value) => encode(value).toString('hex'))).size).toBe(values.length);
    for (const value of values) expect(decode(encode(value))).toEqual(value);
    expect(Object.is(decode(encode(-0)), -0)).toBe(true);
  });

  test('the order of fields, and fields that are undefined, change nothing', () => {
    expect(encode({ a: 1, b: 2 })).toEqual(encode({ b: 2, c: undefined, a: 1 }));
    expect(encode(Float64Array.of(NaN)[0])).toEqual(encode(0 / 0));
  });

  test.each([[undefined], [() => 1], [new Date(0)], [new Map()], [1n], [[undefined]], [new Uint8Array(1)], [Symbol()]])(
    '%o is no plain data',
    (value) => expect(codeOf(() => encode(value))).toBe('INTERNAL'),
  );

  test('what was not written so is refused', () => {
    const whole = encode({ a: [1, 'x', Int32Array.of(1)] });
    for (let end = 0; end < whole.length; end++) expect(() => decode(whole.subarray(0, end))).toThrow();
    expect(() => decode(Buffer.concat([whole, Buffer.of(0)]))).toThrow();
    expect(() => decode(Buffer.of(0xff))).toThrow();
  });

  test('a key is the same in every process', () => {
    const key = plainKey('sample', 1.5, null, { tokens: Int32Array.of(1, -1), stop: ['x'] });
    expect(key.toString('hex')).toMatchInlineSnapshot(
      `"8741beddde4b5f09db1544511a37494ade8fd7e4a37661181aa0f9369091a0b0"`,
    );
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
