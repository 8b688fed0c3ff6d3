/** `t1 select` as a user runs it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { meanOf } from '../../src/statistics/bootstrap.js';
import { outcomesOf } from '../../src/statistics/outcomes.js';
import { poolsOf } from '../../src/statistics/pools.js';
import { randomProblems } from '../support/pools.js';
import { t1, temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());
const file = (name: string, content: string | Buffer) => {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
};
const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const problems = randomProblems(1, 30, 8).map((problem, i) => ({ ...problem, level: 1 + (i % 3) }));
const pool = file('pool.jsonl', lines(problems));
const json = async (...args: string[]) => {
  const result = await t1(['select', ...args, '--json', '--resamples', '200']);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout);
};

test('answers that are the same count together, however they are written', async () => {
  const written = file(
    'written.jsonl',
    lines([
      { id: 1, gold: '0.5', candidates: ['3', '3', '\\frac12', '\\frac{4}{8}', '50\\%'].map((answer) => ({ answer })) },
    ]),
  );
  expect(await json(written)).toMatchObject({
    n: 5,
    strategies: { mean: { accuracy: 0.6 }, majority: { accuracy: 1 }, oracle: { accuracy: 1 } },
  });
});

test('prints what the library says', async () => {
  const result = await json(pool);
  expect(result).toMatchObject({
    n: 8,
    problems: 30,
    seeds: 1,
    fallback: 'reward',
    unknown: 'fail',
    leftOut: { greedy: expect.any(String) },
  });
  expect(Object.keys(result.strategies)).toEqual([
    'mean',
    'oracle',
    'majority',
    'best-of-n',
    'reward',
    'tool',
    'weighted',
  ]);
  const { accuracy } = await outcomesOf(poolsOf(randomProblems(1, 30, 8)), { sizes: [8] });
  for (const [name, values] of accuracy)
    expect(result.strategies[name].accuracy).toBe(meanOf(values[0] ?? new Float64Array()));
});

test('standard input; every way to write a verdict and an answer', async () => {
  const candidates = [
    { answer: 4, tool: false, reward: 0.9 },
    { text: 'So it is \\boxed{5}.', tool: true, reward: 0.2 },
    { answer: '5.0', tool: 'pass', reward: 0.2 },
    { answer: '4', tool: null, reward: 0.9 },
    { text: 'I do not know.', tool: 'unknown', reward: null },
  ];
  const result = await t1(['select', '-', '--json'], {
    stdin: lines([{ id: 1, gold: 5, candidates, greedy: { text: '\\boxed{5}' } }]),
  });
  const { strategies } = JSON.parse(result.stdout);
  const right = Object.entries(strategies as Record<string, { accuracy: number }>).map(([name, { accuracy }]) => [
    name,
    accuracy,
  ]);
  expect(right).toEqual([
    ['mean', 0.4],
    ['oracle', 1],
    ['greedy', 1],
    ['majority', 0],
    ['best-of-n', 1],
    ['reward', 0],
    ['tool', 1],
    ['weighted', 1],
  ]);
});

test('--curve, --compare, --by, --verifier, --prefix', async () => {
  const result = await json(
    pool,
    '--curve',
    '--compare',
    'weighted',
    'majority',
    '--by',
    'level',
    '--verifier',
    '--prefix',
  );
  expect(result.curve.map(({ n }: { n: number }) => n)).toEqual([1, 2, 4, 8]);
  expect(result.curve[3].strategies).toEqual(result.strategies);
  expect(result.compare).toMatchObject({ a: 'weighted', b: 'majority', n: 8 });
  expect(result.compare.difference).toBeCloseTo(
    result.strategies.weighted.accuracy - result.strategies.majority.accuracy,
    12,
  );
  expect(result.by.parts.map(({ name, problems: count }: { name: string; problems: number }) => [name, count])).toEqual(
    [
      ['1', 10],
      ['2', 10],
      ['3', 10],
    ],
  );
  expect(result.verifier).toMatchObject({ candidates: 240, judges: { tool: {}, reward: {}, both: {} } });
  expect(result.subsets).toBe('prefix');
});

test('pools of unequal size, and candidates that were not asked about: whole pools, with marks', async () => {
  const unequal = file(
    'unequal.jsonl',
    lines(
      problems.map((problem, i) => ({
        ...problem,
        candidates: problem.candidates
          .slice(0, i < 10 ? 3 : 8)
          .map((candidate, c) => (i === 0 && c === 0 ? { answer: '1', tool: 'skipped', reward: 0.5 } : candidate)),
      })),
    ),
  );
  const result = await json(unequal, '--curve');
  expect(result).toMatchObject({
    n: 8,
    smaller: 10,
    skipped: { tool: 1, reward: 0 },
    partial: { weighted: 1, tool: 1 },
  });
  expect(result.partial.majority).toBeUndefined();
  expect(
    result.curve.map(({ n, smaller, strategies }: { n: number; smaller: number; strategies: object }) => [
      n,
      smaller,
      'weighted' in strategies,
    ]),
  ).toEqual([
    [1, 0, false],
    [2, 0, false],
    [4, 10, true],
    [8, 10, true],
  ]);
  const two = await json(unequal, '-n', '2');
  expect(two.leftOut.weighted).toMatch(/whole pools only/);
  expect(Object.keys(two.strategies)).toEqual(['mean', 'oracle', 'majority', 'reward']);
});

test('-n: one N, or a curve over several; the same seed, the same figures', async () => {
  const one = await json(pool, '-n', '4', '--select', 'majority,weighted');
  expect(one).toMatchObject({ n: 4 });
  expect(one.curve).toBeUndefined();
  expect(Object.keys(one.strategies)).toEqual(['majority', 'weighted']);
  const several = await json('-n', '4,2', pool, '--select', 'majority,weighted');
  expect(several.curve.map(({ n }: { n: number }) => n)).toEqual([2, 4]);
  expect(several.strategies).toEqual(one.strategies);
  expect((await json(pool, '-n', '4', '--seed', '1')).strategies.weighted).not.toEqual(one.strategies.weighted);
});

test('strategies that are compared need not be selected too', async () => {
  expect(Object.keys((await json(pool, '--select', 'tool', '--compare', 'weighted', 'majority')).strategies)).toEqual([
    'tool',
    'weighted',
    'majority',
  ]);
});

test('without rewards nothing is made up: what needs them is left out, and said to be', async () => {
  const bare = file(
    'bare.jsonl',
    lines(
      problems.map(({ candidates, ...rest }) => ({
        ...rest,
        candidates: candidates.map(({ answer, tool }) => ({ answer, tool })),
      })),
    ),
  );
  const result = await json(bare);
  expect(Object.keys(result.strategies)).toEqual(['mean', 'oracle', 'majority', 'tool']);
  expect(result).toMatchObject({
    fallback: 'majority',
    leftOut: { weighted: 'no candidate has a reward', reward: 'no candidate has a reward' },
  });
  const { stdout } = await t1(['select', bare, '--resamples', '100']);
  expect(stdout).toContain('left out: weighted, because no candidate has a reward');
});

test('a table for people', async () => {
  const { stdout, stderr, code } = await t1([
    'select',
    pool,
    '--curve',
    '--compare',
    'weighted',
    'majority',
    '--by',
    'level',
    '--verifier',
    '--resamples',
    '100',
  ]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^30 problems, N = 8; 95 % intervals: bootstrap over problems, 100 resamples\n/);
  for (const part of [
    /weighted +│ +\d+\.\d │ +\[/,
    /accuracy % by N/,
    /weighted − majority: [+-]\d+\.\d points/,
    /│ level/,
    /expected calibration error/,
  ])
    expect(stdout).toMatch(part);
});

const good = lines([{ id: 'a', gold: '1', candidates: [{ answer: '1' }] }]);
const line = (extra: object): string =>
  good + JSON.stringify({ id: 'b', gold: '1', candidates: [{ answer: '1' }], ...extra });

const CASES: [name: string, args: () => string[], message: RegExp, code?: string][] = [
  ['missing file', () => [join(folder.path, 'absent.jsonl')], /absent\.jsonl/, 'FILE_NOT_FOUND'],
  ['a folder', () => [folder.path], /cannot read/, 'FILE_NOT_FOUND'],
  ['no file', () => [], /.+/, 'USAGE'],
  ['an empty file', () => [file('empty.jsonl', '\n\n')], /empty\.jsonl holds no problem/, 'INPUT'],
  ['a broken line', () => [file('broken.jsonl', `${good}\n{"id": `)], /broken\.jsonl:3: not JSON/, 'INPUT'],
  ['a line that is no object', () => [file('list.jsonl', `${good}[1]`)], /list\.jsonl:2: not an object/, 'INPUT'],
  [
    'not UTF-8',
    () => [file('latin1.jsonl', Buffer.concat([Buffer.from(good), Buffer.from([0xff, 0xfe, 0x0a])]))],
    /latin1\.jsonl:2: not UTF-8/,
    'INPUT',
  ],
  ['no gold', () => [file('gold.jsonl', line({ gold: undefined }))], /gold\.jsonl:2: 'gold'/, 'INPUT'],
  [
    'no candidates',
    () => [file('none.jsonl', line({ candidates: undefined }))],
    /none\.jsonl:2: 'candidates'/,
    'INPUT',
  ],
  [
    'an empty list of candidates',
    () => [file('zero.jsonl', line({ candidates: [] }))],
    /zero\.jsonl:2: 'candidates' is empty/,
    'INPUT',
  ],
  [
    'neither answer nor text',
    () => [file('blank.jsonl', line({ candidates: [{ reward: 1 }] }))],
    /blank\.jsonl:2: 'candidates\[0\]' needs an 'answer'/,
    'INPUT',
  ],
  [
    'a reward above 1',
    () => [file('reward.jsonl', line({ candidates: [{ answer: '1', reward: 3 }] }))],
    /reward\.jsonl:2: 'candidates\[0\]\.reward' is not from 0 to 1/,
    'INPUT',
  ],
  [
    'a reward that is text',
    () => [file('text.jsonl', line({ candidates: [{ answer: '1', reward: 'high' }] }))],
    /text\.jsonl:2: 'candidates\[0\]\.reward' is no number/,
    'INPUT',
  ],
  [
    'a verdict that is none',
    () => [file('tool.jsonl', line({ candidates: [{ answer: '1', tool: 'maybe' }] }))],
    /tool\.jsonl:2: 'candidates\[0\]\.tool' is none of/,
    'INPUT',
  ],
  [
    'rewards for some only',
    () => [file('mixed.jsonl', line({ candidates: [{ answer: '1', reward: 1 }] }))],
    /mixed\.jsonl:1: problem 'a': candidate 1 has no 'reward'/,
    'INPUT',
  ],
  [
    'verdicts for some only',
    () => [file('some.jsonl', line({ candidates: [{ answer: '1', tool: true }, { answer: '2' }] }))],
    /some\.jsonl:1: problem 'a': candidate 1 has no 'tool'/,
    'INPUT',
  ],
  [
    'a problem twice',
    () => [file('twice.jsonl', good + good)],
    /twice\.jsonl:2: problem 'a' is there a second time/,
    'INPUT',
  ],
  [
    'a run without a problem',
    () => [
      file(
        'runs.jsonl',
        [line({ id: 'a', seed: 1 }), lines([{ id: 'b', gold: '1', candidates: [{ answer: '1' }] }])].join('\n'),
      ),
    ],
    /problem 'b' is not in every run/,
    'INPUT',
  ],
  ['N above the pool', () => [pool, '-n', '9'], /N = 9 .* from 1 to 8/, 'USAGE'],
  ['N that is no number', () => [pool, '-n', '4,many'], /--n-samples: must be a whole number.*'4,many'/, 'USAGE'],
  ['an unknown strategy', () => [pool, '--select', 'best'], /--select: must be some of mean, oracle.*'best'/, 'USAGE'],
  [
    'an unknown strategy to compare',
    () => [pool, '--compare', 'weighted', 'best'],
    /--compare: must name two of .*'best'/,
    'USAGE',
  ],
  ['one strategy to compare', () => [pool, '--compare', 'weighted'], /.+/, 'USAGE'],
  [
    'a strategy to compare that is left out',
    () => [file('plain.jsonl', good), '--compare', 'weighted', 'majority'],
    /no figure of 'weighted' .*no candidate has a verdict/,
    'USAGE',
  ],
  [
    'rewards as fallback where there are none',
    () => [
      file('refuted.jsonl', lines([{ id: 1, gold: 1, candidates: [{ answer: 1, tool: false }] }])),
      '--fallback',
      'reward',
    ],
    /fallback 'reward'/,
    'USAGE',
  ],
  ['an unknown fallback', () => [pool, '--fallback', 'guess'], /fallback/, 'USAGE'],
  ['no resamples', () => [pool, '--resamples', '0'], /--resamples: must be a whole number from 1/, 'USAGE'],
  ['no subsets', () => [pool, '--subsets', '0'], /--subsets: must be a whole number from 1/, 'USAGE'],
  ['a negative seed', () => [pool, '--seed', '-1'], /--seed: must be a whole number from 0/, 'USAGE'],
  ['a threshold above 1', () => [pool, '--threshold', '2'], /--threshold: must lie in \[0, 1\], not 2/, 'USAGE'],
  ['an unknown flag', () => [pool, '--curves'], /curves/, 'USAGE'],
];

describe('one line, exit code 2, nothing on standard output', () => {
  test.each(CASES)('%s', async (_name, args, message, code = 'USAGE') => {
    const { stdout, stderr, code: exit } = await t1(['select', ...args()]);
    expect(stderr).toMatch(new RegExp(`^t1: ${code}: .+\n$`));
    expect(stderr).toMatch(message);
    expect([exit, stdout]).toEqual([2, '']);
  });
});
