/** The verifier knowledge and tools of the user's own, over a scripted engine. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeEngine, type FakeEngineOptions } from '../../src/testing/fake-engine.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { packageRoot } from '../../src/paths.js';
import type { KnowledgeSearch } from '../../src/stage-context.js';
import { solve, type SolveContext } from '../support/solve.js';
import { Store } from '../../src/store/store.js';
import { verdictOf } from '../../src/verify/fact-check.js';
import { loadTool, type Tool } from '../../src/verify/tool.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 't1-knowledge-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SOLUTIONS = [
  'The capital of Chad is N. The answer is \\boxed{N}.',
  'It is Moundou: \\boxed{Moundou}.',
  'I do not know.',
];
const ASK = 'Are all statements correct? (Yes/No)?';
const numberOf = (seed: number): number => [0, 1, 2, 3, 4, 5, 6, 7].findIndex((i) => sampleSeed(0, i) === seed);

const engineOf = (check: (prompt: string, k: number) => string, more: Partial<FakeEngineOptions> = {}): FakeEngine => {
  const path = join(folder, 'fake.gguf');
  writeFileSync(path, 'weights');
  return new FakeEngine({
    answer: (prompt, seed) =>
      prompt.includes('fact checker') ? check(prompt, numberOf(seed)) : (SOLUTIONS[numberOf(seed)] ?? ''),
    model: { path },
    ...more,
  });
};

const PASSAGE = { id: 'chad', title: 'Chad', text: 'Its capital is N.' };
function library() {
  const queries: unknown[][] = [];
  const search: KnowledgeSearch['search'] = (...query) => {
    queries.push(query);
    return [{ passage: PASSAGE, score: 2.5 }];
  };
  return { queries, fingerprint: 'abc', search };
}

const QUESTION = 'What is the capital of Chad?';
const run = (engine: FakeEngine, more: Partial<SolveContext> = {}) =>
  solve(QUESTION, { engine, samples: 3, verifier: 'knowledge', knowledge: library(), ...more }).result;

/** A check of the solution that names Moundou says No. */
const honest = (prompt: string): string =>
  `The passage says so. Verification: ${ASK} ${prompt.includes('Moundou') ? 'No' : 'Yes'}`;

describe('the verifier knowledge', () => {
  test('searches for problem and solution, shows the passages, and asks m times', async () => {
    const prompts: string[] = [];
    const knowledge = library();
    const engine = engineOf((prompt) => (prompts.push(prompt), honest(prompt)));
    const { candidates, answer, verified } = await run(engine, { knowledge, passages: 2, bm25: { k1: 1.2 } });
    expect(knowledge.queries).toEqual(
      SOLUTIONS.slice(0, 2).map((solution) => [`${QUESTION} ${solution}`, 2, { k1: 1.2 }]),
    );
    expect(prompts).toHaveLength(8);
    expect(prompts.every((prompt) => prompt.includes('1. Chad: Its capital is N.'))).toBe(true);
    expect(candidates.map(({ tool }) => tool.verdict)).toEqual(['pass', 'fail', 'unknown']);
    expect(candidates[0]?.tool.passages).toEqual([{ ...PASSAGE, score: 2.5 }]);
    expect(candidates[1]?.tool.checks?.map(({ verdict }) => verdict)).toEqual(['fail', 'fail', 'fail', 'fail']);
    expect({ answer, verified }).toEqual({ answer: 'N', verified: true });
  });

  test.each([
    ['all', 1, ['fail', 'fail']],
    ['any', 1, ['pass', 'pass']],
    ['majority', 1, ['pass', 'pass']],
    ['majority', 3, ['fail', 'fail']],
  ] as const)('%s: %i of four checks say No', async (checkRule, noes, verdicts) => {
    const engine = engineOf((_, k) => `Verification: ${ASK} ${k < noes ? 'No' : 'Yes'}`);
    const { candidates } = await run(engine, { checkRule });
    expect(candidates.slice(0, 2).map(({ tool }) => tool.verdict)).toEqual(verdicts);
  });

  test('a check that never comes to a verdict is no Yes', async () => {
    const engine = engineOf((_, k) => (k === 2 ? 'Hm.' : `${ASK} Yes`));
    const { candidates } = await run(engine);
    expect(candidates[0]?.tool.verdict).toBe('unknown');
    expect(candidates[0]?.tool.checks?.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'unknown', 'pass']);
  });

  test('the second time comes from the store, passages too; another index, or another rule, does not lead astray', async () => {
    const store = Store.open(':memory:');
    const first = await run(engineOf(honest), { store });
    const again = engineOf(honest);
    const second = await run(again, { store });
    expect(second.candidates.map(({ tool }) => tool)).toEqual(first.candidates.map(({ tool }) => tool));
    expect(again.jobs).toEqual({ sample: 0, score: 0 });
    const strict = await run(
      engineOf((_, k) => `${ASK} ${k === 0 ? 'No' : 'Yes'}`),
      { store, seed: 0, knowledge: { ...library(), fingerprint: 'def' } },
    );
    expect(strict.candidates[0]?.tool.verdict).toBe('pass'); // the checks themselves are the same texts of the same prompts
    store.close();
  });

  test('passages are cut until the prompt fits the context, and shown as they were used', async () => {
    const long = { ...PASSAGE, text: 'word '.repeat(1000) };
    const knowledge = { fingerprint: 'abc', search: () => [{ passage: long, score: 1 }] };
    const engine = engineOf(honest, { model: { path: join(folder, 'fake.gguf'), contextLength: 2850 } });
    const { candidates } = await run(engine, { knowledge });
    expect(candidates[0]?.tool.verdict).toBe('pass');
    expect(candidates[0]?.tool.passages?.[0]?.text).toMatch(/^(word ){20,160}…$/);
    const small = engineOf(honest, { model: { path: join(folder, 'fake.gguf'), contextLength: 1500 } });
    expect((await run(small, { knowledge })).candidates.map(({ tool }) => tool.verdict)).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
  });

  test('a profile without fact checks is refused before anything is sampled', async () => {
    const engine = engineOf(honest, { model: { path: join(folder, 'fake.gguf'), chatTemplate: undefined } });
    await expect(run(engine)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    expect(engine.jobs.sample).toBe(0);
  });
});

test.each([
  [`x ${ASK} Yes`, 'pass'],
  [`x ${ASK} **No**`, 'fail'],
  [`${ASK} Yes\nSecond thoughts. ${ASK} No.`, 'fail'],
  [`${ASK} Perhaps`, 'unknown'],
  [`${ASK}`, 'unknown'],
  ['Yes', 'unknown'],
])('%j is %s', (text, verdict) => expect(verdictOf(text, { ask: ASK, good: ['Yes'], bad: ['No'] })).toBe(verdict));

test.each([
  ['Chad: its capital is N.\nYes', 'pass'],
  ['so\nNo', 'fail'],
  ['so\nNo idea', 'unknown'],
  ['', 'unknown'],
])('without such words the last line decides: %j is %s', (text, verdict) =>
  expect(verdictOf(text, { good: ['Yes'], bad: ['No'] })).toBe(verdict),
);

describe('a tool of the user', () => {
  const asked: string[] = [];
  const tool = (verify: Tool['verify'], version = 1): Tool => ({
    name: 'own',
    version,
    verify: (request) => (asked.push(request.answer), verify(request)),
  });
  beforeEach(() => asked.splice(0));
  const engine = (): FakeEngine => engineOf(() => '');

  test('decides, says why, and is not asked again', async () => {
    const store = Store.open(':memory:');
    const verifier = tool(({ answer, problem }) => ({
      verdict: answer === 'N' && problem === QUESTION ? 'pass' : 'fail',
      note: `it is ${answer}`,
    }));
    const result = await run(engine(), { verifier, store });
    expect(result.candidates.map(({ tool: { verdict, note } }) => [verdict, note])).toEqual([
      ['pass', 'it is N'],
      ['fail', 'it is Moundou'],
      ['unknown', undefined],
    ]);
    const again = await run(engine(), { verifier, store });
    expect(again.candidates.map(({ tool: same }) => same)).toEqual(result.candidates.map(({ tool: same }) => same));
    expect(asked).toEqual(['N', 'Moundou']);
    await run(engine(), { verifier: { ...verifier, version: 2 }, store });
    expect(asked).toHaveLength(4);
    store.close();
  });

  test('one that throws, or says something else, says nothing; and is asked again', async () => {
    const store = Store.open(':memory:');
    const verifier = tool(({ answer }) => {
      if (answer === 'N') throw new Error('no connection');
      return { verdict: 'perhaps' } as never;
    });
    const { candidates } = await run(engine(), { verifier, store });
    expect(candidates.slice(0, 2).map(({ tool: { verdict, note } }) => [verdict, note])).toEqual([
      ['unknown', 'Error: no connection'],
      ['unknown', 'own gave no verdict'],
    ]);
    await run(engine(), { verifier, store });
    expect(asked).toHaveLength(4);
    store.close();
  });

  test('the answer that it is told is part of what is remembered', async () => {
    const store = Store.open(':memory:');
    const verifier = tool(({ answer }) => ({ verdict: answer === 'N' ? 'pass' : 'fail' }));
    const verdicts = async (more: Partial<SolveContext> = {}) =>
      (await run(engine(), { verifier, store, ...more })).candidates.map(({ tool: { verdict } }) => verdict);
    expect(await verdicts()).toEqual(['pass', 'fail', 'unknown']);
    // The same solutions, and another answer found in them.
    expect(await verdicts({ extract: () => 'Chad' })).toEqual(['fail', 'fail', 'fail']);
    expect(asked).toEqual(['N', 'Moundou', 'Chad', 'Chad', 'Chad']);
    store.close();
  });

  test('one that is not done in time says nothing, and is asked again', async () => {
    const store = Store.open(':memory:');
    const verifier = tool(() => new Promise(() => {}));
    const { candidates } = await run(engine(), { verifier, store, toolTimeoutMs: 20 });
    expect(candidates.slice(0, 2).map(({ tool: { verdict, note } }) => [verdict, note])).toEqual([
      ['unknown', 'own gave no verdict within 0.02 s'],
      ['unknown', 'own gave no verdict within 0.02 s'],
    ]);
    await run(engine(), { verifier: tool(() => ({ verdict: 'pass' })), store });
    expect(asked).toHaveLength(4);
    store.close();
  });

  test('so many calls of it at once', async () => {
    let [now, most] = [0, 0];
    let meet = (): void => {};
    const both = new Promise<void>((resolve) => (meet = resolve));
    const counting = (wait: () => Promise<unknown>) =>
      tool(async () => {
        most = Math.max(most, ++now);
        if (now === 2) meet();
        await wait();
        now--;
        return { verdict: 'pass' };
      });
    await run(engine(), { verifier: counting(() => new Promise((resolve) => setTimeout(resolve, 20))), toolCalls: 1 });
    expect(most).toBe(1);
    await run(engine(), { verifier: counting(() => both) });
    expect(most).toBe(2);
  });

  test('one that hears no signal does not hold up an interrupted run', async () => {
    const stop = new AbortController();
    const verifier = tool(() => {
      stop.abort();
      return new Promise(() => {});
    });
    await expect(run(engine(), { verifier, signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('the example of the documentation, as it stands there', async () => {
    const [, source = ''] =
      /```js\n([\s\S]*?)```/.exec(readFileSync(join(packageRoot, 'docs', 'verifiers.md'), 'utf8')) ?? [];
    expect(source.split('\n').length).toBeLessThanOrEqual(36);
    const path = join(folder, 'chemistry.mjs');
    writeFileSync(path, source);
    const { verify } = await loadTool(path);
    const verdictFor = async (solution: string) =>
      (await verify({ problem: '', solution, answer: '', signal: new AbortController().signal })).verdict;
    expect(await verdictFor('So CH4 + 2O2 -> CO2 + 2H2O.')).toBe('pass');
    expect(await verdictFor('So CH4 + O2 -> CO2 + 2H2O.')).toBe('fail');
    expect(await verdictFor('I do not know.')).toBe('unknown');
  });

  test('a file that is none is one clear error', async () => {
    const path = join(folder, 'tool.mjs');
    await expect(loadTool(path)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    writeFileSync(path, 'export const verify = 1;');
    await expect(loadTool(path)).rejects.toMatchObject({
      code: 'INPUT',
      message: expect.stringContaining('default export') as unknown,
    });
    writeFileSync(join(folder, 'broken.mjs'), 'export default {');
    await expect(loadTool(join(folder, 'broken.mjs'))).rejects.toMatchObject({ code: 'INPUT' });
  });
});
