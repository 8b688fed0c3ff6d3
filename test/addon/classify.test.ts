/**
 * Classification heads, on a generated Qwen3 whose head says the logits of two tokens: so scores can be told from
 * `score`.
 */
import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine-types.js';
import { CLASS_TOKENS, classifierGguf, type ClassifierOptions } from '../support/classifier-gguf.mjs';
import { CELL, PLAIN, ROUNDING, modelFile, request, seeds, tinyEngine } from '../support/engine.js';
import { loraFile } from '../support/lora-gguf.js';

const ids = (text: string): Int32Array => Int32Array.from(Buffer.from(text));
const classifier = (options: ClassifierOptions = {}, engine: Parameters<typeof tinyEngine>[0] = {}): Promise<Engine> =>
  tinyEngine({ path: modelFile(classifierGguf(options)), ...engine });

const TEXTS = ['problem: 2 + 2 = 4', 'problem: 2 + 2 = 5', 'problem: 7', 'x', `long ${'words '.repeat(60)}`];

/** The log-softmax over the classes' tokens, from the language head. */
async function expected(
  engine: Engine,
  tokens: Int32Array,
  classTokens: readonly number[],
  adapter?: string,
): Promise<number[]> {
  const sequence = { tokens, positions: Int32Array.of(tokens.length - 1) };
  const { logprobs } = await engine.score({ sequences: [sequence], targets: Int32Array.from(classTokens), adapter });
  const row = [...(logprobs[0] ?? [])];
  const highest = Math.max(...row);
  const total = highest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - highest), 0));
  return row.map((x) => x - total);
}

function close(scores: Float32Array | undefined, right: readonly number[], within = ROUNDING): void {
  expect(scores?.length).toBe(right.length);
  for (const [c, value] of right.entries()) expect(Math.abs((scores?.[c] ?? NaN) - value)).toBeLessThan(within);
}

test.each(['split', 'unified'] as const)('scores are what the head says, as log-probabilities (%s)', async (kv) => {
  for (const classTokens of [CLASS_TOKENS, [65, 66, 67]]) {
    const labels = classTokens.map((token) => `token ${token}`);
    await using engine = await classifier({ classTokens, labels }, { kv });
    await using other = await classifier({ classTokens, labels }, { kv });
    const result = await engine.classify({ sequences: TEXTS.map(ids) });
    expect(result.labels).toEqual(labels);
    expect(result.scores).toHaveLength(TEXTS.length);
    for (const [i, text] of TEXTS.entries()) {
      close(result.scores[i], await expected(engine, ids(text), classTokens));
      // Reads each text at once instead of all but its last token first.
      close(result.scores[i], await expected(other, ids(text), classTokens));
      // Not squashed twice: these are the probabilities, and they differ from text to text.
      expect(result.scores[i]?.reduce((sum, score) => sum + Math.exp(score), 0)).toBeCloseTo(1, 4);
    }
    expect(Math.abs((result.scores[0]?.[0] ?? 0) - (result.scores[2]?.[0] ?? 0))).toBeGreaterThan(0.1);
  }
});

test('a head whose raw outputs are far apart keeps their distance', async () => {
  // 10 times the language head: probabilities that a second sigmoid would squeeze into 0.5 … 0.73.
  const scaled = {
    edit: (name: string, values: Float32Array) => {
      if (name === 'cls.output.weight') values.set(values.map((x) => 10 * x));
    },
  };
  await using plain = await classifier();
  await using far = await classifier(scaled);
  const sequences = TEXTS.map(ids);
  const [a, b] = [await plain.classify({ sequences }), await far.classify({ sequences })];
  const odds = (scores: Float32Array | undefined): number => (scores?.[0] ?? NaN) - (scores?.[1] ?? NaN);
  for (const i of sequences.keys())
    expect(Math.abs(odds(b.scores[i]) - 10 * odds(a.scores[i]))).toBeLessThan(20 * ROUNDING);
});

test.each(['split', 'unified'] as const)(
  'what other jobs have read is not read again, and waves give the same (%s)',
  async (kv) => {
    await using engine = await classifier({}, { kv });
    const prompt = ids('problem: what is 2 + 2?');
    await engine.sample({
      prompts: [{ tokens: prompt, seeds: [1] }],
      sampler: PLAIN,
      maxTokens: 4,
      reserve: { sequences: 40, tokens: 90 },
    });
    const sequences = seeds(40).map((i) => ids(`problem: what is 2 + 2?${String.fromCharCode(65 + i)} right?`));
    const { scores, usage } = await engine.classify({ sequences });
    const own = ' right?'.length + 1;
    expect(usage).toEqual({
      promptTokens: 40 * own,
      sharedTokens: 40 * prompt.length,
      generatedTokens: 0,
      decodedTokens: 40 * own,
    });
    // Again: only the last token, which goes through the head.
    expect((await engine.classify({ sequences: sequences.slice(-1) })).usage).toMatchObject({
      promptTokens: 1,
      sharedTokens: prompt.length + own - 1,
    });
    await using small = await classifier({}, { kv, memoryBytes: CELL * 256 * 2 });
    const waves = await small.classify({ sequences });
    for (const i of sequences.keys()) close(waves.scores[i], [...(scores[i] ?? [])]);
  },
);

test('runs beside samples and scores of the same engine, and all are right', async () => {
  await using engine = await classifier();
  await using alone = await classifier();
  const sequences = seeds(12).map((i) => ids(`text ${i}: ${'ab'.repeat(5 * i)}`));
  const tail = {
    sequences: [{ tokens: ids('score this'), positions: Int32Array.of(3, 9) }],
    targets: Int32Array.of(65),
  };
  const [sampled, classified, scored, urgent] = await Promise.all([
    engine.sample(await request(engine, 'sample', 8, { maxTokens: 60 })),
    engine.classify({ sequences }),
    engine.score(tail),
    engine.classify({ sequences: sequences.slice(0, 2), priority: 'interactive' }),
  ]);
  for (const { prompt, tokens, logprobs } of sampled.samples) {
    expect(prompt).toBe(0);
    const before = await engine.tokenize('sample', { special: true });
    const positions = Int32Array.from(tokens, (_, i) => before.length - 1 + i);
    const again = await alone.score({
      sequences: [{ tokens: Int32Array.of(...before, ...tokens), positions }],
      targets: tokens,
    });
    for (const [i, logprob] of logprobs.entries())
      expect(Math.abs((again.logprobs[0]?.[i * tokens.length + i] ?? NaN) - logprob)).toBeLessThan(ROUNDING);
  }
  for (const [i, tokens] of sequences.entries())
    close(classified.scores[i], await expected(alone, tokens, CLASS_TOKENS));
  for (const i of [0, 1]) close(urgent.scores[i], [...(classified.scores[i] ?? [])]);
  const right = await alone.score(tail);
  for (const j of [0, 1])
    expect(Math.abs((scored.logprobs[0]?.[j] ?? NaN) - (right.logprobs[0]?.[j] ?? NaN))).toBeLessThan(ROUNDING);
});

test('through an adapter', async () => {
  const adapters = [
    { name: 'strong', path: loraFile({ width: 64, strength: 1, metadata: { 'general.architecture': 'qwen3' } }) },
  ];
  await using engine = await classifier({}, { adapters });
  const sequences = TEXTS.map(ids);
  const base = await engine.classify({ sequences });
  const adapted = await engine.classify({ sequences, adapter: 'strong' });
  let changed = 0;
  for (const [i, tokens] of sequences.entries()) {
    close(adapted.scores[i], await expected(engine, tokens, CLASS_TOKENS, 'strong'));
    if (Math.abs((adapted.scores[i]?.[0] ?? 0) - (base.scores[i]?.[0] ?? 0)) > 0.05) changed++;
  }
  expect(changed).toBeGreaterThan(0);
});

test('the file need not name its pooling, nor its classes', async () => {
  await using engine = await classifier({ labels: ['', 'no'], metadata: { 'qwen3.pooling_type': undefined } });
  await using other = await classifier();
  const sequences = [ids('some text')];
  close((await engine.classify({ sequences })).scores[0], [...((await other.classify({ sequences })).scores[0] ?? [])]);
  expect((await engine.classify({ sequences: [ids('x')] })).labels).toEqual(['', 'no']);
  expect(await engine.classify({ sequences: [] })).toMatchObject({ scores: [], usage: { decodedTokens: 0 } });
});

test('what cannot be classified is refused', async () => {
  const failure = async (engine: Engine, sequences: Int32Array[]): Promise<unknown> =>
    engine.classify({ sequences }).catch((error: unknown) => error);
  await using none = await tinyEngine();
  expect(await failure(none, [ids('x')])).toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('no classification head') as unknown,
  });
  expect(
    (await none.score({ sequences: [{ tokens: ids('x'), positions: Int32Array.of(0) }], targets: Int32Array.of(1) }))
      .logprobs,
  ).toHaveLength(1);
  // A softmax over one class says 1 whatever the head says.
  await using one = await classifier({ classTokens: [65], labels: ['good'] });
  expect(await failure(one, [ids('x')])).toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('one class') as unknown,
  });
  expect((await one.sample(await request(one, 'x', 1, { maxTokens: 2 }))).samples).toHaveLength(1);
  await using encoder = await classifier({ architecture: 'bert' });
  expect(await failure(encoder, [ids('x')])).toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('bert') as unknown,
  });

  await using engine = await classifier();
  expect(await failure(engine, [new Int32Array()])).toMatchObject({ code: 'USAGE' });
  expect(await failure(engine, [Int32Array.of(-1)])).toMatchObject({ code: 'USAGE' });
  expect(await failure(engine, [new Int32Array(513).fill(65)])).toMatchObject({ code: 'PROMPT_TOO_LONG' });
  await expect(engine.classify({ sequences: [ids('x')], adapter: 'absent' })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(engine.classify({ sequences: [ids('x')], signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  expect((await engine.classify({ sequences: [ids('x')] })).scores).toHaveLength(1);
  await engine.dispose();
  expect(await failure(engine, [ids('x')])).toMatchObject({ code: 'DISPOSED' });
});

test('a head that says no number ends the job', async () => {
  await using engine = await classifier({ edit: (name, values) => name === 'cls.output.weight' && values.fill(NaN) });
  await expect(engine.classify({ sequences: [ids('x')] })).rejects.toMatchObject({ code: 'DECODE_FAILED' });
  expect((await engine.sample(await request(engine, 'x', 1, { maxTokens: 2 }))).samples).toHaveLength(1);
});
