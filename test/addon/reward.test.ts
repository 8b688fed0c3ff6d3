/**
 * Every kind of reward on small generated models, against the exact model: nothing squeezed, nothing read a token too
 * late.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine-types.js';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { renderPrompt } from '../../src/prompt/prompt.js';
import { solve, type SolveContext } from '../support/solve.js';
import type { SolveResult } from '../../src/types.js';
import { classifierGguf } from '../support/classifier-gguf.mjs';
import { ROUNDING, folder, modelFile, tinyEngine } from '../support/engine.js';
import { ExactModel } from '../support/exact-model.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { CHAT_TEMPLATE, tinyGguf } from '../support/tiny-gguf.mjs';

const PROBLEM = 'What is 2 + 2?';
const SOLUTIONS = ['2 + 2 = 4.\n\nSo \\boxed{4}.', 'Two and two.\n\nThat is five.\n\n\\boxed{5}', '\\boxed{6}'];
/** A share is at most a quarter as sensitive as the log-probabilities that it is made of, of which there are two. */
const WITHIN = ROUNDING / 2;

/** The file, and what it should say. */
const made = (content: Buffer): { readonly path: string; readonly model: ExactModel } => ({
  path: modelFile(content),
  model: new ExactModel(readGguf(content)),
});

let entries = 0;
function entryFile(entry: object): string {
  const path = join(folder, `entry-${entries++}.json`);
  writeFileSync(path, JSON.stringify({ name: 'test', source: 'this test', ...entry }));
  return path;
}

/** Solutions come from a script; only the reward asks the real model. */
async function rewards(rewardEngine: Engine, settings: Partial<SolveContext>): Promise<SolveResult> {
  const solver = modelFile();
  const numberOf = (seed: number): number => SOLUTIONS.findIndex((_, i) => sampleSeed(0, i) === seed);
  await using engine = new FakeEngine({
    answer: (_, seed) => SOLUTIONS[numberOf(seed)] ?? '',
    model: { path: solver },
  });
  return await solve(PROBLEM, {
    engine,
    rewardEngine,
    samples: SOLUTIONS.length,
    verifier: 'steps',
    unknown: 'pass',
    ...settings,
  }).result;
}

/** P(good) against P(bad), from the whole softmax of the exact model, where `tokens` end. */
function share(model: ExactModel, tokens: Int32Array, good: number, bad: number): number {
  const logprobs = model.logprobs([...tokens], [tokens.length - 1])[0];
  const [p, q] = [Math.exp(logprobs?.[good] ?? NaN), Math.exp(logprobs?.[bad] ?? NaN)];
  return p / (p + q);
}

const turn = (role: string, content: string): string => `<|im_start|>${role}\n${content}<|im_end|>\n`;
const ASSISTANT = '<|im_start|>assistant\n';
/** Of a printable character: its byte. */
const idOf = (character: string): number => character.charCodeAt(0);
const [PLUS, MINUS] = [idOf('+'), idOf('-')];

const engineOf = (path: string, kv: 'split' | 'unified' = 'split'): Promise<Engine> => tinyEngine({ path, kv });

describe.each(['split', 'unified'] as const)('with the %s layout', (kv) => {
  test('yes-no', async () => {
    const { model, path } = made(tinyGguf());
    await using engine = await engineOf(path, kv);
    const rewardEntry = entryFile({
      kind: 'yes-no',
      messages: [{ role: 'user', content: '{{ problem }} {{ solution }} ok?' }],
      good: ['Y'],
      bad: ['N'],
    });
    const { candidates } = await rewards(engine, { reward: 'auto', rewardEntry });
    for (const [i, solution] of SOLUTIONS.entries()) {
      const tokens = await engine.tokenize(turn('user', `${PROBLEM} ${solution} ok?`) + ASSISTANT, { special: true });
      expect(Math.abs(Number(candidates[i]?.reward ?? NaN) - share(model, tokens, idOf('Y'), idOf('N')))).toBeLessThan(
        WITHIN,
      );
    }
  });

  test('prm, steps as turns: read where the model would answer, whatever it would have said before', async () => {
    const { model, path } = made(tinyGguf());
    await using engine = await engineOf(path, kv);
    const steps = { layout: 'turns', turn: '{% if first %}{{ problem }} {% endif %}{{ step }}', reply: '+' };
    const rewardEntry = entryFile({ kind: 'prm', separator: '\n\n', good: ['+'], bad: ['-'], steps });
    const { candidates } = await rewards(engine, { rewardEntry });
    for (const [i, solution] of SOLUTIONS.entries()) {
      let text = '';
      const expected: number[] = [];
      for (const [k, step] of solution.split('\n\n').entries()) {
        text += turn('user', k === 0 ? `${PROBLEM} ${step}` : step) + ASSISTANT;
        expected.push(share(model, await engine.tokenize(text, { special: true }), PLUS, MINUS));
        text += '+<|im_end|>\n';
      }
      const scores = candidates[i]?.stepScores ?? [];
      expect(scores.map((step) => step.text)).toEqual(solution.split('\n\n'));
      for (const [k, score] of expected.entries())
        expect(Math.abs((scores[k]?.score ?? NaN) - score)).toBeLessThan(WITHIN);
      expect(candidates[i]?.reward).toBe(scores.at(-1)?.score);
    }
  });

  test('prm, a tag after each step', async () => {
    const { model, path } = made(tinyGguf());
    await using engine = await engineOf(path, kv);
    const steps = { layout: 'tags', tag: '#', prompt: '{{ problem }} {{ solution }}', afterTag: '\n' };
    const rewardEntry = entryFile({
      kind: 'prm',
      separator: '\n\n',
      good: ['+'],
      bad: ['-'],
      aggregation: 'min',
      steps,
    });
    const { candidates } = await rewards(engine, { rewardEntry });
    for (const [i, solution] of SOLUTIONS.entries()) {
      let text = `${PROBLEM} `;
      const expected: number[] = [];
      for (const [k, step] of solution.split('\n\n').entries()) {
        text += `${k === 0 ? '' : '\n'}${step}#`;
        expected.push(share(model, await engine.tokenize(text, { special: true }), PLUS, MINUS));
      }
      const scores = candidates[i]?.stepScores ?? [];
      for (const [k, score] of expected.entries())
        expect(Math.abs((scores[k]?.score ?? NaN) - score)).toBeLessThan(WITHIN);
      expect(candidates[i]?.reward).toBe(Math.min(...scores.map(({ score }) => score)));
    }
  });

  test('genrm: P(Yes) where the written judgement asks; the mean of all', async () => {
    const { model, path } = made(tinyGguf({ metadata: { 'llama.context_length': 2048 } }));
    await using engine = await engineOf(path, kv);
    const messages = [{ role: 'user', content: '{{ problem }} {{ solution }}' }];
    const rewardEntry = entryFile({
      kind: 'genrm',
      messages,
      ask: 'ok?',
      grammar: 'root ::= [a-e] " ok?"',
      good: ['Y'],
      bad: ['N'],
    });
    const { candidates } = await rewards(engine, { rewardEntry, rationales: 4 });
    for (const [i, solution] of SOLUTIONS.entries()) {
      const { rationales = [], reward } = candidates[i] ?? {};
      expect(rationales).toHaveLength(4);
      for (const { text, score } of rationales) {
        const tokens = await engine.tokenize(`${turn('user', `${PROBLEM} ${solution}`)}${ASSISTANT}${text}ok?`, {
          special: true,
        });
        expect(Math.abs((score ?? NaN) - share(model, tokens, idOf('Y'), idOf('N')))).toBeLessThan(WITHIN);
      }
      expect(reward).toBeCloseTo(rationales.reduce((sum, { score }) => sum + (score ?? NaN), 0) / 4, 12);
    }
  });

  test('classifier: the probability of its class as it is', async () => {
    const { model, path } = made(classifierGguf());
    await using engine = await engineOf(path, kv);
    const rewardEntry = entryFile({
      kind: 'classifier',
      messages: [{ role: 'user', content: '{{ problem }} {{ solution }}' }],
      good: 'YES',
    });
    const { candidates } = await rewards(engine, { rewardEntry });
    for (const [i, solution] of SOLUTIONS.entries()) {
      const tokens = await engine.tokenize(turn('user', `${PROBLEM} ${solution}`) + ASSISTANT, { special: true });
      expect(Math.abs(Number(candidates[i]?.reward ?? NaN) - share(model, tokens, 0, 1))).toBeLessThan(WITHIN);
    }
  });
});

test.each(['{{ bos_token }}', ''])(
  'a beginning-of-sequence token is there once, and only at the beginning (template begins with "%s")',
  async (bos) => {
    const metadata = { 'tokenizer.ggml.add_bos_token': true, 'tokenizer.chat_template': bos + CHAT_TEMPLATE };
    const { model, path } = made(tinyGguf({ metadata }));
    await using engine = await engineOf(path);
    const bosToken = await engine.tokenize('', { special: true, addBos: true });
    const tokensOf = async (text: string): Promise<Int32Array> =>
      Int32Array.of(...bosToken, ...(await engine.tokenize(text, { special: true, addBos: false })));

    const turns = { layout: 'turns', turn: '{{ step }}', reply: '+' };
    const prm = await rewards(engine, {
      rewardEntry: entryFile({ kind: 'prm', separator: '\n\n', good: ['+'], bad: ['-'], steps: turns }),
    });
    const [first = '', second = ''] = SOLUTIONS[0]?.split('\n\n') ?? [];
    const before = `${turn('user', first)}${ASSISTANT}+<|im_end|>\n${turn('user', second)}${ASSISTANT}`;
    expect(
      Math.abs(Number(prm.candidates[0]?.reward ?? NaN) - share(model, await tokensOf(before), PLUS, MINUS)),
    ).toBeLessThan(WITHIN);

    // The same model solves and judges: the reward's prompt continues the candidate's own tokens.
    const solved = { tokens: await tokensOf(`${turn('user', PROBLEM)}${ASSISTANT}`), text: 'So \\boxed{4}.' };
    const own = await renderPrompt(
      engine,
      { messages: [{ role: 'user', content: PROBLEM }], assistantPrefix: '' },
      { problem: PROBLEM },
    );
    expect(own.tokens).toEqual(solved.tokens);
    const role = {
      messages: [
        { role: 'user' as const, content: PROBLEM },
        { role: 'assistant' as const, content: '{{ solution }}' },
        { role: 'user' as const, content: 'ok?' },
      ],
      assistantPrefix: '',
    };
    const said = await engine.tokenize(solved.text, { special: false, addBos: false });
    const asked = await renderPrompt(
      engine,
      role,
      { problem: PROBLEM, solution: solved.text },
      { prompt: own, text: solved.text, tokens: said },
    );
    expect(asked.tokens).toEqual(
      await tokensOf(`${turn('user', PROBLEM)}${turn('assistant', solved.text)}${turn('user', 'ok?')}${ASSISTANT}`),
    );
  },
);

test('the exact model is this model: all log-probabilities, not only the verdicts', async () => {
  const { model, path } = made(tinyGguf());
  await using engine = await engineOf(path);
  const tokens = await engine.tokenize('problem: the sum of 2 and 2', { special: false });
  const targets = Int32Array.from({ length: engine.model.vocabularySize }, (_, i) => i);
  const { logprobs } = await engine.score({
    sequences: [{ tokens, positions: Int32Array.of(tokens.length - 1) }],
    targets,
  });
  const expected = model.logprobs([...tokens], [tokens.length - 1])[0];
  for (const [token, logprob] of expected?.entries() ?? [])
    expect(Math.abs((logprobs[0]?.[token] ?? NaN) - logprob)).toBeLessThan(ROUNDING);
});

describe('a wrong entry is refused before anything is decoded', () => {
  const prm = {
    kind: 'prm',
    separator: '\n\n',
    good: ['+'],
    bad: ['-'],
    steps: { layout: 'tags', tag: '#', prompt: '{{ problem }} {{ solution }}' },
  };
  const classifier = { kind: 'classifier', messages: [{ role: 'user', content: '{{ solution }}' }], good: 'yes' };

  test.each([
    ['a word that is no token', { ...prm, good: ['correct'] }, 'MODEL_INVALID', /"correct".*single token/],
    [
      'a separator of several tokens',
      { ...prm, steps: { ...prm.steps, tag: 'ки' } },
      'MODEL_INVALID',
      /step tag "ки" is 4 tokens/,
    ],
    ['verdicts that are one', { ...prm, bad: ['+'] }, 'MODEL_INVALID', /in common/],
    ['a missing head', classifier, 'USAGE', /has none/],
    ['a missing field', { ...prm, good: undefined }, 'INPUT', /good/],
    ['an unknown field', { ...prm, goood: ['+'] }, 'INPUT', /goood/],
    ['an unknown kind', { kind: 'oracle' }, 'INPUT', /kind/],
    [
      'a model that llama.cpp cannot read',
      { kind: 'unsupported', why: 'it has a value head' },
      'MODEL_INVALID',
      /value head/,
    ],
  ])('%s', async (_, entry, code, message) => {
    await using engine = await tinyEngine();
    const failing = rewards(engine, { rewardEntry: entryFile(entry) });
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
    expect(engine.statistics().rows).toBe(0);
  });

  test('a class that the head has not', async () => {
    await using engine = await tinyEngine({ path: modelFile(classifierGguf()) });
    const failing = rewards(engine, { rewardEntry: entryFile({ ...classifier, good: 'right' }) });
    await expect(failing).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/"right".*\["yes","no"\]/) as unknown,
    });
    expect(engine.statistics().rows).toBe(0);
  });

  test('a head that llama.cpp does not know', async () => {
    const value = { shape: [64, 1], values: new Float32Array(64) };
    await using engine = await tinyEngine({ path: modelFile({ tensors: { 'v_head.summary.weight': value } }) });
    expect(engine.model.head).toMatchObject({
      tensors: ['v_head.summary.weight'],
      problem: expect.stringContaining('cls.output.weight') as unknown,
    });
    await expect(rewards(engine, { rewardEntry: entryFile(classifier) })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    });
  });

  test('a file that is not there', async () => {
    await using engine = await tinyEngine();
    await expect(rewards(engine, { rewardEntry: join(folder, 'absent.json') })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });
});
