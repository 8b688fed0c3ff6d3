/** `t1 grade` as a user runs it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start, t1, temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
const jsonl = (...pairs: unknown[]) => pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('');
const HANGS = `${'|'.repeat(61)}1`;

beforeAll(() => {
  mkdirSync(at('folder'));
  writeFileSync(
    at('pairs.jsonl'),
    jsonl(
      { gold: '1/2', prediction: '0.5' },
      { gold: 'x+1', prediction: '1+x', id: 'left alone' },
      { gold: '2', prediction: '3' },
    ),
  );
  writeFileSync(at('latin1.jsonl'), Buffer.from([0x7b, 0xff, 0x0a]));
});
afterAll(() => folder.remove());

test('one object for each line, in order', async () => {
  const { stdout, stderr, code } = await t1(['grade', '--json', at('pairs.jsonl')]);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { version: 1, equal: true, extracted: '0.5', why: 'the same number' },
    { version: 1, equal: true, extracted: '1+x', why: 'the same expression' },
    { version: 1, equal: false, extracted: '3', why: 'different numbers' },
  ]);
  expect([stderr, code]).toEqual(['', 0]);
});

test('standard input, numbers, null, blank lines, no line break at the end', async () => {
  const stdin = `${jsonl({ gold: 5, prediction: '5' })}\n${jsonl({ gold: null, prediction: '0' }).trimEnd()}`;
  const { stdout } = await t1(['grade', '--json', '-'], { stdin });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { equal: unknown }).equal),
  ).toEqual([true, false]);
});

test('an empty file has no results', async () =>
  expect(await t1(['grade', '--json', '-'], { stdin: '' })).toMatchObject({ stdout: '', code: 0 }));

test('whole solutions and choices', async () => {
  const stdin = jsonl(
    { gold: 'C', prediction: "Let's think. The answer is (C)." },
    { gold: 'B', prediction: 'Answer: A' },
  );
  const { stdout } = await t1(['grade', '--json', '--kind', 'choice', '--from-text', '-'], { stdin });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toMatchObject([
    { equal: true, extracted: 'C' },
    { equal: false, extracted: 'A' },
  ]);
});

test('for people: a mark for each line, and a sum', async () => {
  const { stdout } = await t1(['grade', at('pairs.jsonl')]);
  expect(stdout).toBe(
    '= 0.5  (the same number)\n= 1+x  (the same expression)\n≠ 3  (different numbers)\n2 equal, 1 different, 0 undecided\n',
  );
});

test('a comparison beyond the limit is undecided, never equal', async () => {
  const { stdout, code } = await t1(['grade', '--json', '--timeout', '300', '-'], {
    stdin: jsonl({ gold: '2', prediction: HANGS }, { gold: '1', prediction: '1' }),
  });
  const [first, second] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { equal: unknown });
  expect([first?.equal, second?.equal, code]).toEqual([null, true, 0]);
});

test('Ctrl-C ends it at once', async () => {
  const { child, finished } = start(['grade', '--json', '--timeout', '600000', '-'], {
    stdin: jsonl({ gold: '1', prediction: '1' }, { gold: '2', prediction: HANGS }),
  });
  child.stdout?.once('data', () => child.kill('SIGINT'));
  const { code, stderr } = await finished;
  expect(code).toBe(130);
  expect(stderr).toMatch(/^t1: ABORTED: .+\n$/);
});

describe('one line, the right exit code, nothing on standard output', () => {
  test.each([
    ['a missing file', () => [at('absent.jsonl')], 'FILE_NOT_FOUND', ''],
    ['a folder', () => [at('folder')], 'FILE_NOT_FOUND', ''],
    ['no file', () => [], 'USAGE', ''],
    ['not JSON', () => ['-'], 'INPUT', 'gold\n'],
    ['not an object', () => ['-'], 'INPUT', '[1]\n'],
    ['no prediction', () => ['-'], 'INPUT', '{"gold":"1"}\n'],
    ['a prediction that is no text', () => ['-'], 'INPUT', '{"gold":"1","prediction":[1]}\n'],
    ['not UTF-8', () => [at('latin1.jsonl')], 'INPUT', ''],
    ['an unknown kind', () => ['--kind', 'essay', '-'], 'USAGE', ''],
    ['a limit of nothing', () => ['--timeout', '0', '-'], 'USAGE', ''],
    ['no workers', () => ['--workers', '0', '-'], 'USAGE', ''],
    ['too many choices', () => ['--choices', '27', '-'], 'USAGE', ''],
    ['half a decimal', () => ['--decimals', '0.5', '-'], 'USAGE', ''],
  ])('%s', async (_name, args, code, stdin) => {
    const result = await t1(['grade', '--json', ...args()], { stdin });
    expect(result.stderr).toMatch(new RegExp(`^t1: ${code}: .+\n$`));
    expect([result.code, result.stdout]).toEqual([2, '']);
  });

  test('a bad line is named, and what was before it is printed', async () => {
    const { stdout, stderr, code } = await t1(['grade', '--json', '-'], {
      stdin: `${jsonl({ gold: '1', prediction: '1' })}oops\n`,
    });
    expect(stderr).toMatch(/^t1: INPUT: standard input:2: /);
    expect([stdout.split('\n').length - 1, code]).toEqual([1, 2]);
  });
});
