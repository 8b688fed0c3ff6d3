/**
 * Reward models as data: which entry a model gets, what each entry makes of a solution, and what becomes of step
 * scores.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelInfo } from '../../src/engine/engine-types.js';
import { FakeEngine, type FakeEngineOptions } from '../../src/testing/fake-engine.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { profileFor } from '../../src/prompt/profile.js';
import { aggregations, rewardEntryFor, type ProcessEntry } from '../../src/reward/entry.js';
import { rewardFor } from '../../src/reward/reward.js';
import { solutionSteps, splitSteps } from '../../src/reward/solution-steps.js';
import { solve, type SolveContext } from '../support/solve.js';
import { Store } from '../../src/store/store.js';

const engineOf = (more: Partial<FakeEngineOptions> = {}): FakeEngine => new FakeEngine({ answer: () => '', ...more });
const modelOf = (name: string, more: Partial<ModelInfo> = {}): ModelInfo => ({
  ...engineOf().model,
  name,
  metadata: { 'general.name': name },
  ...more,
});
const head = { tensors: ['cls.output.weight'], labels: ['yes', 'no'] };

test.each([
  ['Llama3.1 8B PRM Deepseek Data', undefined, 'rlhflow-prm', 'prm'],
  ['Llama3.1-8B-PRM-Mistral-Data', undefined, 'rlhflow-prm', 'prm'],
  ['Math Shepherd Mistral 7b Prm', undefined, 'math-shepherd', 'prm'],
  ['Llama-PRM800K VersaPRM', undefined, 'versaprm', 'prm'],
  ['Qwen2.5 Math PRM 7B', undefined, 'qwen-math-prm', 'unsupported'],
  ['Qwen2.5-Math-7B-PRM800K', undefined, 'qwen-math-prm', 'unsupported'],
  ['Skywork o1 Open PRM Qwen 2.5 1.5B', undefined, 'skywork-o1-prm', 'unsupported'],
  ['Qwen3 Reranker 0.6B', undefined, 'qwen3-reranker', 'yes-no'],
  ['Qwen3-Reranker-0.6B', head, 'qwen3-reranker-head', 'classifier'],
])('%s', (name, classes, entry, kind) => {
  expect(rewardEntryFor(modelOf(name, classes && { head: classes }))).toMatchObject({ name: entry, kind });
});

test.each(['Llama 3.2 1B Instruct', 'Qwen2.5 Math 7B Instruct', 'Qwen3 0.6B', 'SmolLM2 360M Instruct', 'fake'])(
  '%s has none: it is asked for a yes or no',
  (name) => {
    const entry = rewardEntryFor(modelOf(name));
    expect(entry).toBeUndefined();
    expect(rewardFor('auto', entry)).toBe('yes-no');
  },
);

test('what llama.cpp cannot read is refused with the reason, unless another way is named', () => {
  const entry = rewardEntryFor(modelOf('Qwen2.5-Math-PRM-7B'));
  for (const reward of ['auto', 'prm', 'classifier'] as const)
    expect(() => rewardFor(reward, entry)).toThrow(/llama\.cpp has no place for its head/);
  expect(rewardFor('yes-no', entry)).toBe('yes-no');
});

test('step scores become one: last, lowest, product, mean', () => {
  const scores = [0.5, 0.25, 0.75];
  expect(Object.entries(aggregations).map(([name, aggregate]) => [name, aggregate(scores)])).toEqual([
    ['last', 0.75],
    ['min', 0.25],
    ['product', 0.09375],
    ['mean', 0.5],
  ]);
});

describe('the text that is read', () => {
  const words = { good: ['+'], bad: ['-'] };
  const entry = (more: Partial<ProcessEntry>): ProcessEntry =>
    ({
      kind: 'prm',
      name: 'test',
      source: '',
      match: {},
      separator: '\n\n',
      aggregation: 'last',
      ...words,
      steps: { layout: 'own' },
      ...more,
    }) as ProcessEntry;
  const engine = engineOf();
  const profile = profileFor(engine.model);
  const read = async (what: ProcessEntry, solution: string) => {
    const steps = await solutionSteps(engine, what, profile, 'Q', solution);
    const textTo = (at: number): string => Buffer.from((steps?.tokens ?? new Int32Array()).slice(0, at + 1)).toString();
    return (
      steps && { steps: steps.steps, texts: Array.from(steps.positions, textTo), all: textTo(steps.tokens.length) }
    );
  };

  test('turns: up to where the model would answer each', async () => {
    const turns = entry({
      steps: { layout: 'turns', turn: '{% if first %}{{ problem }} {% endif %}{{ step }}', reply: '+' },
    });
    expect(await read(turns, 'one\n\n\n\n two ')).toEqual({
      steps: ['one', 'two'],
      texts: [
        '<|user|>Q one<|end|><|assistant|>',
        '<|user|>Q one<|end|><|assistant|>+<|end|><|user|>two<|end|><|assistant|>',
      ],
      all: '<|user|>Q one<|end|><|assistant|>+<|end|><|user|>two<|end|><|assistant|>',
    });
  });

  test('tags: after each, and those in the problem or the solution do not count', async () => {
    const tags = entry({
      steps: { layout: 'tags', tag: '#', prompt: '# {{ problem }} {{ solution }}', afterTag: '\n' },
    });
    expect(await read(tags, 'o#ne\n\ntwo')).toEqual({
      steps: ['one', 'two'],
      texts: ['# Q one#', '# Q one#\ntwo#'],
      all: '# Q one#\ntwo#',
    });
    const chat = entry({
      steps: {
        layout: 'tags',
        tag: '#',
        prompt: [
          { role: 'user', content: '{{ problem }}' },
          { role: 'assistant', content: '{{ solution }}' },
        ],
        afterTag: '',
      },
    });
    expect((await read(chat, 'one\n\ntwo'))?.texts).toEqual([
      '<|user|>Q<|end|><|assistant|>one#',
      '<|user|>Q<|end|><|assistant|>one#two#',
    ]);
  });

  test('own: at the end of each line of what it said itself', async () => {
    const own = entry({ separator: '\n' });
    const texts = (await read(own, 'one\n\ntwo'))?.texts.map((text) => text.slice(text.lastIndexOf('<|assistant|>')));
    expect(texts).toEqual(['<|assistant|>one\n', '<|assistant|>one\n\ntwo']);
  });

  test('a problem of 200 kB, in every layout', async () => {
    const problem = 'a word '.repeat(30_000);
    const layouts: readonly ProcessEntry['steps'][] = [
      { layout: 'turns', turn: '{% if first %}{{ problem }} {% endif %}{{ step }}', reply: '+' },
      { layout: 'tags', tag: '#', prompt: '{{ problem }} {{ solution }}', afterTag: '\n' },
      { layout: 'own' },
    ];
    for (const steps of layouts) {
      const read = await solutionSteps(engine, entry({ steps }), profile, problem, 'one\n\ntwo');
      expect(read?.positions).toHaveLength(2);
      expect(read?.tokens.length).toBeGreaterThan(200_000);
    }
  });

  test('no step, no score', async () => {
    expect(await read(entry({}), ' \n\n ')).toBeUndefined();
    expect(splitSteps('a\n\nb', { separator: '\n\n', steps: { layout: 'own' } })).toEqual(['a', 'b']);
  });
});

describe('in a solve', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 't1-entries-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const SOLUTIONS = ['good\n\nbad \\boxed{1}', 'good\n\ngood \\boxed{2}'];
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const steps = { layout: 'tags', tag: '#', prompt: '{{ problem }} {{ solution }}' };
  const prmEntry = { name: 'test', source: 'test', kind: 'prm', separator: '\n\n', good: ['+'], bad: ['-'], steps };
  /** A step that says `good` is 0.9 right, another 0.2. */
  const logprob = (text: string, target: string): number => {
    const good = text.slice(text.slice(0, -1).lastIndexOf('#') + 1).includes('good') ? 0.9 : 0.2;
    return Math.log(target === '+' ? good : 1 - good);
  };
  const solveWith = (engine: FakeEngine, more: Partial<SolveContext> = {}) =>
    solve('Q', {
      engine,
      samples: 2,
      verifier: 'steps',
      unknown: 'pass',
      rewardEntry: file('entry.json', JSON.stringify(prmEntry)),
      ...more,
    }).result;
  const scripted = (more: Partial<FakeEngineOptions> = {}): FakeEngine =>
    engineOf({
      answer: (_, seed) => SOLUTIONS[seed === sampleSeed(0, 0) ? 0 : 1] ?? '',
      logprob,
      model: { path: file('model.gguf', 'weights') },
      ...more,
    });

  test('the steps are kept with their scores, and the last decides', async () => {
    const { candidates, answer } = await solveWith(scripted());
    expect(candidates[0]?.stepScores?.map(({ text, score }) => [text, Number(score.toFixed(5))])).toEqual([
      ['good', 0.9],
      ['bad \\boxed{1}', 0.2],
    ]);
    expect(candidates.map(({ reward }) => Number(Number(reward).toFixed(5)))).toEqual([0.2, 0.9]);
    expect(answer).toBe('2');
    const mean = await solveWith(scripted(), { aggregation: 'mean' });
    expect(mean.candidates.map(({ reward }) => Number(Number(reward).toFixed(5)))).toEqual([0.55, 0.9]);
  });

  test('the second time they come from the store, with another aggregation too', async () => {
    const store = Store.open(':memory:');
    const first = await solveWith(scripted(), { store });
    const again = scripted();
    const second = await solveWith(again, { store, aggregation: 'min' });
    expect(again.jobs).toEqual({ sample: 0, score: 0 });
    expect(second.candidates.map(({ stepScores }) => stepScores)).toEqual(
      first.candidates.map(({ stepScores }) => stepScores),
    );
    store.close();
  });

  test('a class of a head', async () => {
    const entry = {
      name: 'test',
      source: 'test',
      kind: 'classifier',
      messages: [{ role: 'user', content: '{{ solution }}' }],
      good: 'YES',
    };
    const engine = scripted({
      classes: (text) => (text.includes('bad') ? [0.25, 0.75] : [0.5, 0.5]),
      model: { path: file('model.gguf', 'weights'), head },
    });
    const { candidates } = await solveWith(engine, { rewardEntry: file('classifier.json', JSON.stringify(entry)) });
    expect(candidates.map(({ reward }) => Number(Number(reward).toFixed(5)))).toEqual([0.25, 0.5]);
  });

  test('a model without any step reward is refused before anything is sampled', async () => {
    const engine = scripted();
    const failing = solve('Q', { engine, reward: 'prm' }).result;
    await expect(failing).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('a description with rewardEntry') as unknown,
    });
    expect(engine.jobs).toEqual({ sample: 0, score: 0 });
  });
});
