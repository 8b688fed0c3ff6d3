/** Many jobs at once, and nothing read twice. */
import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine-types.js';
import { CELL, GREEDY, PLAIN, ROUNDING, modelFile, request, seeds, tinyEngine } from '../support/engine.js';
import { loraFile } from '../support/lora-gguf.js';

const bytes = (text: string): number[] => [...Buffer.from(text)];
const ids = (...parts: (string | ArrayLike<number>)[]): Int32Array =>
  Int32Array.from(parts.flatMap((part) => (typeof part === 'string' ? bytes(part) : Array.from(part))));

/** What the generated model ends with. */
const END_TOKENS = [268, 270];

const read = (engine: Engine, sequences: readonly Int32Array[], adapter?: string) =>
  engine.score({
    sequences: sequences.map((tokens) => ({ tokens, positions: Int32Array.of(tokens.length - 1) })),
    targets: Int32Array.of(65, 66),
    adapter,
  });

test.each(['split', 'unified'] as const)(
  'a tree of problem, candidates, programs and rewards is read once (%s)',
  async (kv) => {
    await using engine = await tinyEngine({ kv });
    const problem = ids('What is 12 + 30?');
    const [n, k] = [6, 3];
    const solved = await engine.sample({
      prompts: [{ tokens: problem, seeds: seeds(n) }],
      sampler: PLAIN,
      maxTokens: 9,
    });
    const P = problem.length;
    expect(solved.usage).toMatchObject({ promptTokens: P, sharedTokens: (n - 1) * P });

    // A sample that reached its limit was not fed its last token.
    const held = solved.samples.map(({ tokens, finish }) =>
      tokens.subarray(0, finish === 'eog' ? tokens.length : tokens.length - 1),
    );
    const ask = '|program';
    const programs = await engine.sample({
      prompts: held.map((tokens, i) => ({ tokens: ids(problem, tokens, ask), seeds: seeds(k, 10 * i) })),
      sampler: PLAIN,
      maxTokens: 5,
    });
    const shared = held.reduce((sum, tokens) => sum + P + tokens.length, 0);
    expect(programs.usage.promptTokens).toBe(n * ask.length);
    expect(programs.usage.sharedTokens).toBe(shared + (k - 1) * (shared + n * ask.length));
    expect(programs.usage.decodedTokens).toBe(programs.usage.promptTokens + programs.usage.generatedTokens - n * k);

    // Shares one more byte with the programs' prompts.
    const question = '|is it right?';
    const rewards = await read(
      engine,
      held.map((tokens) => ids(problem, tokens, question)),
    );
    expect(rewards.usage).toEqual({
      promptTokens: n * (question.length - 1),
      sharedTokens: shared + n,
      generatedTokens: 0,
      decodedTokens: n * (question.length - 1),
    });

    // And it is right: an engine that has read nothing before says the same.
    await using fresh = await tinyEngine({ kv });
    const alone = await read(
      fresh,
      held.map((tokens) => ids(problem, tokens, question)),
    );
    for (const [i, row] of alone.logprobs.entries()) {
      for (const [j, value] of row.entries())
        expect(Math.abs((rewards.logprobs[i]?.[j] ?? NaN) - value)).toBeLessThan(ROUNDING);
    }
  },
);

test.each(['split', 'unified'] as const)(
  'where samples wait for places, what they share is still read once (%s)',
  async (kv) => {
    // Split: room for 24 sequences; unified: for the candidates and some 30 more. 20 candidates with 3 programs and 5
    // rationales each.
    await using engine = await tinyEngine({ kv, memoryBytes: (kv === 'split' ? 24 : 12) * 256 * CELL });
    await using roomy = await tinyEngine({ kv });
    const problem = ids('What is 12 + 30?');
    const n = 20;
    const { samples } = await engine.sample({
      prompts: [{ tokens: problem, seeds: seeds(n) }],
      sampler: PLAIN,
      maxTokens: 40,
    });
    const held = samples.map(({ tokens, finish }) =>
      ids(problem, tokens.subarray(0, finish === 'eog' ? tokens.length : tokens.length - 1)),
    );
    const ask = (on: Engine, question: string, k: number, maxTokens: number) =>
      on.sample({
        prompts: held.map((tokens) => ({ tokens: ids(tokens, question), seeds: seeds(k) })),
        sampler: GREEDY,
        maxTokens,
      });
    const jobs = (on: Engine) => Promise.all([ask(on, '|program', 3, 20), ask(on, '#rationale', 5, 13)]);
    const [programs, rationales] = await jobs(engine);
    expect(programs.usage.promptTokens).toBe(n * '|program'.length);
    expect(rationales.usage.promptTokens).toBe(n * '#rationale'.length);
    // And the sequences that were moved about on the way are what they should be.
    const [ofPrograms, ofRationales] = await jobs(roomy);
    expect(programs.samples.map(({ text }) => text)).toEqual(ofPrograms.samples.map(({ text }) => text));
    expect(rationales.samples.map(({ text }) => text)).toEqual(ofRationales.samples.map(({ text }) => text));
  },
);

test('prompts of one job share as a tree, not only what all have', async () => {
  await using engine = await tinyEngine();
  const prompts = ['root: left: a', 'root: left: b', 'root: right: a', 'root: right: b'].map((text, i) => ({
    tokens: ids(text),
    seeds: [i],
  }));
  const { usage } = await engine.sample({ prompts, sampler: PLAIN, maxTokens: 2 });
  // 'root: left: a', then 'b', then 'right: a', then 'b'.
  expect(usage).toMatchObject({ promptTokens: 13 + 1 + 8 + 1, sharedTokens: 12 + 6 + 13 });
});

test("cells of one adapter never serve another; an activated one goes on from the base model's", async () => {
  const metadata = { 'adapter.alora.invocation_tokens': Uint32Array.from(bytes('@!')) };
  const adapters = [
    { name: 'plain', path: loraFile({ width: 64, strength: 1 }) },
    { name: 'activated', path: loraFile({ width: 64, strength: 1, metadata }) },
  ];
  await using engine = await tinyEngine({ adapters });
  await using other = await tinyEngine({ adapters });
  const text = [ids('some words @! yes')];
  await read(engine, text);
  const plain = await read(engine, text, 'plain');
  expect(plain.usage).toMatchObject({ promptTokens: 17, sharedTokens: 0 });
  const activated = await read(engine, text, 'activated');
  expect(activated.usage).toMatchObject({ promptTokens: 6, sharedTokens: 11 });
  const again = await read(engine, text, 'activated');
  expect(again.usage).toMatchObject({ promptTokens: 1, sharedTokens: 16 });
  for (const [name, result] of [
    ['plain', plain],
    ['activated', activated],
    ['activated', again],
  ] as const) {
    const alone = await read(other, text, name);
    for (const j of [0, 1])
      expect(Math.abs((result.logprobs[0]?.[j] ?? NaN) - (alone.logprobs[0]?.[j] ?? NaN))).toBeLessThan(ROUNDING);
  }
});

test.each(['split', 'unified'] as const)(
  'little memory: waves and evictions, and every token is drawn from the right distribution (%s)',
  async (kv) => {
    const prompts = seeds(12).map((i) => ({ tokens: ids(`problem ${i % 4}: `, String(i)), seeds: seeds(5, i) }));
    await using whole = await tinyEngine();
    await using small = await tinyEngine({ kv, memoryBytes: CELL * 256 * (kv === 'split' ? 3 : 1) });
    for (let round = 0; round < 3; round++) {
      const { samples } = await small.sample({ prompts, sampler: PLAIN, maxTokens: 6 });
      expect(samples.length).toBe(60);
      for (const { prompt, tokens, logprobs } of samples) {
        const before = prompts[prompt]?.tokens ?? new Int32Array();
        const positions = Int32Array.from(tokens, (_, i) => before.length - 1 + i);
        const scored = await whole.score({ sequences: [{ tokens: ids(before, tokens), positions }], targets: tokens });
        for (const [i, logprob] of logprobs.entries())
          expect(Math.abs((scored.logprobs[0]?.[i * tokens.length + i] ?? NaN) - logprob)).toBeLessThan(ROUNDING);
      }
    }
  },
);

test('a job that comes later ends first if it is shorter, and both are right', async () => {
  await using engine = await tinyEngine();
  const order: string[] = [];
  const long = engine
    .sample(await request(engine, 'long', 48, { maxTokens: 400, sampler: GREEDY }))
    .then((result) => (order.push('long'), result));
  const short = engine
    .sample(await request(engine, 'short', 4, { maxTokens: 6, sampler: GREEDY }))
    .then((result) => (order.push('short'), result));
  const [a, b] = [await long, await short];
  expect(order).toEqual(['short', 'long']);
  expect([a.samples.length, b.samples.length]).toEqual([48, 4]);
  await using alone = await tinyEngine();
  const { samples } = await alone.sample(await request(alone, 'short', 1, { maxTokens: 6, sampler: GREEDY }));
  for (const { tokens } of b.samples) expect([...tokens]).toEqual([...(samples[0]?.tokens ?? [])]);
});

test('a place that becomes free is taken at once: many short jobs pass a long one', async () => {
  await using engine = await tinyEngine({ memoryBytes: CELL * 512 * 4 }); // 4 sequences
  const order: string[] = [];
  const job = async (name: string, maxTokens: number) =>
    engine.sample(await request(engine, name, 1, { maxTokens, sampler: GREEDY, onSample: () => order.push(name) }));
  await Promise.all([job('long', 400), ...seeds(8).map((i) => job(`short ${i}`, 4))]);
  expect(order).toHaveLength(9);
  expect(order.at(-1)).toBe('long');
});

test.each([
  ['places', 256 << 20],
  ['no place left', CELL * 512 * 65],
])('an interactive job has its first token within two decodes while 64 rows run (%s)', async (_, memoryBytes) => {
  await using engine = await tinyEngine({ memoryBytes });
  const sweep = engine.sample(
    await request(engine, 'sweep', 128, { maxTokens: 480, sampler: GREEDY, onProgress: () => started() }),
  );
  let started = (): void => {};
  await new Promise<void>((resolve) => (started = resolve));
  for (let i = 0; i < 3; i++) {
    const result = await engine.sample(await request(engine, `now ${i}`, 3, { maxTokens: 3, priority: 'interactive' }));
    expect(result.firstTokenDecodes).toBeGreaterThan(0);
    expect(result.firstTokenDecodes).toBeLessThanOrEqual(2);
  }
  // Those that lost their place for it end as the others do.
  const { samples } = await sweep;
  expect(new Set(samples.map(({ tokens }) => tokens.length)).size).toBe(1);
});

test('a job that is too long for the context stops nobody behind it, and has its turn', async () => {
  await using engine = await tinyEngine();
  const order: string[] = [];
  const job = async (name: string, n: number, maxTokens: number, onProgress = () => {}) =>
    engine.sample(await request(engine, name, n, { maxTokens, onProgress, onSample: () => order.push(name) }));
  let started = (): void => {};
  const running = new Promise<void>((resolve) => (started = resolve));
  const sweep = job('sweep', 256, 100, () => started()); // a context of 256 cells
  await running;
  const long = job('long', 1, 450);
  const short = job('short', 1, 2);
  await Promise.all([sweep, long, short]);
  expect(order.indexOf('short')).toBeLessThan(order.lastIndexOf('sweep'));
  expect(order.filter((name) => name === 'sweep')).toHaveLength(256);
  expect(order).toContain('long');
  expect(engine.statistics().contexts).toBe(2);
});

test('an abort of one job leaves the other and its tokens alone', async () => {
  await using engine = await tinyEngine();
  const controller = new AbortController();
  const aborted = engine.sample(
    await request(engine, 'gone', 32, {
      maxTokens: 450,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }),
  );
  const kept = engine.sample(await request(engine, 'kept', 4, { maxTokens: 300, sampler: GREEDY }));
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  const { samples } = await kept;
  expect(new Set(samples.map(({ tokens }) => tokens.join())).size).toBe(1);
  // Its cells are free: nothing of it is found.
  const { usage } = await engine.sample(await request(engine, 'gone', 1, { maxTokens: 1 }));
  expect(usage.sharedTokens).toBe(0);
});

test('the queue has a bound', async () => {
  await using engine = await tinyEngine({ queueLimit: 3 });
  const jobs = seeds(3).map(async (i) => engine.sample(await request(engine, `job ${i}`, 4, { maxTokens: 50 })));
  await expect(engine.sample(await request(engine, 'one too many', 1))).rejects.toMatchObject({
    code: 'QUEUE_FULL',
    message: expect.stringContaining('3 jobs') as string,
  });
  await Promise.all(jobs);
  expect((await engine.sample(await request(engine, 'again', 1))).samples.length).toBe(1);
});

test('logits without a number end their job alone', async () => {
  // Token 66 poisons whatever reads it.
  const path = modelFile({
    edit: (name, values) => {
      if (name === 'token_embd.weight') values.fill(NaN, 66 * 64, 67 * 64);
    },
  });
  await using engine = await tinyEngine({ path });
  const good = read(engine, [ids('aaaa'), ids('aaac')]);
  const bad = read(engine, [ids('aaBa')]);
  await expect(bad).rejects.toMatchObject({ code: 'DECODE_FAILED' });
  expect((await good).logprobs.flatMap((row) => [...row]).every(Number.isFinite)).toBe(true);
  expect((await read(engine, [ids('aaaa')])).logprobs[0]?.length).toBe(2);
});

test('a priority that there is not is wrong usage', async () => {
  await using engine = await tinyEngine();
  await expect(engine.sample(await request(engine, 'x', 1, { priority: 'soon' as never }))).rejects.toMatchObject({
    code: 'USAGE',
  });
});

test('what waits for a place gets it by ordinal, then by arrival', async () => {
  await using engine = await tinyEngine({ kv: 'split', memoryBytes: CELL * 256 * 2 }); // 2 sequences
  const order: string[] = [];
  const wanted = (name: string, ordinal: number | undefined, n: number, maxTokens: number) =>
    request(engine, name, n, {
      ...(ordinal === undefined ? {} : { ordinal }),
      maxTokens,
      sampler: GREEDY,
      logitBias: END_TOKENS.map((token) => ({ token, bias: -Infinity })), // all of one length: they end as they began
      onSample: () => order.push(name),
    });
  // The first one has both places for thousands of decodes: the others are there long before one of them is free.
  const samples = [
    await wanted('holding', 0, 24, 240),
    await wanted('ninth', 9, 2, 8),
    await wanted('fifth', 5, 2, 8),
    await wanted('second', 2, 4, 8),
    await wanted('second too', 2, 2, 8),
    await wanted('none', undefined, 2, 8),
  ];
  const tokens = ids('score');
  await Promise.all([
    ...samples.map((each) => engine.sample(each)),
    engine
      .score({ sequences: [{ tokens, positions: Int32Array.of(2) }], targets: Int32Array.of(65), ordinal: 3 })
      .then(() => order.push('third')),
  ]);
  const times = (name: string, n: number): string[] => Array.from({ length: n }, () => name);
  expect(order.filter((name) => name !== 'third')).toEqual([
    ...times('holding', 24),
    ...times('none', 2),
    ...times('second', 4),
    ...times('second too', 2),
    ...times('fifth', 2),
    ...times('ninth', 2),
  ]);
  // It is done as soon as it has a place, and so ends before those that have got theirs just before it.
  expect(order.indexOf('third')).toBeGreaterThan(order.lastIndexOf('second'));
  expect(order.indexOf('third')).toBeLessThan(order.indexOf('fifth'));
});

test.each([-1, 0.5, NaN, 2 ** 53, '3'])('an ordinal of %s is wrong usage', async (ordinal) => {
  await using engine = await tinyEngine();
  await expect(engine.sample(await request(engine, 'x', 1, { ordinal: ordinal as never }))).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('ordinal') as string,
  });
  const tokens = ids('x');
  await expect(
    engine.score({ sequences: [{ tokens, positions: Int32Array.of(0) }], targets: tokens, ordinal: ordinal as never }),
  ).rejects.toMatchObject({ code: 'USAGE' });
  await expect(engine.classify({ sequences: [tokens], ordinal: ordinal as never })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('ordinal') as string,
  });
});
