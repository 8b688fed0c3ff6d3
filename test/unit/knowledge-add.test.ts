import Database from 'better-sqlite3';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { barText } from '../../src/cli/bar.js';
import { T1Error } from '../../src/errors.js';
import { addToIndex, type AddOptions, type AddSummary } from '../../src/knowledge/add.js';
import { indexNames, indexPath, parseIndexName, removeIndex, summarize } from '../../src/knowledge/folder.js';
import { KnowledgeIndex } from '../../src/knowledge/knowledge-index.js';
import { openKnowledge } from '../../src/knowledge/shipped.js';
import { codeOf } from '../support/code-of.js';
import { asJsonl, randomOf, randomPassages, randomText, writePassages } from '../support/knowledge.js';
import { temporaryFolder } from '../support/t1.js';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());
const at = (name: string): string => join(folder.path, name);

const add = (name: string, paths: readonly string[], options: AddOptions = {}): Promise<AddSummary> =>
  addToIndex(name, paths, { folder: folder.path, ...options });

async function errorOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof T1Error) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing thrown';
}

/** Fires when it is asked for the n-th time, which is in the middle of the work. */
function abortAfter(n: number): AbortSignal {
  const controller = new AbortController();
  let asked = 0;
  const { signal } = controller;
  signal.throwIfAborted = () => {
    if (++asked === n) controller.abort(new T1Error('ABORTED', 'test'));
    if (signal.aborted) throw signal.reason;
  };
  return signal;
}

/** Everything that a search can show of an index. */
function contentOf(name: string): unknown {
  const index = KnowledgeIndex.open(name, { folder: folder.path });
  const random = randomOf(4);
  const found = Array.from({ length: 20 }, (_, i) => index.search(randomText(random, 1 + 2 * i, 300), 25));
  index.dispose();
  return { found, fingerprint: index.fingerprint, passages: index.passages, complete: index.complete };
}

describe('an interrupted add', () => {
  const passages = randomPassages(1500, { seed: 8 });

  test.each([1, 2, 400, 777, 1500])('at passage %i is continued and equals an undisturbed one', async (n) => {
    const path = writePassages(folder.path, 'all.jsonl', passages);
    await add('whole', [path], { segmentPostings: 4000 });
    expect(await errorOf(add('cut', [path], { segmentPostings: 4000, signal: abortAfter(n) }))).toBe('ABORTED: test');
    if (n > 1) {
      const index = KnowledgeIndex.open('cut', { folder: folder.path });
      expect([index.complete, index.passages]).toEqual([false, n - 1]); // nothing is lost
      index.dispose();
      expect(summarize('cut', folder.path).complete).toBe(false);
    }
    const { added, known } = await add('cut', [path], { segmentPostings: 4000 });
    expect([added, known]).toEqual([1500 - (n - 1), n - 1]);
    expect(contentOf('cut')).toEqual(contentOf('whole'));
  });

  test('during the merge: all is searchable, and the next add merges', async () => {
    const path = writePassages(folder.path, 'all.jsonl', passages);
    await add('whole', [path]);
    expect(await errorOf(add('cut', [path], { segmentPostings: 4000, signal: abortAfter(1501) }))).toBe(
      'ABORTED: test',
    );
    expect(contentOf('cut')).toEqual(contentOf('whole'));
    expect((await add('cut', [path])).unchangedFiles).toBe(1);
    expect(contentOf('cut')).toEqual(contentOf('whole'));
    const raw = new Database(at('cut.sqlite'), { readonly: true });
    expect(raw.prepare('SELECT count(*) AS n FROM segment').get()).toEqual({ n: 1 });
    raw.close();
  });

  test('what a killed writer leaves behind is an index of what was committed', async () => {
    const path = writePassages(folder.path, 'all.jsonl', passages);
    await add('whole', [path]);
    let copied = false;
    let asked = 0;
    const signal = abortAfter(1200);
    const { throwIfAborted } = signal;
    signal.throwIfAborted = () => {
      const journal = at('running.sqlite-journal');
      if (!copied && ++asked > 600 && existsSync(journal) && readFileSync(journal).length > 512) {
        for (const suffix of ['', '-journal'])
          writeFileSync(at(`killed.sqlite${suffix}`), readFileSync(at(`running.sqlite${suffix}`)));
        copied = true;
      }
      throwIfAborted();
    };
    await errorOf(add('running', [path], { segmentPostings: 4000, signal }));
    expect(copied).toBe(true);
    const index = KnowledgeIndex.open('killed', { folder: folder.path });
    expect(index.complete).toBe(false);
    expect(index.search('w1', 3)).toHaveLength(3);
    index.dispose();
    await add('killed', [path], { segmentPostings: 4000 });
    expect(contentOf('killed')).toEqual(contentOf('whole'));
  });
});

describe('adding again', () => {
  test('an unchanged file is skipped, one that grew is continued, a new one is added', async () => {
    const passages = randomPassages(60);
    const path = writePassages(folder.path, 'a.jsonl', passages.slice(0, 40));
    expect(await add('x', [path])).toMatchObject({ added: 40, known: 0, unchangedFiles: 0, passages: 40 });
    expect(await add('x', [path])).toMatchObject({ added: 0, known: 0, unchangedFiles: 1, passages: 40 });
    writePassages(folder.path, 'a.jsonl', passages.slice(0, 50));
    expect(await add('x', [path])).toMatchObject({ added: 10, known: 40, unchangedFiles: 0, passages: 50 });
    const more = writePassages(folder.path, 'b.jsonl', passages.slice(50));
    expect(await add('x', [path, more])).toMatchObject({ added: 10, known: 0, unchangedFiles: 1, passages: 60 });
    writePassages(folder.path, 'whole.jsonl', passages);
    await add('whole', [at('whole.jsonl')]);
    expect(contentOf('x')).toEqual(contentOf('whole'));
  });

  test('a file that was touched but not changed adds nothing', async () => {
    writeFileSync(at('a.md'), '# A\n\nSome words.\n');
    await add('x', [at('a.md')]);
    utimesSync(at('a.md'), 1, 1);
    expect(await add('x', [at('a.md')])).toMatchObject({ added: 0, known: 1, passages: 1 });
  });

  test('another passage under an id that is taken', async () => {
    writeFileSync(
      at('a.jsonl'),
      asJsonl([
        { id: 'p', title: null, text: 'one' },
        { id: 'p', title: null, text: 'one' },
        { id: 'p', title: null, text: 'two' },
      ]),
    );
    expect(await errorOf(add('x', [at('a.jsonl')]))).toMatch(
      /^INPUT: .*a\.jsonl:3: the index has another passage with the id 'p': give each/,
    );
    writeFileSync(at('b.md'), 'Words before.');
    await add('y', [at('b.md')]);
    writeFileSync(at('b.md'), 'Other words.');
    expect(await errorOf(add('y', [at('b.md')]))).toMatch(/the file changed since it was added/);
  });

  test('what was read before a bad line is kept, and mending the line continues', async () => {
    const passages = randomPassages(20);
    const good = asJsonl(passages);
    writeFileSync(at('a.jsonl'), `${good}{"id": "bad"\n`);
    expect(await errorOf(add('x', [at('a.jsonl')]))).toMatch(/^INPUT: .*a\.jsonl:21: not JSON/);
    writeFileSync(at('a.jsonl'), `${good}{"id": "bad", "text": "mended"}\n`);
    expect(await add('x', [at('a.jsonl')])).toMatchObject({ added: 1, known: 20 });
  });

  test('analysis and passage length stay as they were', async () => {
    writeFileSync(at('a.md'), 'Some words.');
    await add('x', [at('a.md')], { analysis: { stemming: false } });
    expect(summarize('x', folder.path)).toMatchObject({ stemming: false, stopWords: true });
    expect(await errorOf(add('x', [at('a.md')], { analysis: { stemming: true } }))).toMatch(
      /^USAGE: .*without stemming/,
    );
    expect(await errorOf(add('x', [at('a.md')], { passageWords: 30 }))).toMatch(/^USAGE: .*passageWords/);
    expect(await add('x', [at('a.md')], { analysis: { stopWords: undefined } })).toMatchObject({ unchangedFiles: 1 });
  });
});

test('empty passages are left out and counted; nothing but them is an error that leaves no file', async () => {
  writeFileSync(
    at('a.jsonl'),
    '{"id":"1","text":""}\n{"id":"2","title":"Only a title","text":""}\n{"id":"3","text":"text"}\n',
  );
  expect(await add('x', [at('a.jsonl')])).toMatchObject({ added: 2, empty: 1, passages: 2 });
  writeFileSync(at('b.jsonl'), '{"id":"1","text":""}\n');
  writeFileSync(at('c.txt'), '\n\n');
  expect(await errorOf(add('none', [at('b.jsonl'), at('c.txt')]))).toMatch(/^INPUT: .*no passage/);
  expect(indexNames(folder.path)).toEqual(['x']);
});

describe('names and files', () => {
  test('a name is a name', () => {
    for (const name of ['a', 'Wiki-2024.en', 'größe', '日本', '7']) expect(parseIndexName(name)).toBe(name);
    for (const name of ['', '.', '..', '.x', 'a/b', 'a\\b', '-x', 'a b', 'x'.repeat(65), 'x.sqlite', 'a\u0000']) {
      expect(
        codeOf(() => parseIndexName(name)),
        name,
      ).toBe('USAGE');
    }
    expect(indexPath('./x.sqlite', '/f')).toBe('./x.sqlite');
    expect(indexPath('x', '/f')).toBe(join('/f', 'x.sqlite'));
  });

  test('an unknown one: the message lists the known ones', async () => {
    await add('plants', [writePassages(folder.path, 'a.jsonl', randomPassages(3))]);
    for (const open of [
      () => KnowledgeIndex.open('plnats', { folder: folder.path }),
      () => removeIndex('plnats', folder.path),
    ]) {
      expect(open).toThrow(/no index 'plnats' \(known: factbook, plants\)/);
    }
    expect(codeOf(() => KnowledgeIndex.open(at('absent.sqlite')))).toBe('INDEX_NOT_FOUND');
    removeIndex('plants', folder.path);
    expect(indexNames(folder.path)).toEqual([]);
  });

  const open = (name: string) => (): void => KnowledgeIndex.open(at(name)).dispose();

  test('no database, a database of another program, an index of another version', async () => {
    writeFileSync(at('text.sqlite'), 'these are my notes\n'.repeat(500));
    expect(codeOf(open('text.sqlite'))).toBe('INDEX_CORRUPT');
    writeFileSync(at('empty.sqlite'), '');
    expect(codeOf(open('empty.sqlite'))).toBe('INDEX_UNAVAILABLE');
    const other = new Database(at('other.sqlite'));
    other.exec('CREATE TABLE bookmarks (url TEXT)');
    other.close();
    expect(codeOf(open('other.sqlite'))).toBe('INDEX_UNAVAILABLE');
    const path = writePassages(folder.path, 'a.jsonl', randomPassages(3));
    expect(await errorOf(add('other', [path]))).toMatch(/^INDEX_UNAVAILABLE: .*another program/);
    await add('x', [path]);
    const raw = new Database(at('x.sqlite'));
    raw.pragma('user_version = 999');
    raw.close();
    expect(open('x.sqlite')).toThrow(/written by another version of t1 \(format 999/);
    expect(await errorOf(add('x', [path]))).toMatch(/^INDEX_UNAVAILABLE: .*format 999/);
  });

  test('a damaged index is told, not searched as if it were whole', async () => {
    await add('x', [writePassages(folder.path, 'a.jsonl', randomPassages(2000))]);
    const bytes = readFileSync(at('x.sqlite'));
    const damaged = Buffer.from(bytes);
    damaged.fill(0xa5, 8192 * 4);
    writeFileSync(at('damaged.sqlite'), damaged);
    writeFileSync(at('short.sqlite'), bytes.subarray(0, bytes.length >> 1));
    for (const name of ['damaged.sqlite', 'short.sqlite']) {
      const use = (): void => {
        const index = KnowledgeIndex.open(at(name));
        try {
          for (let i = 0; i < 300; i++) index.search(`w${i}`, 50);
        } finally {
          index.dispose();
        }
      };
      expect(codeOf(use), name).toBe('INDEX_CORRUPT');
    }
  });

  test('another writer is waited for, then told', async () => {
    const path = writePassages(folder.path, 'a.jsonl', randomPassages(3));
    await add('x', [path]);
    const raw = new Database(at('x.sqlite'));
    raw.exec('BEGIN IMMEDIATE');
    expect(await errorOf(add('x', [path]))).toMatch(/^INDEX_UNAVAILABLE: .*another process/);
    expect(codeOf(open('x.sqlite'))).toBe('nothing thrown'); // reading goes on
    raw.close();
  }, 20_000);
});

test('the index that ships is made on its first use, once', async () => {
  const notes: string[] = [];
  const first = await openKnowledge('factbook', { folder: folder.path, onNote: (line) => notes.push(line) });
  expect(notes).toHaveLength(1);
  const [hit] = first.search('In which year did the French capture Algiers?', 3);
  expect(hit?.passage.title).toBe('Algeria – Introduction');
  first.dispose();
  const second = await openKnowledge('factbook', { folder: folder.path, onNote: (line) => notes.push(line) });
  expect(notes).toHaveLength(1);
  expect(second.fingerprint).toBe(first.fingerprint);
  second.dispose();
  expect(indexNames(folder.path)).toEqual(['factbook']);
});

test('the bar says share, rate and time left', () => {
  const first = { time: 0, share: 0, passages: 0 };
  expect(barText('read', first, { time: 10_000, share: 0.25, passages: 20_000 })).toBe(
    `Indexing ${'━'.repeat(6)}${'─'.repeat(18)} 25 %, 20,000 passages, 2,000/s, 0:30 left`,
  );
  expect(barText('merge', first, { time: 1000, share: 0.0001, passages: 5 })).toBe(
    `Merging ${'─'.repeat(24)} 0 %, 2:46:39 left`,
  );
  expect(barText('read', first, first)).toBe(`Indexing ${'─'.repeat(24)} 0 %, 0 passages`);
});
