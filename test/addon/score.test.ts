import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine-types.js';
import { CELL, PLAIN, ROUNDING, request, seeds, tinyEngine } from '../support/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await tinyEngine();
});
afterAll(() => engine.dispose());

const everyToken = (): Int32Array => Int32Array.from(seeds(engine.model.vocabularySize));

test('scores are the log-probabilities that sampling reported', async () => {
  const prompt = await engine.tokenize('score me', { special: false });
  const { samples } = await engine.sample(await request(engine, 'score me', 6, { maxTokens: 20 }));
  const sequences = samples.map(({ tokens }) => ({
    tokens: Int32Array.of(...prompt, ...tokens),
    positions: Int32Array.from(tokens, (_, i) => prompt.length - 1 + i),
  }));
  const targets = everyToken();
  const { logprobs, usage } = await engine.score({ sequences, targets });
  for (const [s, sample] of samples.entries()) {
    for (const [i, token] of sample.tokens.entries()) {
      const scored = logprobs[s]?.[i * targets.length + token] ?? NaN;
      expect(Math.abs(scored - (sample.logprobs[i] ?? NaN))).toBeLessThan(ROUNDING);
    }
  }
  // The prompt is there from sampling; of each sequence its last token (its logits are wanted) and what was sampled,
  // but for the last of that.
  const own = samples.reduce((sum, { tokens }) => sum + tokens.length, 0);
  expect(usage).toEqual({
    promptTokens: own,
    sharedTokens: 6 * (prompt.length - 1),
    generatedTokens: 0,
    decodedTokens: own,
  });
});

test('a row is a distribution: probabilities add up to one', async () => {
  const tokens = await engine.tokenize('sum', { special: false });
  const { logprobs } = await engine.score({
    sequences: [{ tokens, positions: Int32Array.of(0, 2) }],
    targets: everyToken(),
  });
  const rows = logprobs[0] ?? new Float32Array();
  const n = engine.model.vocabularySize;
  for (const row of [rows.subarray(0, n), rows.subarray(n)]) {
    expect(row.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 4);
  }
});

test('many sequences of many lengths score as each does alone, in any order of positions', async () => {
  const texts = ['a', 'common start, long end of it', 'common start', 'common start, other', 'b'];
  const read = await Promise.all(texts.map((text) => engine.tokenize(text, { special: false })));
  const sequences = read.map((tokens) => ({ tokens, positions: Int32Array.of(tokens.length - 1, 0) }));
  const targets = Int32Array.of(3, 200);
  const together = await engine.score({ sequences, targets });
  for (const [i, sequence] of sequences.entries()) {
    const alone = await engine.score({ sequences: [sequence], targets });
    for (const [j, value] of (alone.logprobs[0] ?? []).entries())
      expect(Math.abs((together.logprobs[i]?.[j] ?? NaN) - value)).toBeLessThan(ROUNDING);
  }
});

test.each(['split', 'unified'] as const)('waves give the same (%s)', async (kv) => {
  const sequences = seeds(40).map((i) => ({ tokens: Int32Array.of(1, 2, 3, 10 + i, 5), positions: Int32Array.of(4) }));
  const targets = Int32Array.of(7);
  const whole = await engine.score({ sequences, targets });
  await using small = await tinyEngine({ kv, memoryBytes: CELL * 256 * 2 });
  const waves = await small.score({ sequences, targets });
  for (const [i, row] of whole.logprobs.entries())
    expect(Math.abs((waves.logprobs[i]?.[0] ?? NaN) - (row[0] ?? NaN))).toBeLessThan(ROUNDING);
});

test('no sequences, no positions, no targets: nothing to do', async () => {
  expect((await engine.score({ sequences: [], targets: Int32Array.of(1) })).logprobs).toEqual([]);
  const empty = await engine.score({
    sequences: [{ tokens: Int32Array.of(1), positions: new Int32Array() }],
    targets: Int32Array.of(1),
  });
  expect(empty.logprobs[0]?.length).toBe(0);
  expect(empty.usage.decodedTokens).toBe(0);
});

/** Sequences of `solved` candidates with a position at every step's end: here every sixth token, and the last. */
const stepEnds = (problem: Int32Array, tokens: Int32Array): Int32Array => {
  const ends = Array.from({ length: Math.floor(tokens.length / 6) }, (_, step) => problem.length + 6 * step + 5);
  return Int32Array.from(new Set([...ends, problem.length + tokens.length - 1]));
};

test.each(['split', 'unified'] as const)(
  'a process reward reads all steps of all candidates in one pass over what sampling left (%s)',
  async (kv) => {
    await using solver = await tinyEngine({ kv });
    const problem = await solver.tokenize('What is 12 + 30?', { special: false });
    const { samples } = await solver.sample({
      prompts: [{ tokens: problem, seeds: seeds(7) }],
      sampler: PLAIN,
      maxTokens: 40,
    });
    const sequences = samples.map(({ tokens }) => ({
      tokens: Int32Array.of(...problem, ...tokens),
      positions: stepEnds(problem, tokens),
    }));
    expect(sequences.some(({ positions }) => positions.length > 4)).toBe(true);
    const targets = Int32Array.of(43, 45);
    const together = await solver.score({ sequences, targets });
    // Each candidate is in the cache up to its first step's end; from there on logits are wanted, up to the last one's.
    const first = ({ positions }: { positions: Int32Array }): number => positions[0] ?? NaN;
    const last = ({ positions }: { positions: Int32Array }): number => positions.at(-1) ?? NaN;
    const read = sequences.reduce((sum, sequence) => sum + last(sequence) + 1 - first(sequence), 0);
    expect(together.usage).toEqual({
      promptTokens: read,
      sharedTokens: sequences.reduce((sum, s) => sum + first(s), 0),
      generatedTokens: 0,
      decodedTokens: read,
    });

    // Every step as a sequence of its own: of what is in the cache, only the token is read whose logits are wanted.
    const steps = sequences.flatMap(({ tokens, positions }) =>
      Array.from(positions, (end) => ({ tokens: tokens.subarray(0, end + 1), positions: Int32Array.of(end) })),
    );
    const apart = await solver.score({ sequences: steps, targets });
    expect(apart.usage).toMatchObject({
      promptTokens: steps.length,
      sharedTokens: steps.reduce((sum, step) => sum + first(step), 0),
    });

    // Cold, the steps of one candidate are a chain and the candidates a tree: each distinct prefix is read once.
    await using cold = await tinyEngine({ kv });
    const fresh = await cold.score({ sequences: steps, targets });
    const distinct = new Set(
      sequences.flatMap((sequence) =>
        Array.from({ length: last(sequence) + 1 }, (_, i) => sequence.tokens.subarray(0, i + 1).join()),
      ),
    );
    expect(fresh.usage.promptTokens).toBe(distinct.size);

    // And each alone gives the same, over the same cache and in an engine of its own.
    let step = 0;
    for (const [s, sequence] of sequences.entries()) {
      await using alone = await tinyEngine({ kv });
      const [one, other] = [
        await solver.score({ sequences: [sequence], targets }),
        await alone.score({ sequences: [sequence], targets }),
      ];
      const rows = apart.logprobs.slice(step, step + sequence.positions.length).flatMap((row) => [...row]);
      const coldRows = fresh.logprobs.slice(step, step + sequence.positions.length).flatMap((row) => [...row]);
      for (const [i, value] of (one.logprobs[0] ?? []).entries()) {
        const unlike = (scored: number | undefined): number => Math.abs((scored ?? NaN) - value);
        for (const scored of [together.logprobs[s]?.[i], rows[i], coldRows[i], other.logprobs[0]?.[i]])
          expect(unlike(scored)).toBeLessThan(ROUNDING);
      }
      step += sequence.positions.length;
    }
  },
);
