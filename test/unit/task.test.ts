/** Benchmarks as data: files read, fetched and drawn. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verdictOf } from '../../src/runs/arithmetic-run.js';
import { wilson } from '../../src/statistics/wilson.js';
import { packageRoot } from '../../src/paths.js';
import { arithmeticClaims } from '../../src/task/arithmetic-task.js';
import { fetchTask } from '../../src/task/fetch.js';
import { inCategories, readTaskFile } from '../../src/task/task-problems.js';
import { builtInTasks, ownTask, taskNamed } from '../../src/task/task.js';
import { codeOf } from '../support/code-of.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 't1-task-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe('built-in tasks', () => {
  test.each(builtInTasks().map((task) => [task.name, task] as const))(
    '%s says where its data is, and what it must be',
    (_, { data, source }) => {
      expect(source).toMatch(/MIT|Apache|this package/);
      if (data.url !== undefined) expect(data.sha256).toMatch(/^[0-9a-f]{64}$/);
    },
  );

  test.each([
    ['gsm8k', '{"question": "2+2?", "answer": "2+2 = <<2+2=4>>4\\n#### 4"}', { problem: '2+2?', gold: '4' }],
    ['gsm8k', '{"question": "a lot?", "answer": "#### 1,234"}', { gold: '1,234' }],
    [
      'math500',
      '{"problem": "p", "solution": "s", "answer": "\\\\frac{1}{2}", "subject": "Algebra", "level": 3, "unique_id": "test/x.json"}',
      { id: 'test/x.json', gold: '\\frac{1}{2}', category: 'Algebra', level: '3' },
    ],
    [
      'svamp',
      '[{"ID": "chal-1", "Body": "He has 3", "Question": "How many? ", "Answer": 3.0, "Type": "Sum"}]',
      { id: 'chal-1', problem: 'He has 3. How many?', category: 'Sum' },
    ],
    [
      'mmlu-pro',
      '{"question_id": 70, "question": "Which?", "options": ["one", "two"], "answer": "B", "category": "law"}',
      { id: '70', problem: 'Which?\n\nA. one\nB. two', gold: 'B', category: 'law' },
    ],
  ])('%s', async (name, content, expected) => {
    const { problems } = await readTaskFile(taskNamed(name), file('data', content));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject(expected);
  });

  test('tiny ships', async () => {
    const task = taskNamed('tiny');
    const { problems } = await readTaskFile(task, join(packageRoot, task.data.file ?? ''));
    expect(problems.length).toBe(200);
  });

  describe('the questions of VersaPRM', () => {
    const ids = readFileSync(join(packageRoot, 'src', 'task', 'data', 'ids', 'versaprm.txt'), 'utf8')
      .split('\n')
      .filter((line) => /^\d+$/.test(line));
    const lines = (numbers: readonly string[]): string =>
      numbers
        .map((id) =>
          JSON.stringify({
            question_id: Number(id),
            question: 'Which?',
            options: ['one', 'two'],
            answer: 'B',
            category: 'law',
          }),
        )
        .join('\n');

    test('are chosen from the whole split', async () => {
      const task = taskNamed('mmlu-pro-versaprm');
      const { problems } = await readTaskFile(task, file('data.jsonl', lines(['0', ...ids, '99999'])));
      expect(problems.map(({ id }) => id)).toEqual(ids);
      expect(ids).toHaveLength(2063);
      expect(task).toMatchObject({ extract: 'choice', fields: taskNamed('mmlu-pro').fields });
    });

    test('and their file is that of the whole split', () =>
      expect(taskNamed('mmlu-pro-versaprm').data).toEqual(taskNamed('mmlu-pro').data));

    test('a part of the split is refused', async () => {
      await expect(
        readTaskFile(taskNamed('mmlu-pro-versaprm'), file('data.jsonl', lines(ids.slice(2)))),
      ).rejects.toMatchObject({
        code: 'INPUT',
        message: expect.stringMatching(/lacks 2 of the 2063 problems/) as unknown,
      });
    });
  });

  test('categories, in whatever case; an unknown one is refused with those there are', () => {
    const problems = ['Law', 'health', 'Law'].map((category, i) => ({
      id: String(i),
      problem: 'p',
      gold: 'g',
      category,
    }));
    expect(inCategories(problems, ['law']).map(({ id }) => id)).toEqual(['0', '2']);
    expect(inCategories(problems, ['Health', 'law'])).toHaveLength(3);
    expect(inCategories(problems, [])).toBe(problems);
    expect(() => inCategories(problems, ['biology'])).toThrow(/'biology': known are Law, health/);
  });

  test('an unknown one is refused with those there are', () =>
    expect(() => taskNamed('gsm8')).toThrow(/gsm8k, math500/));
});

describe('a file of the user', () => {
  test('JSONL, JSON, CSV, compressed or not, with other names', async () => {
    const rows = [
      { q: 'a "b", c', a: '1' },
      { q: 'ü', a: '2' },
    ];
    const lines = rows.map((row) => JSON.stringify(row)).join('\n');
    const csv = 'q,a\n"a ""b"", c",1\nü,2\n';
    const paths = [
      file('x.jsonl', lines),
      file('x.json', JSON.stringify(rows)),
      file('x.csv', csv),
      file('x.jsonl.gz', gzipSync(lines)),
      file('y.csv.gz', gzipSync(csv)),
    ];
    for (const path of paths) {
      const { problems } = await readTaskFile(ownTask(path, { problem: 'q', answer: 'a' }), path);
      expect(problems).toEqual([
        { id: '0', problem: 'a "b", c', gold: '1', category: undefined, level: undefined },
        { id: '1', problem: 'ü', gold: '2', category: undefined, level: undefined },
      ]);
    }
  });

  test.each([
    ['x.jsonl', '{"problem": "a", "answer": "1"}\n{', /line 2 is not JSON/],
    ['x.jsonl', '{"problem": "a"}', /line 1 has no answer: name its column with map answer=COLUMN/],
    [
      'x.jsonl',
      '{"id": 1, "problem": "a", "answer": "1"}\n{"id": 1, "problem": "b", "answer": "1"}',
      /two problems with the id '1'/,
    ],
    ['x.jsonl', '', /holds no problem/],
    ['x.json', '{}', /no JSON of records/],
    ['x.csv', 'problem,answer\n"a', /no CSV of records/],
    ['x.jsonl', Buffer.from([0xff, 0xfe, 0x41]), /no UTF-8/],
    ['x.jsonl', Buffer.from([0x1f, 0x8b, 0x08, 0]), /damaged/],
  ])('%s with %j is refused', async (name, content, message) => {
    const path = file(name, content);
    await expect(readTaskFile(ownTask(path, {}), path)).rejects.toThrow(message);
  });

  test('one that is not there', async () => {
    await expect(readTaskFile(ownTask('absent', {}), join(folder, 'absent'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });
});

describe('Parquet', () => {
  const fixture = (codec: string): string => join(packageRoot, 'test', 'fixtures', 'parquet', `${codec}.parquet`);

  test.each(['snappy', 'gzip', 'brotli'])('%s, several row groups', async (codec) => {
    const { problems, sha256 } = await readTaskFile(taskNamed('mmlu-pro'), fixture(codec));
    expect(problems).toEqual([
      {
        id: '70',
        problem: 'Which is a prime number?\n\nA. 4\nB. 9\nC. 11\nD. 15',
        gold: 'C',
        category: 'math',
        level: undefined,
      },
      {
        id: '71',
        problem: 'Which café word is French?\n\nA. tea\nB. crème',
        gold: 'B',
        category: 'other',
        level: undefined,
      },
      {
        id: '9007199254740993',
        problem: 'Which is the largest?\n\nA. 1\nB. 2\nC. 3',
        gold: 'C',
        category: 'math',
        level: undefined,
      },
    ]);
    expect(sha256).toBe(
      createHash('sha256')
        .update(readFileSync(fixture(codec)))
        .digest('hex'),
    );
  });

  test('of the user, whatever its name; dates and numbers are text', async () => {
    const content = readFileSync(fixture('snappy'));
    for (const name of ['own.parquet', 'own.data']) {
      const path = file(name, content);
      const { problems } = await readTaskFile(
        ownTask(path, { id: 'question_id', problem: 'question', answer: 'answer_index', level: 'asked' }),
        path,
      );
      expect(problems[0]).toMatchObject({ id: '70', gold: '2', level: '2026-01-02T00:00:00.000Z' });
    }
  });

  test.each([
    ['cut short', (content: Buffer) => content.subarray(0, -200)],
    ['another file with this name', () => Buffer.from('{"question": "2+2?"}')],
    ['empty', () => Buffer.alloc(0)],
    ['bytes that are not what they were', (content: Buffer) => Buffer.from(content).fill(0xff, 40, 400)],
  ])('%s is refused', async (_, damaged) => {
    const path = file('x.parquet', damaged(readFileSync(fixture('snappy'))));
    await expect(readTaskFile(taskNamed('mmlu-pro'), path)).rejects.toMatchObject({
      code: 'INPUT',
      message: expect.stringContaining(path) as unknown,
    });
  });

  test('a compression that is not read is named', async () => {
    await expect(readTaskFile(taskNamed('mmlu-pro'), fixture('zstd'))).rejects.toMatchObject({
      code: 'INPUT',
      message: expect.stringContaining('ZSTD is not read: write it with Snappy') as unknown,
    });
  });
});

describe('fetching', () => {
  const content = Buffer.from('{"problem": "a", "answer": "1"}\n'.repeat(5000));
  const pinned = createHash('sha256').update(content).digest('hex');
  let server: Server;
  let ranges: (string | undefined)[];
  let most: number;
  beforeEach(async () => {
    ranges = [];
    most = Infinity;
    server = createServer((request, response) => {
      const { range } = request.headers;
      ranges.push(range);
      const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      const rest = content.subarray(from);
      response.writeHead(range === undefined ? 200 : 206, { 'content-length': rest.length });
      if (rest.length <= most) response.end(rest);
      else response.write(rest.subarray(0, most), () => setTimeout(() => response.destroy(), 50));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));
  const task = (sha256 = pinned) => ({
    ...taskNamed('gsm8k'),
    data: { format: 'jsonl' as const, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, sha256 },
  });

  test('once, with progress', async () => {
    const sizes: number[] = [];
    const path = await fetchTask(task(), { folder, onProgress: ({ downloadedSize }) => sizes.push(downloadedSize) });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(sizes.at(-1)).toBe(content.length);
    expect(await fetchTask(task(), { folder })).toBe(path);
    expect(ranges).toHaveLength(1);
  });

  test('goes on where it broke off', async () => {
    most = 20_000;
    await expect(fetchTask(task(), { folder })).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
    most = Infinity;
    expect(readFileSync(await fetchTask(task(), { folder })).equals(content)).toBe(true);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  test('another content is not believed, nor kept', async () => {
    await expect(fetchTask(task('0'.repeat(64)), { folder })).rejects.toMatchObject({
      code: 'DATA_UNAVAILABLE',
      message: expect.stringContaining('has changed') as unknown,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('without a home, and without a network', async () => {
    await expect(fetchTask(ownTask('x.jsonl', {}), { folder })).rejects.toMatchObject({
      code: 'DATA_UNAVAILABLE',
      message: expect.stringContaining('give the file with data') as unknown,
    });
    const gone = { ...task(), data: { ...task().data, url: 'http://127.0.0.1:9/x' } };
    await expect(fetchTask(gone, { folder })).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
  });
});

describe('arithmetic', () => {
  const claims = arithmeticClaims(50, 1);
  const sides = (text: string): [number, number] => {
    const [left = '', right = ''] = text.split(' = ');
    const sum = left.split(/ (?=[+-])/).reduce((total, term) => total + Number(term.replace(' ', '')), 0);
    return [sum, Number(right)];
  };

  test('as many operands of three digits as it says, half of the claims right, the others off by at most 5 %', () => {
    expect(claims).toHaveLength(8 * 100);
    for (const { text, operands, right } of claims) {
      const numbers = text.split(' = ')[0]?.match(/\d+/g) ?? [];
      expect(numbers).toHaveLength(operands);
      for (const number of numbers) expect(number).toMatch(/^[1-9]\d\d$/);
      const [sum, stated] = sides(text);
      expect(sum === stated).toBe(right);
      expect(Math.abs(sum - stated)).toBeLessThanOrEqual(Math.max(1, 0.05 * Math.abs(sum)));
    }
    expect(claims.filter(({ right }) => right)).toHaveLength(400);
  });

  test('the same for the same seed, others for another', () => {
    expect(arithmeticClaims(50, 1)).toEqual(claims);
    expect(arithmeticClaims(50, 2).filter(({ text }, i) => text === claims[i]?.text)).toEqual([]);
    expect(new Set(claims.map(({ text }) => text)).size).toBe(claims.length);
    expect(claims.filter(({ text }) => text.includes(' - ')).length).toBeGreaterThan(500);
  });

  test.each([
    ['So it is False? No: True', true],
    ['True\nFalse', false],
    ['The calculation is incorrect\n', false],
    ['The calculation is correct', true],
    ['perhaps', null],
  ])('%j says %s', (text, verdict) => expect(verdictOf(text)).toBe(verdict));
});

test.each([
  [0, 0, [0, 1]],
  [0, 10, [0, 0.2775]],
  [5, 10, [0.2366, 0.7634]],
  [10, 10, [0.7225, 1]],
  [95, 100, [0.8882, 0.9785]],
])('Wilson interval of %i of %i', (right, trials, [low = 0, high = 1]) => {
  const [from, to] = wilson(right, trials);
  expect(from).toBeCloseTo(low, 4);
  expect(to).toBeCloseTo(high, 4);
});

test('codes', () => expect(codeOf(() => taskNamed('x'))).toBe('USAGE'));
