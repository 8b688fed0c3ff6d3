/** What a user can get wrong: one clear line, the right exit code, nothing on standard output, nothing lost. */
import { spawnSync } from 'node:child_process';
import { packageRoot } from '../../src/paths.js';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedModel } from '../../src/paths.js';
import { t1, temporaryFolder } from '../support/t1.js';

const PROBLEM = 'Mia has 94 stamps. Leo gives Mia 78 more. How many stamps does Mia have?';
const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);

beforeAll(() => {
  const model = readFileSync(shippedModel);
  writeFileSync(at('truncated.gguf'), model.subarray(0, model.length >> 1));
  writeFileSync(at('header-only.gguf'), model.subarray(0, 64));
  writeFileSync(at('empty.gguf'), '');
  writeFileSync(at('text.gguf'), 'this is no model\n'.repeat(1000));
  const broken = Buffer.from(model);
  broken.fill(0xff, 24, 4096); // metadata
  writeFileSync(at('broken.gguf'), broken);
  writeFileSync(at('corrupt.sqlite'), 'not a database '.repeat(1000));
  writeFileSync(at('file'), '');
  mkdirSync(at('folder'));
});
afterAll(() => folder.remove());

const solve = (...args: string[]) => ['solve', PROBLEM, '--db', at('bad-input.sqlite'), ...args];

const CASES: [name: string, args: () => string[], code: string, exit: number, stdin?: string][] = [
  ['missing model', () => solve('-m', at('absent.gguf')), 'FILE_NOT_FOUND', 2],
  ['model is a folder', () => solve('-m', at('folder')), 'FILE_NOT_FOUND', 2],
  ['truncated GGUF', () => solve('-m', at('truncated.gguf')), 'MODEL_INVALID', 2],
  ['GGUF cut in its header', () => solve('-m', at('header-only.gguf')), 'MODEL_INVALID', 2],
  ['empty file as model', () => solve('-m', at('empty.gguf')), 'MODEL_INVALID', 2],
  ['not a GGUF', () => solve('-m', at('text.gguf')), 'MODEL_INVALID', 2],
  ['broken GGUF', () => solve('-m', at('broken.gguf')), 'MODEL_INVALID', 2],
  ['missing reward model', () => solve('--reward-model', at('absent.gguf')), 'FILE_NOT_FOUND', 2],
  ['reward model is no GGUF', () => solve('--reward-model', at('text.gguf')), 'MODEL_INVALID', 2],
  ['empty problem', () => ['solve', ''], 'INPUT', 2],
  ['blank problem', () => ['solve', ' \n '], 'INPUT', 2],
  ['empty standard input', () => ['solve', '-'], 'INPUT', 2, ''],
  ['1 MB problem', () => ['solve', '-'], 'INPUT', 2, 'How many? '.repeat(100_000)],
  [
    'problem longer than the context',
    () => ['solve', '-', '--db', at('bad-input.sqlite')],
    'PROMPT_TOO_LONG',
    2,
    'How many? '.repeat(10_000),
  ],
  ['missing adapter', () => solve('--adapter-tool', at('absent.gguf')), 'FILE_NOT_FOUND', 2],
  ['adapter is a model', () => solve('--adapter-reward', shippedModel), 'ADAPTER_INVALID', 2],
  ['adapter is no GGUF', () => solve('--adapter-reward', at('text.gguf')), 'ADAPTER_INVALID', 2],
  ['N = 0', () => solve('-n', '0'), 'USAGE', 2],
  ['N = 100000', () => solve('--n-samples', '100000'), 'USAGE', 2],
  ['N is no number', () => solve('--n-samples', 'many'), 'USAGE', 2],
  ['N without a value', () => solve('--n-samples'), 'USAGE', 2],
  ['negative temperature', () => solve('--temp', '-1'), 'USAGE', 2],
  ['top-p of 0', () => solve('--top-p', '0'), 'USAGE', 2],
  ['seed beyond 32 bits', () => solve('--seed', '4294967296'), 'USAGE', 2],
  ['unknown strategy', () => solve('--select', 'best'), 'USAGE', 2],
  ['unknown fallback', () => solve('--fallback', 'guess'), 'USAGE', 2],
  ['missing grammar', () => ['sample', 'hi', '--grammar', at('absent.gbnf')], 'FILE_NOT_FOUND', 2],
  ['a grammar that is none', () => ['sample', 'hi', '--grammar', at('text.gguf')], 'USAGE', 2],
  ['unknown device', () => solve('--device', 'Tape0'), 'USAGE', 2],
  ['memory without a unit we know', () => solve('--memory', '4 pounds'), 'USAGE', 2],
  ['memory for not even one sequence', () => solve('--memory', '1k'), 'OUT_OF_MEMORY', 1],
  ['no threads', () => solve('--threads', '0'), 'USAGE', 2],
  ['unknown KV layout', () => solve('--kv', 'paged'), 'USAGE', 2],
  ['quantised KV without flash attention', () => solve('--kv-type', 'q8_0', '--flash-attention', 'off'), 'USAGE', 2],
  ['a context that the problem does not fit into', () => solve('--context', '20'), 'PROMPT_TOO_LONG', 2],
  ['unknown flag', () => solve('--tempature', '1'), 'USAGE', 2],
  ['unknown command', () => ['slove', PROBLEM], 'USAGE', 2],
  ['no command', () => [], 'USAGE', 2],
  ['database below a file', () => ['solve', PROBLEM, '--db', at('file/results.sqlite')], 'STORE_UNAVAILABLE', 1],
  ['database is a folder', () => ['solve', PROBLEM, '--db', at('folder')], 'STORE_UNAVAILABLE', 1],
  ['database without a name', () => ['solve', PROBLEM, '--db', ''], 'USAGE', 2],
  ['corrupt database', () => ['solve', PROBLEM, '--db', at('corrupt.sqlite')], 'STORE_CORRUPT', 1],
  ['missing Python file', () => ['python', at('absent.py')], 'FILE_NOT_FOUND', 2],
  ['unknown cache action', () => ['cache', 'burn'], 'USAGE', 2],
];

describe('one line, the right exit code, nothing on standard output', () => {
  test.each(CASES)('%s', async (_name, args, code, exit, stdin = '') => {
    const result = await t1(args(), { stdin });
    expect(result.stderr).toMatch(new RegExp(`^t1: ${code}: .+\n$`));
    expect(result.code).toBe(exit);
    expect(result.stdout).toBe('');
  });

  const SAID: [name: string, args: () => string[], text: RegExp][] = [
    [
      'the limit of N',
      () => solve('--n-samples', '100000'),
      /--n-samples: must be a whole number from 1 to 65536, not 100000/,
    ],
    [
      "llama.cpp's endless -n",
      () => solve('-n', '-1'),
      /not -1: candidates are counted; llama.cpp's -n is --max-tokens/,
    ],
    ['a number that is none', () => solve('--temp', 'warm'), /--temp: must lie in \[0, 100\], not 'warm'/],
    ['a value that is nearly right', () => solve('--select', 'wieghted'), /--select: .*did you mean weighted\?/],
    ['a value that is missing', () => solve('--seed'), /--seed: its value is missing/],
    ['an unknown flag', () => solve('--tempature', '1'), /no flag --tempature: did you mean --temp\?/],
    ['the opposite of an unknown flag', () => solve('--no-cahce'), /no flag --no-cahce: did you mean --no-cache\?/],
    ['an unknown letter', () => solve('-x'), /no flag -x /],
    ['an unknown command', () => ['slove', PROBLEM], /no command slove: did you mean solve\?/],
    ['an unknown action', () => ['index', 'serach', 'x', 'y'], /no command serach: did you mean search\?/],
    ['a problem without quotes', () => ['solve', ...PROBLEM.split(' ')], /split the problem .*'Mia', 'has'.*quotes/],
    [
      'one without quotes, after flags',
      () => ['solve', '-n', '2', 'Mia', 'has'],
      /split the problem .*'Mia', 'has'.*quotes/,
    ],
    ['words with commas', () => ['solve', 'Mia,', 'Leo,', 'Ann'], /split the problem .*'Mia,', 'Leo,'.*quotes/],
    ['a word too many', () => ['cache', 'stats', 'now'], /'now' is one word too many/],
    ['a word that is missing', () => ['eval'], /<task> is missing/],
    ["llama.cpp's name for the limit of tokens", () => solve('--n-predict', '9'), /--n-predict: .*--max-tokens/],
    ['another file for the database', () => solve('--db', at('corrupt.sqlite')), /name another --db\n/],
    ['two that exclude each other', () => solve('--kv-type', 'q8_0', '-fa', 'off'), /--kv-type: .*--flash-attention/],
    ['a sandbox that is not there', () => solve('--sympy', at('absent')), /--sympy: there is no/],
    ['a problem and a file', () => solve('-f', at('text.gguf')), /--file: give the problem or a file/],
  ];
  test.each(SAID)('%s is named', async (_name, args, text) => {
    const { stderr, code } = await t1(args());
    expect(stderr).toMatch(text);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(stderr.includes('STORE_CORRUPT') ? 1 : 2);
  });

  test('a corrupt database is left as it is', async () => {
    expect(readFileSync(at('corrupt.sqlite'), 'utf8')).toBe('not a database '.repeat(1000));
  });
});

test("a problem from a file, with llama.cpp's flags", async () => {
  writeFileSync(at('problem.txt'), PROBLEM);
  const db = ['--db', at('file.sqlite'), '--json', '-n', '1'];
  const fromFile = await t1([
    'solve',
    '-f',
    at('problem.txt'),
    '-ngl',
    '0',
    '-fa',
    'auto',
    '-c',
    '512',
    '-s',
    '7',
    ...db,
  ]);
  expect(fromFile.code).toBe(0);
  const inQuotes = await t1(['solve', PROBLEM, '--seed', '7', ...db]);
  const texts = ({ stdout }: typeof fromFile) =>
    (JSON.parse(stdout) as { candidates: { text: string }[] }).candidates.map(({ text }) => text);
  expect(texts(fromFile)).toEqual(texts(inQuotes));
});

test('a full disk ends the run with one line, and what was stored stays', async ({ skip }) => {
  const disk = at('disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    skip('needs the right to mount a small file system');
  }
  try {
    const db = join(disk, 'results.sqlite');
    const args = (n: string) => ['solve', PROBLEM, '--db', db, '-n', n, '--json'];
    const first = await t1(args('2'));
    expect(first.code).toBe(0);
    const full = await t1(args('256'));
    expect(full.stderr.trim().split('\n').at(-1)).toMatch(/^t1: DISK_FULL: /);
    expect(full.code).toBe(1);
    copyFileSync(db, at('rescued.sqlite'));
    const again = await t1(args('2'));
    expect(JSON.parse(again.stdout).usage.decodedTokens).toBe(0);
  } finally {
    execFileSync('umount', [disk]);
  }
});

test.skipIf(process.platform !== 'linux')('what cannot be written is told, and is no success', () => {
  const command = `"${process.execPath}" "${join(packageRoot, 'dist', 'cli.js')}" schema > /dev/full`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^t1: DISK_FULL: cannot write standard output [^\n]+\n$/),
  ]);
});
