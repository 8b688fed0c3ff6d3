/** Runs: what is there is kept, another configuration is another run, and what was changed is found. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import { evaluate } from '../support/solve.js';
import { RUN_FILE, RunFile, type RunManifest } from '../../src/runs/run-file.js';
import { summaryOf } from '../../src/runs/run-summary.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { Store } from '../../src/store/store.js';
import { codeOf } from '../support/code-of.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 't1-run-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (more: Partial<RunManifest> = {}): RunManifest => ({
  command: ['eval', 'own'],
  configuration: { samples: 4, seed: 0 },
  task: { name: 'own', version: 1, title: 't', source: 's', sha256: 'a', problems: 4 },
  model: { name: 'm', path: '/m.gguf', sha256: 'b' },
  engine: 'fake engine 1',
  hardware: { cpu: 'x' },
  packageVersion: '0.1.0',
  node: 'v20',
  startedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});

const PROBLEMS = ['1', '2', '3', ''].map((gold, i) => ({
  id: `p${i}`,
  problem: gold === '' ? ' ' : `Say ${gold}.`,
  gold,
  category: i < 2 ? 'low' : 'high',
}));

/** Candidates 0 and 1 are right, 2 is not, 3 says nothing; the program passes candidate 0 alone, whatever it says. */
function engineOf(): FakeEngine {
  const path = join(folder, 'fake.gguf');
  writeFileSync(path, 'weights');
  const numberOf = (seed: number): number =>
    seed === 0 ? 1 : [0, 1, 2, 3].findIndex((i) => sampleSeed(0, i) === seed); // greedy as the second
  return new FakeEngine({
    answer: (prompt, seed) => {
      if (prompt.includes('Python')) return `\`\`\`python\nprint(${prompt.includes('first')})\n\`\`\``;
      const number = /Say (\d)/.exec(prompt)?.[1] ?? '?';
      return [`first \\boxed{${number}}`, `\\boxed{${number}.0}`, '\\boxed{9}', 'nothing'][numberOf(seed)] ?? '';
    },
    model: { path },
  });
}
const sandbox = {
  run: async ({ code }: { code: string }) => ({
    status: 'ok' as const,
    stdout: code.includes('true') ? 'True' : 'False',
    value: null,
    error: null,
    truncated: false,
    ms: 1,
  }),
};
const isRight = (gold: string, answer: string): boolean => Number(gold) === Number(answer);

async function run(engine = engineOf(), options = { retryFailed: false }): Promise<void> {
  const store = Store.open(join(folder, 'r.db'));
  using file = RunFile.begin(folder, manifest());
  await evaluate(
    PROBLEMS,
    file,
    { engine, store, signal: new AbortController().signal, sandbox, samples: 4, programs: 1 },
    { isRight, seeds: [0], ...options },
  ).finally(() => store.close());
}

test('every problem has a record, one of its own failing included; figures come from the records', async () => {
  await run();
  using file = RunFile.open(folder);
  const records = [...file.records()];
  expect(records.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['p0', 'solved'],
    ['p1', 'solved'],
    ['p2', 'solved'],
    ['p3', 'failed'],
  ]);
  const summary = await summaryOf(file);
  if (summary.kind !== 'problems') throw new Error('these are problems');
  expect(summary).toMatchObject({
    problems: 4,
    failed: 1,
    samples: 4,
    verdicts: { pass: { right: 3, wrong: 0 }, fail: { right: 3, wrong: 3 }, unknown: { right: 0, wrong: 0 } },
  });
  const rounded = (accuracy = NaN): number => Math.round(1e9 * accuracy) / 1e9;
  expect(
    summary.curve.map(({ n, strategies: { mean, oracle, weighted } }) => [
      n,
      ...[mean, oracle, weighted].map((share) => rounded(share?.accuracy)),
    ]),
  ).toEqual([
    // Half of the candidates are right; of the six pairs one has none of them.
    [1, 0.5, 0.5, 0.5],
    [2, 0.5, 0.833333333, 0.833333333],
    [4, 0.5, 1, 1],
  ]);
  expect(summary.strategies.greedy?.accuracy).toBe(1);
  expect(summary.categories.map(({ name, problems }) => [name, problems])).toEqual([
    ['high', 1],
    ['low', 2],
  ]);
  expect(summary.curve[0]?.tokens.solver).toBeCloseTo(
    ('first \\boxed{1}'.length + '\\boxed{1.0}'.length + '\\boxed{9}'.length + 'nothing'.length) / 4,
    9,
  );
});

test('a second start asks for nothing; retry asks for what failed', async () => {
  await run();
  const again = engineOf();
  await run(again);
  expect(again.jobs.sample).toBe(0);
  using file = RunFile.open(folder);
  expect([file.done(false).size, file.done(true).size]).toEqual([4, 3]);
});

/** One problem whose right answer is 1, with these solutions. */
async function ofSolutions(solutions: readonly string[], same?: (a: string, b: string) => boolean) {
  const store = Store.open(':memory:');
  const path = join(folder, 'fake.gguf');
  writeFileSync(path, 'weights');
  const engine = new FakeEngine({
    answer: (_, seed) => solutions[solutions.findIndex((_text, i) => sampleSeed(0, i) === seed)] ?? '',
    model: { path },
  });
  using file = RunFile.begin(folder, manifest());
  const context = {
    engine,
    store,
    signal: new AbortController().signal,
    samples: solutions.length,
    verifier: 'steps',
    same,
  } as const;
  await evaluate([{ id: 'p', problem: 'What?', gold: '1' }], file, context, {
    isRight,
    retryFailed: false,
    seeds: [0],
  });
  store.close();
  const [summary, [record]] = [await summaryOf(file), [...file.records()]];
  if (summary.kind !== 'problems' || record?.outcome !== 'solved') throw new Error('a problem was solved');
  return { summary, record };
}

test('what is wrong with wrong solutions, by their text', async () => {
  const { summary, record } = await ofSolutions([
    '2 + 2 = 5, so \\boxed{5}',
    '2 + 2 = 4, so \\boxed{4}',
    'Simply \\boxed{7}',
    'nothing',
    '1 + 1 = 3, still \\boxed{1}',
  ]);
  expect(record.candidates.map(({ kind }) => kind)).toEqual([
    'wrong calculation',
    'right calculations',
    'no calculation',
    'no answer',
    undefined,
  ]);
  expect(Object.keys(summary.quality?.kinds ?? {}).sort()).toEqual([
    'no answer',
    'no calculation',
    'right calculations',
    'wrong calculation',
  ]);
});

test('figures count votes for one answer together, as the run did', async () => {
  const solutions = ['\\boxed{1}', '\\boxed{2}', '\\boxed{two}'];
  const { summary, record } = await ofSolutions(solutions, (a, b) => a === '2' && b === 'two');
  expect(record.candidates.map(({ group }) => group)).toEqual([0, 1, 1]);
  expect(summary.strategies.majority?.accuracy).toBe(0);
  rmSync(join(folder, RUN_FILE));
  expect((await ofSolutions(solutions, () => false)).summary.strategies.majority?.accuracy).toBe(1); // three alike, and the first decides
});

test('several seeds: a record for each, and figures over all', async () => {
  const store = Store.open(':memory:');
  const path = join(folder, 'fake.gguf');
  writeFileSync(path, 'weights');
  const engine = new FakeEngine({
    answer: (prompt, seed) => (prompt.includes('Python') ? 'none' : `\\boxed{${seed === sampleSeed(7, 0) ? 1 : 2}}`),
    model: { path },
  });
  using file = RunFile.begin(folder, manifest());
  await evaluate(
    PROBLEMS.slice(0, 2),
    file,
    { engine, store, signal: new AbortController().signal, sandbox, samples: 1, programs: 1 },
    { isRight, retryFailed: false, seeds: [6, 7] },
  );
  expect([...file.records()].map(({ id, seed }) => [id, seed])).toEqual([
    ['p0', 6],
    ['p1', 6],
    ['p0', 7],
    ['p1', 7],
  ]);
  const summary = await summaryOf(file);
  expect(summary.kind === 'problems' && summary.strategies.mean?.accuracy).toBe(0.5);
  store.close();
});

test.each([
  ['fixed', 16, 5],
  ['adaptive', 2, 33],
] as const)(
  'with a %s budget so many problems go on at once that they fill the engine',
  async (budget, each, wanted) => {
    const path = join(folder, 'fake.gguf');
    writeFileSync(path, 'weights');
    const engine = new FakeEngine({ answer: () => '\\boxed{1}', model: { path }, delayMs: 20 });
    const problems = Array.from({ length: 40 }, (_, i) => ({ id: `p${i}`, problem: `Say ${i}, one.`, gold: '1' }));
    const [going, sample] = [new Map<string, number>(), engine.sample.bind(engine)];
    let most = 0;
    engine.sample = async (request) => {
      const name = /Say (\d+)/.exec(Buffer.from(request.prompts[0]?.tokens ?? []).toString())?.[1] ?? '';
      going.set(name, (going.get(name) ?? 0) + 1);
      most = Math.max(most, going.size);
      return sample(request).finally(() => {
        const left = (going.get(name) ?? 0) - 1;
        if (left > 0) going.set(name, left);
        else going.delete(name);
      });
    };
    using file = RunFile.begin(folder, manifest());
    const store = Store.open(':memory:');
    const { signal } = new AbortController();
    const call = {
      engine,
      store,
      sandbox,
      signal,
      samples: 16,
      budget,
      verifier: 'steps',
      select: 'majority',
    } as const;
    await evaluate(problems, file, call, { isRight, retryFailed: false, seeds: [0] });
    store.close();
    expect(engine.efficientSequences / each + 1).toBe(wanted);
    expect(most).toBe(wanted);
  },
);

test('a start that was killed while it made its file leaves nothing in the way', () => {
  for (const content of ['', 'SQLite format 3'])
    writeFileSync(join(folder, `${RUN_FILE}.${process.pid}.part`), content);
  RunFile.begin(folder, manifest())[Symbol.dispose]();
  expect(readdirSync(folder).sort()).toEqual([RUN_FILE]);
});

test('what all starts took together; energy only where every one was told of it', () => {
  using file = RunFile.begin(folder, manifest());
  expect(file.effort).toEqual({ starts: 0, seconds: 0, joules: null, generatedTokens: 0 });
  file.spend('one', { seconds: 1, joules: 5, generatedTokens: 10 });
  file.spend('one', { seconds: 2, joules: 9, generatedTokens: 20 });
  file.spend('two', { seconds: 0.5, joules: 1, generatedTokens: 3 });
  expect(file.effort).toEqual({ starts: 2, seconds: 2.5, joules: 10, generatedTokens: 23 });
  file.spend('three', { seconds: 1, joules: null, generatedTokens: 0 });
  expect(file.effort).toEqual({ starts: 3, seconds: 3.5, joules: null, generatedTokens: 23 });
});

test('another configuration, model, data or engine is another run, and what differs is named', () => {
  RunFile.begin(folder, manifest())[Symbol.dispose]();
  RunFile.begin(folder, manifest({ startedAt: 'later', hardware: {}, command: [] }))[Symbol.dispose]();
  expect(() => RunFile.begin(folder, manifest({ configuration: { samples: 8, seed: 0 } }))).toThrow(/another samples/);
  expect(() => RunFile.begin(folder, manifest({ model: { name: 'm', path: '/m.gguf', sha256: 'c' } }))).toThrow(
    /another model/,
  );
  expect(codeOf(() => RunFile.begin(folder, manifest({ engine: 'other' })))).toBe('RUN_MISMATCH');
});

test('a setting that is newer than a run had its default in it', () => {
  RunFile.begin(folder, manifest())[Symbol.dispose]();
  const now = { samples: 4, seed: 0, toolCalls: 16, seeds: 1, limit: null, reproducible: false };
  RunFile.begin(folder, manifest({ configuration: now }))[Symbol.dispose]();
  expect(() => RunFile.begin(folder, manifest({ configuration: { ...now, toolCalls: 3 } }))).toThrow(
    /another toolCalls/,
  );
  expect(() => RunFile.begin(folder, manifest({ configuration: { ...now, reproducible: true } }))).toThrow(
    /another reproducible/,
  );
});

test('a record that was changed is found and named', async () => {
  await run();
  const database = new Database(join(folder, RUN_FILE));
  database
    .prepare("UPDATE record SET value = replace(value, '\"correct\":true', '\"correct\":false') WHERE key = 'p1#0'")
    .run();
  database.close();
  using file = RunFile.open(folder);
  expect(() => [...file.records()]).toThrow(/record of problem p1#0 was changed/);
});

test.each([
  ['no file', () => undefined, 'FILE_NOT_FOUND'],
  ['not a database', () => writeFileSync(join(folder, RUN_FILE), 'x'.repeat(5000)), 'RUN_CORRUPT'],
  [
    'another program’s database',
    () => new Database(join(folder, RUN_FILE)).exec('CREATE TABLE x (y)').close(),
    'RUN_CORRUPT',
  ],
])('%s', (_, make, code) => {
  make();
  expect(codeOf(() => RunFile.open(folder))).toBe(code);
});

test('what concerns all problems ends the run, and what is there stays', async () => {
  const engine = engineOf();
  await run(engine);
  const broken = engineOf();
  await broken.dispose();
  await expect(run(broken, { retryFailed: true })).resolves.toBeUndefined(); // the blank problem fails before the engine is asked
  rmSync(join(folder, RUN_FILE));
  rmSync(join(folder, 'r.db'));
  await expect(run(broken)).rejects.toMatchObject({ code: 'DISPOSED' });
  using file = RunFile.open(folder);
  expect(file.done(true).size).toBe(0);
});
