/** `t1 index` as a user meets it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KnowledgeIndex } from '../../src/knowledge/knowledge-index.js';
import { asJsonl, randomPassages } from '../support/knowledge.js';
import { start, t1, temporaryFolder, type Finished } from '../support/t1.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder.path, name);
const indexes = at('indexes');
const index = (...args: string[]): string[] => ['index', ...args, '--index-dir', indexes];

const FRUIT = [
  { id: 'apple', title: 'Apples', text: 'Apples grow on trees in cool places.' },
  { id: 'pear/ü', title: null, text: 'Pears ripen after they were picked.' },
  { id: 'plum', title: 'Plums', text: 'A plum has one stone.' },
];

beforeAll(async () => {
  writeFileSync(at('fruit.jsonl'), asJsonl(FRUIT));
  writeFileSync(at('bad.jsonl'), '{"id":"a","text":"fine"}\n{"id":"b","text":7}\n');
  writeFileSync(at('double.jsonl'), '{"id":"a","text":"one"}\n{"id":"a","text":"two"}\n');
  writeFileSync(at('nothing.jsonl'), '\n');
  writeFileSync(at('empty.txt'), '');
  writeFileSync(at('notes.pdf'), 'x');
  writeFileSync(at('latin1.txt'), Buffer.from([0x47, 0x72, 0xfc, 0xdf, 0x65]));
  const packed = gzipSync(Buffer.from(Array.from({ length: 50_000 }, (_, i) => 97 + ((i * 7919) % 23))));
  writeFileSync(at('short.txt.gz'), packed.subarray(0, packed.length >> 1));
  writeFileSync(at('broken.md.bz2'), Buffer.concat([Buffer.from('BZh91AY&SY'), Buffer.alloc(100, 7)]));
  writeFileSync(at('page.xml'), '<html></html>');
  writeFileSync(at('cut.xml'), '<mediawiki><page><title>A</title>');
  writeFileSync(at('queries.jsonl'), '{"id":"q1","text":"a plum\'s stone"}\n\n{"id":2,"text":"zebra"}\n');
  writeFileSync(at('bad-queries.jsonl'), '{"id":"q1","text":"plum"}\n{"id":"q2"}\n');
  writeFileSync(at('file'), '');
  mkdirSync(at('hollow'));
  mkdirSync(indexes);
  writeFileSync(join(indexes, 'damaged.sqlite'), 'no database '.repeat(1000));
  expect((await t1(index('add', 'fruit', at('fruit.jsonl')))).code).toBe(0);
});
afterAll(() => folder.remove());

const CASES: [name: string, args: () => string[], code: string, exit: number, message: RegExp][] = [
  ['missing file', () => index('add', 'x', at('absent.jsonl')), 'FILE_NOT_FOUND', 2, /absent\.jsonl/],
  [
    'one missing file of two',
    () => index('add', 'x', at('fruit.jsonl'), at('absent.jsonl')),
    'FILE_NOT_FOUND',
    2,
    /absent\.jsonl/,
  ],
  ['a file of another kind', () => index('add', 'x', at('notes.pdf')), 'INPUT', 2, /notes\.pdf.*\.jsonl/],
  ['a folder with nothing to index', () => index('add', 'x', at('hollow')), 'INPUT', 2, /hollow/],
  ['a broken line', () => index('add', 'x', at('bad.jsonl')), 'INPUT', 2, /bad\.jsonl:2: .*text/],
  ['an id twice', () => index('add', 'x2', at('double.jsonl')), 'INPUT', 2, /double\.jsonl:2: .*'a'/],
  ['no passages', () => index('add', 'x3', at('nothing.jsonl'), at('empty.txt')), 'INPUT', 2, /no passage/],
  ['not UTF-8', () => index('add', 'x', at('latin1.txt')), 'INPUT', 2, /latin1\.txt:1: not UTF-8/],
  [
    'a gzip file that was cut off',
    () => index('add', 'x', at('short.txt.gz')),
    'INPUT',
    2,
    /short\.txt\.gz: damaged gzip/,
  ],
  ['a broken bzip2 file', () => index('add', 'x', at('broken.md.bz2')), 'INPUT', 2, /broken\.md\.bz2: damaged bzip2/],
  ['XML that is no dump', () => index('add', 'x', at('page.xml')), 'INPUT', 2, /no MediaWiki dump/],
  ['a dump that was cut off', () => index('add', 'x', at('cut.xml')), 'INPUT', 2, /no well-formed XML/],
  ['a name with a slash', () => index('add', '../x', at('fruit.jsonl')), 'USAGE', 2, /'\.\.\/x' cannot name/],
  ['an empty name', () => index('add', '', at('fruit.jsonl')), 'USAGE', 2, /cannot name/],
  [
    'a passage length that is none',
    () => index('add', 'x', at('fruit.jsonl'), '--passage-words', '0'),
    'USAGE',
    2,
    /--passage-words/,
  ],
  ['another analysis', () => index('add', 'fruit', at('fruit.jsonl'), '--no-stemming'), 'USAGE', 2, /--stemming/],
  ['no paths', () => index('add', 'x'), 'USAGE', 2, /t1 --help/],
  ['no action', () => ['index'], 'USAGE', 2, /add, list, remove or search/],
  ['an unknown action', () => index('burn', 'fruit'), 'USAGE', 2, /burn/],
  [
    'an index folder below a file',
    () => ['index', 'add', 'x', at('fruit.jsonl'), '--index-dir', at('file/indexes')],
    'INDEX_UNAVAILABLE',
    1,
    /file/,
  ],
  [
    'a damaged index is not added to',
    () => index('add', 'damaged', at('fruit.jsonl')),
    'INDEX_CORRUPT',
    1,
    /damaged\.sqlite/,
  ],
  ['a damaged index is not searched', () => index('search', 'damaged', 'plum'), 'INDEX_CORRUPT', 1, /damaged\.sqlite/],
  ['an unknown index', () => index('search', 'friut', 'plum'), 'INDEX_NOT_FOUND', 2, /known: damaged, factbook, fruit/],
  [
    'an unknown index to remove',
    () => index('remove', 'friut'),
    'INDEX_NOT_FOUND',
    2,
    /known: damaged, factbook, fruit/,
  ],
  [
    'an index file that is not there',
    () => index('search', at('absent.sqlite'), 'plum'),
    'INDEX_NOT_FOUND',
    2,
    /absent\.sqlite/,
  ],
  ['an empty query', () => index('search', 'fruit', ' '), 'INPUT', 2, /query is empty/],
  ['no query', () => index('search', 'fruit'), 'INPUT', 2, /query is empty/],
  [
    'a query and a file of queries',
    () => index('search', 'fruit', 'plum', '--queries', at('queries.jsonl')),
    'USAGE',
    2,
    /not both/,
  ],
  [
    'missing queries',
    () => index('search', 'fruit', '--queries', at('absent.jsonl')),
    'FILE_NOT_FOUND',
    2,
    /absent\.jsonl/,
  ],
  ['k = 0', () => index('search', 'fruit', 'plum', '-k', '0'), 'USAGE', 2, /-k: /],
  ['k that is no number', () => index('search', 'fruit', 'plum', '-k', 'many'), 'USAGE', 2, /-k: /],
  ['b beyond 1', () => index('search', 'fruit', 'plum', '--b', '1.5'), 'USAGE', 2, /-b: /],
  ['negative k1', () => index('search', 'fruit', 'plum', '--k1', '-1'), 'USAGE', 2, /--k1: /],
];

describe('one line, the right exit code, nothing on standard output', () => {
  test.each(CASES)('%s', async (_name, args, code, exit, message) => {
    const result = await t1(args());
    expect(result.stderr).toMatch(new RegExp(`^t1: ${code}: .+\n$`));
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(exit);
    expect(result.stdout).toBe('');
  });

  test('no index is left behind by what could not be read at all', () => {
    expect(
      readdirSync(indexes).filter(
        (file) => !['fruit.sqlite', 'damaged.sqlite', 'x.sqlite', 'x2.sqlite'].includes(file),
      ),
    ).toEqual([]);
  });

  test('a broken line of queries ends the search after the lines before it', async () => {
    const result = await t1(index('search', 'fruit', '--queries', at('bad-queries.jsonl')));
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).toMatch(/^t1: INPUT: .*bad-queries\.jsonl:2: .*\n$/);
    expect(result.code).toBe(2);
  });
});

describe('search', () => {
  test('in words', async () => {
    const { stdout, code } = await t1(index('search', 'fruit', 'where do apples grow'));
    expect(stdout).toMatch(/^1\. \d\.\d{3} {2}apple {2}Apples\n {3}Apples grow on trees in cool places\.\n$/);
    expect(code).toBe(0);
  });

  test('as JSON, by the path of the file, from standard input', async () => {
    const { stdout } = await t1(index('search', join(indexes, 'fruit.sqlite'), '-', '--json', '-k', '1'), {
      stdin: 'ripe pears',
    });
    expect(JSON.parse(stdout)).toMatchObject({
      query: 'ripe pears',
      hits: [{ id: 'pear/ü', title: null, text: FRUIT[1]?.text }],
    });
  });

  test('no known word: no hits, no error', async () => {
    const { stdout, stderr, code } = await t1(index('search', 'fruit', 'zebra'));
    expect([stdout, stderr, code]).toEqual(['', 't1: no passage has a word of the query\n', 0]);
    expect(JSON.parse((await t1(index('search', 'fruit', 'zebra', '--json'))).stdout)).toEqual({
      version: 1,
      query: 'zebra',
      hits: [],
    });
  });

  test('many queries: a line for each, in their order', async () => {
    const { stdout, code } = await t1(index('search', 'fruit', '--queries', at('queries.jsonl'), '-k', '2'));
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { version: 1, id: 'q1', hits: [{ id: 'plum', score: expect.any(Number) }] },
      { version: 1, id: '2', hits: [] },
    ]);
    expect(code).toBe(0);
  });
});

test('list and remove', async () => {
  const folderOfTwo = at('two');
  const here = (...args: string[]): string[] => ['index', ...args, '--index-dir', folderOfTwo];
  expect((await t1(here('list', '--json'))).stdout).toBe('{"version":1,"indexes":[]}\n');
  const added = await t1(here('add', 'fruit', at('fruit.jsonl'), '--json'));
  expect(JSON.parse(added.stdout)).toMatchObject({ name: 'fruit', added: 3, known: 0, passages: 3 });
  expect((await t1(here('add', 'fruit', at('fruit.jsonl')))).stdout).toBe(
    'fruit: 0 passages added, 1 of 1 files unchanged; 3 in all\n',
  );
  writeFileSync(join(folderOfTwo, 'old.sqlite'), 'x'.repeat(2000));
  expect(JSON.parse((await t1(here('list', '--json'))).stdout)).toMatchObject({
    indexes: [
      { name: 'fruit', passages: 3, sources: 1, stemming: true, complete: true },
      { name: 'old', error: expect.stringMatching(/^INDEX_CORRUPT: /) },
    ],
  });
  expect((await t1(here('list'))).stdout).toMatch(/fruit.*3.*\n(.*\n)*.*old.*INDEX_CORRUPT/);
  for (const name of ['fruit', 'old']) expect((await t1(here('remove', name))).code).toBe(0);
  expect(readdirSync(folderOfTwo)).toEqual([]);
  expect(existsSync(at('fruit.jsonl'))).toBe(true);
});

describe('interrupted', () => {
  const passages = randomPassages(60_000, { longest: 150, vocabulary: 20_000 });
  const whole = { fingerprint: '', passages: 0 };
  const read = (name: string): { fingerprint: string; passages: number; complete: boolean } => {
    const opened = KnowledgeIndex.open(name, { folder: indexes });
    opened.dispose();
    return { fingerprint: opened.fingerprint, passages: opened.passages, complete: opened.complete };
  };

  beforeAll(async () => {
    writeFileSync(at('many.jsonl'), asJsonl(passages));
    expect((await t1(index('add', 'whole', at('many.jsonl')))).code).toBe(0);
    Object.assign(whole, read('whole'));
  });

  /** Ends the command as soon as something is in the file. */
  async function endedBy(name: string, signal: NodeJS.Signals): Promise<Finished> {
    const { child, finished } = start(index('add', name, at('many.jsonl')));
    const path = join(indexes, `${name}.sqlite`);
    while (child.exitCode === null && (statSync(path, { throwIfNoEntry: false })?.size ?? 0) < 1 << 20)
      await setTimeout(10);
    child.kill(signal);
    return finished;
  }

  test('by Ctrl-C: one line, exit code 130, nothing lost; the same command continues', async () => {
    const ended = await endedBy('interrupted', 'SIGINT');
    expect(ended.stderr).toMatch(/^t1: ABORTED: .*the same command continues\n$/);
    expect(ended.code).toBe(130);
    const before = read('interrupted');
    expect(before.complete).toBe(false);
    expect(before.passages).toBeGreaterThan(0);
    const note = await t1(index('search', 'interrupted', 'w1', '-k', '1'));
    expect(note.stderr).toMatch(/^t1: interrupted is not complete, .*\n$/);
    const { stdout } = await t1(index('add', 'interrupted', at('many.jsonl'), '--json'));
    expect(JSON.parse(stdout)).toMatchObject({ known: before.passages, added: 60_000 - before.passages });
    expect(read('interrupted')).toEqual({ ...whole, complete: true });
  });

  test('by a kill: what was committed is there, the same command continues', async () => {
    expect((await endedBy('killed', 'SIGKILL')).signal).toBe('SIGKILL');
    expect((await t1(index('add', 'killed', at('many.jsonl')))).code).toBe(0);
    expect(read('killed')).toEqual({ ...whole, complete: true });
  });
});

test('a full disk ends it with one line; with room the same command continues', async ({ skip }) => {
  const disk = at('disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    skip('needs the right to mount a small file system');
  }
  try {
    writeFileSync(at('large.jsonl'), asJsonl(randomPassages(30_000, { longest: 100 })));
    const args = ['index', 'add', 'large', at('large.jsonl'), '--index-dir', disk];
    const full = await t1(args);
    expect(full.stderr).toMatch(/^t1: DISK_FULL: .+\n$/);
    expect(full.code).toBe(1);
    execFileSync('mount', ['-o', 'remount,size=100m', disk]);
    expect(JSON.parse((await t1([...args, '--json'])).stdout)).toMatchObject({ passages: 30_000 });
  } finally {
    execFileSync('umount', [disk]);
  }
});
