import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine-types.js';
import { request, seeds, tinyEngine } from '../support/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await tinyEngine();
});
afterAll(() => engine.dispose());

const everyToken = (): Int32Array => Int32Array.from(seeds(engine.model.vocabularySize));

test('scores are the log-probabilities that sampling reported', async () => {
  const prompt = engine.tokenize('score me', { special: false });
  const { samples } = await engine.sample(request(engine, 'score me', 6, { maxTokens: 20 }));
  const sequences = samples.map(({ tokens }) => ({
    tokens: Int32Array.of(...prompt, ...tokens),
    positions: Int32Array.from(tokens, (_, i) => prompt.length - 1 + i),
  }));
  const targets = everyToken();
  const { logprobs, usage } = await engine.score({ sequences, targets });
  for (const [s, sample] of samples.entries()) {
    for (const [i, token] of sample.tokens.entries()) {
      expect(logprobs[s]?.[i * targets.length + token]).toBeCloseTo(sample.logprobs[i] ?? NaN, 3);
    }
  }
  // The prompt is there from sampling; of each sequence its last token (its logits are wanted) and what was sampled, but
  // for the last of that.
  const own = samples.reduce((sum, { tokens }) => sum + tokens.length, 0);
  expect(usage).toEqual({ promptTokens: own, sharedTokens: 6 * (prompt.length - 1), generatedTokens: 0, decodedTokens: own });
});

test('a row is a distribution: probabilities add up to one', async () => {
  const tokens = engine.tokenize('sum', { special: false });
  const { logprobs } = await engine.score({ sequences: [{ tokens, positions: Int32Array.of(0, 2) }], targets: everyToken() });
  const rows = logprobs[0] ?? new Float32Array();
  const n = engine.model.vocabularySize;
  for (const row of [rows.subarray(0, n), rows.subarray(n)]) {
    expect(row.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 4);
  }
});

test('many sequences of many lengths score as each does alone, in any order of positions', async () => {
  const texts = ['a', 'common start, long end of it', 'common start', 'common start, other', 'b'];
  const sequences = texts.map((text) => {
    const tokens = engine.tokenize(text, { special: false });
    return { tokens, positions: Int32Array.of(tokens.length - 1, 0) };
  });
  const targets = Int32Array.of(3, 200);
  const together = await engine.score({ sequences, targets });
  for (const [i, sequence] of sequences.entries()) {
    const alone = await engine.score({ sequences: [sequence], targets });
    for (const [j, value] of (alone.logprobs[0] ?? []).entries()) expect(together.logprobs[i]?.[j]).toBeCloseTo(value, 3);
  }
});

test.each(['split', 'unified'] as const)('waves give the same (%s)', async (kv) => {
  const sequences = seeds(40).map((i) => ({ tokens: Int32Array.of(1, 2, 3, 10 + i, 5), positions: Int32Array.of(4) }));
  const targets = Int32Array.of(7);
  const whole = await engine.score({ sequences, targets });
  await using small = await tinyEngine({ kv, memoryBytes: 256 * 256 * 2 });
  const waves = await small.score({ sequences, targets });
  for (const [i, row] of whole.logprobs.entries()) expect(Math.abs((waves.logprobs[i]?.[0] ?? NaN) - (row[0] ?? NaN))).toBeLessThan(0.01);
});

test('no sequences, no positions, no targets: nothing to do', async () => {
  expect((await engine.score({ sequences: [], targets: Int32Array.of(1) })).logprobs).toEqual([]);
  const empty = await engine.score({ sequences: [{ tokens: Int32Array.of(1), positions: new Int32Array() }], targets: Int32Array.of(1) });
  expect(empty.logprobs[0]?.length).toBe(0);
  expect(empty.usage.decodedTokens).toBe(0);
});
