import { expect, test } from 'vitest';
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
