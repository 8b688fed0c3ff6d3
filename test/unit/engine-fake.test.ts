import { expect, test } from 'vitest';
import type { TextPiece } from '../../src/engine/engine-types.js';
import { FakeEngine } from '../../src/testing/fake-engine.js';

const sampler = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const prompt = async (engine: FakeEngine, text: string, seeds: number[]) => ({
  tokens: await engine.tokenize(text),
  seeds,
});

test('answers by prompt and seed, in order, and counts', async () => {
  const engine = new FakeEngine({ answer: (text, seed) => `${text}${seed}` });
  const { samples, usage } = await engine.sample({
    prompts: [await prompt(engine, 'ab', [1, 2]), await prompt(engine, 'ac', [3])],
    sampler,
    maxTokens: 9,
  });
  expect(samples.map(({ text, finish }) => [text, finish])).toEqual([
    ['ab1', 'eog'],
    ['ab2', 'eog'],
    ['ac3', 'eog'],
  ]);
  expect(usage).toEqual({ promptTokens: 3, sharedTokens: 3, generatedTokens: 12, decodedTokens: 15 });
  expect([engine.jobs, engine.decodedTokens]).toEqual([{ sample: 1, score: 0 }, 15]);
});

test('stops, lengths, aborts and disposal as the real engine', async () => {
  const engine = new FakeEngine({ answer: () => 'one two three', delayMs: 1 });
  const request = { prompts: [await prompt(engine, 'x', [1, 2])], sampler, maxTokens: 100 };
  expect((await engine.sample({ ...request, stop: [' t'] })).samples[0]).toMatchObject({ text: 'one', finish: 'stop' });
  expect((await engine.sample({ ...request, maxTokens: 3 })).samples[0]).toMatchObject({
    text: 'one',
    finish: 'length',
  });
  const controller = new AbortController();
  const aborted = engine.sample({ ...request, signal: controller.signal, onSample: () => controller.abort() });
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  const disposed = engine.sample({ ...request, onSample: () => void engine.dispose() });
  await expect(disposed).rejects.toMatchObject({ code: 'DISPOSED' });
});

test('scores by text and target', async () => {
  const engine = new FakeEngine({
    answer: () => '',
    logprob: (text, target) => (text.endsWith('?') && target === 'Y' ? -1 : -2),
  });
  const { logprobs } = await engine.score({
    sequences: [{ tokens: await engine.tokenize('a?'), positions: Int32Array.of(0, 1) }],
    targets: await engine.tokenize('YN'),
  });
  expect([...(logprobs[0] ?? [])]).toEqual([-2, -2, -1, -2]);
});

test('text in pieces, which are the text; none comes after an abort', async () => {
  const engine = new FakeEngine({ answer: (_, seed) => `größer → 日本 ${seed} Yes, stop here` });
  const pieces: TextPiece[] = [];
  const request = { prompts: [await prompt(engine, 'ab', [1, 2])], sampler, maxTokens: 90, stop: [' here'] };
  const { samples } = await engine.sample({ ...request, onText: (piece) => pieces.push(piece) });
  for (const { index, text, tokens } of samples) {
    const own = pieces.filter((piece) => piece.index === index);
    expect(own.length).toBeGreaterThan(3);
    expect(own.map((piece) => piece.text).join('')).toBe(text);
    expect(own.map((piece) => piece.tokens)).toEqual(
      [...new Set(own.map((piece) => piece.tokens))].sort((a, b) => a - b),
    );
    expect(own.at(-1)?.tokens).toBe(tokens.length);
  }
  const controller = new AbortController();
  let calls = 0;
  const aborted = engine.sample({
    ...request,
    signal: controller.signal,
    onText: () => ++calls === 2 && controller.abort(),
  });
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  expect(calls).toBe(2);
});

test('the most likely tokens of its distribution', async () => {
  const engine = new FakeEngine({
    answer: () => 'b',
    logprob: (text, target) => (text.endsWith('a') && target === 'b' ? -0.5 : -9),
  });
  const { samples } = await engine.sample({
    prompts: [await prompt(engine, 'a', [1])],
    sampler,
    maxTokens: 9,
    topLogprobs: 3,
  });
  expect([...(samples[0]?.top?.tokens ?? [])]).toEqual([98, 0, 1]);
  expect([...(samples[0]?.top?.logprobs ?? [])].map(Math.exp).map((p) => p.toFixed(4))).toEqual([
    '0.5000',
    '0.0019',
    '0.0019',
  ]);
  const tokens = await engine.tokenize('ab');
  const { next, top, logprobs } = await engine.score({
    sequences: [{ tokens, positions: Int32Array.of(0) }],
    targets: new Int32Array(),
    next: true,
    topLogprobs: 2,
  });
  expect([next, top, logprobs]).toEqual([
    [Float32Array.of(-0.5)],
    [{ k: 2, tokens: Int32Array.of(98, 0), logprobs: Float32Array.of(-0.5, -9) }],
    [new Float32Array()],
  ]);
  await expect(
    engine.score({ sequences: [{ tokens, positions: Int32Array.of(1) }], targets: new Int32Array(), next: true }),
  ).rejects.toMatchObject({ code: 'USAGE' });
});
