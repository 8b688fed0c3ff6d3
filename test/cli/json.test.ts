/** Every command that prints JSON, run for real: what it prints is what its schema says, no more and no less. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { outputJsonSchema, outputNames, outputSchemas } from '../../src/output/output-schemas.js';
import type { OutputName } from '../../src/output/versions.js';
import { shippedModel } from '../../src/paths.js';
import { t1, temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());
const at = (name: string): string => join(folder.path, name);
const PROBLEM = 'Mia has 4 stamps. Leo gives Mia 3 more. How many stamps does Mia have now?';
const db = ['--db', at('results.sqlite')];
const indexes = ['--index-dir', at('indexes')];

const jsonl = (...lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

const evaluate = (task: string, out: string, ...more: readonly string[]): string[] => [
  'eval',
  task,
  '--limit',
  '2',
  '-n',
  '2',
  ...db,
  '--out',
  at(out),
  '--json',
  ...more,
];

beforeAll(async () => {
  writeFileSync(
    at('pools.jsonl'),
    jsonl(
      ...[1, 2, 3].map((id) => ({
        id: String(id),
        gold: '7',
        category: id === 3 ? undefined : 'sums',
        candidates: [
          { answer: '7', reward: 0.9, tool: 'pass', generatedTokens: 10 },
          { answer: String(id), reward: 0.2, tool: 'fail', generatedTokens: 20, kind: 'wrong calculation' },
          { answer: null, reward: null, tool: 'unknown', generatedTokens: 5 },
        ],
      })),
    ),
  );
  writeFileSync(
    at('passages.jsonl'),
    jsonl({ id: 'apple', title: 'Apples', text: 'Apples grow.' }, { id: 'b', text: 'x' }),
  );
  writeFileSync(at('queries.jsonl'), jsonl({ id: 'q', text: 'apples' }, { id: 'none', text: 'zebra' }));
  writeFileSync(at('programs.jsonl'), jsonl({ id: 1, code: 'print(1)' }, { id: 'b', code: '1 / 0' }));
  writeFileSync(at('task.jsonl'), jsonl({ problem: PROBLEM, answer: '7' }));
  for (const [task, out] of [
    ['tiny', 'run'],
    ['arithmetic', 'claims'],
  ] as const) {
    const { code, stderr } = await t1(evaluate(task, out));
    expect(code, stderr).toBe(0);
  }
  expect((await t1(['index', 'add', 'fruit', at('passages.jsonl'), ...indexes])).code).toBe(0);
  writeFileSync(join(at('indexes'), 'damaged.sqlite'), 'x'.repeat(2000));
});

interface Line {
  readonly args: () => readonly string[];
  readonly stdin?: string;
  /** Where the JSON is; standard output when absent. */
  readonly on?: 'stderr';
  /** How it may end; with 0 when absent. */
  readonly codes?: readonly number[];
}

/** Command lines that between them print all there is to a schema, as far as the model that ships can. */
const lines: Readonly<Record<OutputName, readonly Line[]>> = {
  solve: [
    { args: () => ['solve', PROBLEM, '-n', '2', '--json', ...db] },
    { args: () => ['solve', PROBLEM, '-n', '2', '--verifier', 'steps', '--budget', 'adaptive', '--json', ...db] },
  ],
  sample: [{ args: () => ['sample', 'One, two,', '-n', '2', '--max-tokens', '4', '--json'] }],
  select: [
    { args: () => ['select', at('pools.jsonl'), '--json', '--resamples', '50'] },
    {
      args: () =>
        [
          'select',
          at('pools.jsonl'),
          '--json',
          '--resamples',
          '50',
          '--curve',
          '--by',
          'category',
          '--verifier',
          '--prefix',
        ].concat(['--compare', 'weighted', 'majority']),
    },
  ],
  python: [
    { args: () => ['python', '-', '--json'], stdin: 'print("a")\n6 * 7' },
    { args: () => ['python', '-', '--json'], stdin: 'import no_such_module', codes: [1] },
  ],
  'python batch': [{ args: () => ['python', '--batch', at('programs.jsonl')] }],
  'cache stats': [{ args: () => ['cache', 'stats', '--json', ...db] }],
  'cache clear': [{ args: () => ['cache', 'clear', '--json', '--db', at('empty.sqlite')] }],
  'index add': [{ args: () => ['index', 'add', 'fruit', at('passages.jsonl'), '--json', ...indexes] }],
  'index list': [{ args: () => ['index', 'list', '--json', ...indexes] }],
  'index search': [{ args: () => ['index', 'search', 'fruit', 'apples', '--json', ...indexes] }],
  'index search queries': [{ args: () => ['index', 'search', 'fruit', '--queries', at('queries.jsonl'), ...indexes] }],
  'inspect model': [{ args: () => ['inspect', 'model', '--json'] }],
  'inspect gpu': [{ args: () => ['inspect', 'gpu', '--json'] }],
  eval: [{ args: () => evaluate('tiny', 'run') }, { args: () => evaluate('arithmetic', 'claims') }],
  'eval progress': [{ args: () => evaluate('tiny', 'told', '--seed', '9', '--progress', 'json'), on: 'stderr' }],
  retry: [{ args: () => ['retry', at('run')] }],
  'runs ls': [{ args: () => ['runs', 'ls', '--folder', folder.path, '--json'] }],
  'runs show': [
    { args: () => ['runs', 'show', at('run'), '--json'] },
    { args: () => ['runs', 'show', at('claims'), '--json'] },
  ],
  'runs compare': [{ args: () => ['runs', 'compare', at('run'), at('run'), '--json'] }],
  'runs export': [{ args: () => ['runs', 'export', at('run')] }, { args: () => ['runs', 'export', at('claims')] }],
  'ls tasks': [{ args: () => ['ls', 'tasks', '--json'] }],
  distill: [
    {
      // The model that ships teaches itself: if nothing is worth keeping, the counts are printed all the same.
      codes: [0, 2],
      args: () =>
        [
          'distill',
          '--role',
          'tool',
          '--task',
          at('task.jsonl'),
          '--teacher',
          shippedModel,
          '--out',
          at('data'),
          '-n',
          '2',
        ].concat(['--completions', '1', '--show-answer', '--json', ...db]),
    },
  ],
  grade: [
    {
      args: () => ['grade', '--json', '-'],
      stdin: jsonl({ gold: '0.5', prediction: '1/2' }, { gold: '1', prediction: null }),
    },
  ],
};

test.each(outputNames)('%s', async (name) => {
  for (const { args, stdin, on = 'stdout', codes = [0] } of lines[name]) {
    const result = await t1(args(), stdin === undefined ? {} : { stdin });
    expect(codes, result.stderr).toContain(result.code);
    const printed = result[on].split('\n').filter((line) => line.startsWith('{') || (on === 'stdout' && line !== ''));
    expect(printed.length).toBeGreaterThan(0);
    for (const line of printed) {
      const value = JSON.parse(line) as unknown;
      // Schemas of what is kept in files leave out what they do not know; here nothing may be left out.
      expect(outputSchemas[name].parse(value)).toEqual(value);
      expect(line).toMatch(/^\{"version":1,/);
    }
  }
});

test('t1 schema prints what there is, and each as JSON Schema', async () => {
  expect((await t1(['schema'])).stdout).toBe(`${outputNames.join('\n')}\n`);
  expect(JSON.parse((await t1(['schema', 'runs', 'show'])).stdout)).toEqual(outputJsonSchema('runs show'));
  const wrong = await t1(['schema', 'runs', 'shew']);
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toMatch(
    /^t1: USAGE: nothing is printed as JSON by 'runs shew' \(did you mean runs show\?\): .+\n$/,
  );
});
