import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, Sample, SampleProgress } from '../../src/engine/engine-types.js';
import { CELL, GREEDY, PLAIN, modelFile, request, seeds, tinyEngine } from '../support/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await tinyEngine();
});
afterAll(() => engine.dispose());

const tokensOf = (samples: readonly Sample[]): number[][] => samples.map(({ tokens }) => [...tokens]);

describe('one prompt, many samples', () => {
  test('shapes, order and usage', async () => {
    const finished: Sample[] = [];
    const { samples, usage } = await engine.sample(
      await request(engine, 'one two three', 7, { onSample: (sample) => finished.push(sample) }),
    );
    expect(samples.map(({ prompt, index, seed }) => [prompt, index, seed])).toEqual(seeds(7).map((i) => [0, i, i]));
    for (const { tokens, logprobs, text } of samples) {
      expect(tokens).toBeInstanceOf(Int32Array);
      expect(logprobs).toBeInstanceOf(Float32Array);
      expect(logprobs.length).toBe(tokens.length);
      expect(typeof text).toBe('string');
      for (const logprob of logprobs) expect(logprob).toBeLessThanOrEqual(0);
    }
    expect(new Set(finished)).toEqual(new Set(samples));
    const sampled = samples.reduce((sum, { tokens, finish }) => sum + tokens.length + (finish === 'eog' ? 1 : 0), 0);
    expect(usage.promptTokens).toBe((await engine.tokenize('one two three', { special: true })).length);
    expect(usage.generatedTokens).toBe(sampled);
    // The last token of each sample is not evaluated.
    expect(usage.decodedTokens).toBe(usage.promptTokens + sampled - 7);
  });

  test('same seed, same tokens; other seeds, other tokens', async () => {
    const twice = {
      prompts: [{ tokens: await engine.tokenize('abc', { special: false }), seeds: [5, 6, 5] }],
      sampler: PLAIN,
      maxTokens: 24,
    };
    const first = tokensOf((await engine.sample(twice)).samples);
    const second = tokensOf((await engine.sample(twice)).samples);
    expect(second).toEqual(first);
    expect(first[0]).toEqual(first[2]);
    expect(first[0]).not.toEqual(first[1]);
  });

  test('greedy takes the most likely token, and every row the same', async () => {
    const { samples } = await engine.sample(await request(engine, 'hello', 3, { sampler: GREEDY, maxTokens: 8 }));
    const [first, ...others] = tokensOf(samples);
    for (const other of others) expect(other).toEqual(first);
    const prompt = await engine.tokenize('hello', { special: false });
    const { logprobs } = await engine.score({
      sequences: [{ tokens: prompt, positions: Int32Array.of(prompt.length - 1) }],
      targets: Int32Array.from(seeds(engine.model.vocabularySize)),
    });
    const row = [...(logprobs[0] ?? [])];
    expect(first?.[0]).toBe(row.indexOf(Math.max(...row)));
  });

  test('top-k 1 is greedy whatever the temperature', async () => {
    const greedy = await engine.sample(await request(engine, 'hello', 2, { sampler: GREEDY }));
    const topOne = await engine.sample(
      await request(engine, 'hello', 2, { sampler: { ...PLAIN, temperature: 5, topK: 1 } }),
    );
    expect(tokensOf(topOne.samples)).toEqual(tokensOf(greedy.samples));
  });
});

describe('ends', () => {
  test('max tokens', async () => {
    const { samples } = await engine.sample(await request(engine, 'x', 4, { maxTokens: 3 }));
    for (const { tokens, finish } of samples)
      expect(finish === 'eog' ? tokens.length <= 3 : tokens.length === 3).toBe(true);
  });

  test('end-of-generation tokens end a sample and are not part of it', async () => {
    const { samples } = await engine.sample(
      await request(engine, 'x', 64, { sampler: { ...PLAIN, temperature: 2 }, maxTokens: 200 }),
    );
    const ended = samples.filter(({ finish }) => finish === 'eog');
    expect(ended.length).toBeGreaterThan(0);
    const [end] = await engine.tokenize('<|im_end|>', { special: true });
    for (const { tokens } of samples) expect(tokens).not.toContain(end);
  });

  test('end of the context', async () => {
    const tokens = new Int32Array(500).fill(65);
    const { samples } = await engine.sample({
      prompts: [{ tokens, seeds: seeds(4) }],
      sampler: GREEDY,
      maxTokens: 1000,
    });
    for (const sample of samples) {
      expect(sample.finish).toBe('length');
      expect(sample.tokens.length).toBe(engine.model.contextLength - 500);
    }
  });

  test('a stop string across token borders is cut from the text', async () => {
    const free = await engine.sample(await request(engine, 'stop here', 1, { sampler: GREEDY, maxTokens: 12 }));
    const [sample] = free.samples;
    // Byte tokens: three characters are three tokens.
    const ascii = /[ -~]{2}/.exec(sample?.text ?? '');
    const stop = ascii?.[0] ?? sample?.text.slice(2, 4) ?? '';
    const { samples } = await engine.sample(
      await request(engine, 'stop here', 1, { sampler: GREEDY, maxTokens: 12, stop: ['never', stop] }),
    );
    expect(samples[0]?.finish).toBe('stop');
    expect(samples[0]?.text).toBe(sample?.text.slice(0, sample.text.indexOf(stop)));
    expect([...(samples[0]?.tokens ?? [])]).toEqual([...(sample?.tokens ?? [])].slice(0, samples[0]?.tokens.length));
    expect(samples[0]?.tokens.length).toBeLessThan(12);
  });
});

describe('many prompts', () => {
  const texts = ['shared beginning: a', 'shared beginning: bcd', 'shared beginning:', 'shared beginning: efghi'];
  const many = async (source: Engine, n = 3) => ({
    prompts: await Promise.all(
      texts.map(async (text, i) => ({
        tokens: await source.tokenize(text, { special: false }),
        seeds: seeds(n, 10 * i),
      })),
    ),
    sampler: GREEDY,
    maxTokens: 12,
  });

  test('share a prefix and give what each gives alone', async () => {
    await using fresh = await tinyEngine();
    const { samples, usage } = await fresh.sample(await many(fresh));
    // Every node of the tree is read once, and the last token of the third again: it is inside the others, without
    // logits.
    const read = await Promise.all(texts.map((text) => fresh.tokenize(text, { special: false })));
    const prefixes = read.flatMap((tokens) => {
      return Array.from(tokens, (_, i) => tokens.subarray(0, i + 1).join());
    });
    expect(usage.promptTokens).toBe(new Set(prefixes).size + 1);
    for (const [prompt, text] of texts.entries()) {
      const alone = await engine.sample(await request(engine, text, 1, { sampler: GREEDY, maxTokens: 12 }));
      for (const sample of samples.filter((s) => s.prompt === prompt))
        expect([...sample.tokens]).toEqual([...(alone.samples[0]?.tokens ?? [])]);
    }
  });

  test.each(['split', 'unified'] as const)('waves give the same (%s)', async (kv) => {
    // Few tokens: layouts differ in the order of sums, and far enough down the road that turns a draw.
    const few = { sampler: PLAIN, maxTokens: 4 };
    const whole = await engine.sample({ ...(await many(engine, 5)), ...few });
    // K and V: 2 layers × 2 heads × (16 + 16) × 2 bytes = 256 bytes per cell, cells in steps of 256.
    await using small = await tinyEngine({ kv, memoryBytes: CELL * 256 * (kv === 'split' ? 3 : 1) });
    const { samples, usage } = await small.sample({ ...(await many(small, 5)), ...few });
    expect(tokensOf(samples)).toEqual(tokensOf(whole.samples));
    expect(usage.generatedTokens).toBe(whole.usage.generatedTokens);
  });

  test('more samples than a context has sequences', async () => {
    const { samples } = await engine.sample(await request(engine, 'many', 300, { maxTokens: 2 }));
    expect(samples.length).toBe(300);
    const few = await engine.sample({
      ...(await request(engine, 'many', 0, { maxTokens: 2 })),
      prompts: [{ tokens: await engine.tokenize('many', { special: false }), seeds: [299] }],
    });
    expect([...(samples[299]?.tokens ?? [])]).toEqual([...(few.samples[0]?.tokens ?? [])]);
  });

  test('rows that end early change nothing for the others', async () => {
    const hot = { sampler: { ...PLAIN, temperature: 1.5 }, maxTokens: 120 };
    const together = await engine.sample(await request(engine, 'q', 24, hot));
    expect(together.samples.some(({ finish }) => finish === 'eog')).toBe(true);
    const last = {
      ...(await request(engine, 'q', 0, hot)),
      prompts: [{ tokens: await engine.tokenize('q', { special: false }), seeds: [23] }],
    };
    expect([...((await engine.sample(last)).samples[0]?.tokens ?? [])]).toEqual([
      ...(together.samples[23]?.tokens ?? []),
    ]);
  });
});

test('progress comes at a bounded rate and ends before the result', async () => {
  const seen: SampleProgress[] = [];
  const started = Date.now();
  let done = false;
  await engine.sample(
    await request(engine, 'go', 128, {
      maxTokens: 400,
      onProgress: (progress) => (expect(done).toBe(false), seen.push(progress)),
    }),
  );
  done = true;
  expect(seen.length).toBeLessThanOrEqual((Date.now() - started) / 100 + 2);
  for (const { total } of seen) expect(total).toBe(128);
});

test('a callback that throws ends the job with that error', async () => {
  const error = new Error('disk full');
  const job = engine.sample(
    await request(engine, 'x', 64, {
      maxTokens: 200,
      onSample: () => {
        throw error;
      },
    }),
  );
  await expect(job).rejects.toBe(error);
  expect((await engine.sample(await request(engine, 'x', 1, { maxTokens: 1 }))).samples.length).toBe(1);
});

// On another CPU logits differ by a thousandth or so; each of these tokens leads by far more.
test('golden tokens of the generated model', async () => {
  const { samples } = await engine.sample(await request(engine, 'golden', 1, { sampler: GREEDY, maxTokens: 10 }));
  // The smallest lead over the second is 0.14.
  expect([...(samples[0]?.tokens ?? [])]).toEqual([195, 71, 5, 51, 58, 200, 71, 48, 95, 266]);
});

test('NaN in the logits is an error and names the model', async () => {
  const path = modelFile({
    edit: (name, values) => {
      if (name === 'output_norm.weight') values.fill(NaN);
    },
  });
  await using broken = await tinyEngine({ path });
  await expect(broken.sample(await request(broken, 'x', 2))).rejects.toMatchObject({
    code: 'DECODE_FAILED',
    message: expect.stringContaining('tiny test model') as string,
  });
});
