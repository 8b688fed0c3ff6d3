/** What an engine is loaded with: KV layout and type, device, reproducibility; and what it counts. */
import { expect, test } from 'vitest';
import type { KvCosts } from '../../src/engine/engine-types.js';
import { shippedModel } from '../../src/paths.js';
import { codeOf } from '../support/code-of.js';
import { GREEDY, PLAIN, request, seeds, tinyEngine } from '../support/engine.js';

const CHEAP_UNIFIED: KvCosts = {
  decode: 1e-3,
  rowSplit: 1,
  rowUnified: 1e-3,
  cellSplit: 1,
  cellUnified: 1e-9,
  copy: 1,
};
const CHEAP_SPLIT: KvCosts = {
  decode: 1e-3,
  rowSplit: 1e-3,
  rowUnified: 1,
  cellSplit: 1e-9,
  cellUnified: 1,
  copy: 1e-9,
};

test('with kv auto, costs that are known decide, and nothing is measured', async () => {
  for (const [costs, kv] of [
    [CHEAP_UNIFIED, 'unified'],
    [CHEAP_SPLIT, 'split'],
  ] as const) {
    await using engine = await tinyEngine({ kv: 'auto' });
    engine.useCosts(costs);
    await engine.sample({ ...(await request(engine, 'hello', 8, { sampler: GREEDY })), maxTokens: 6 });
    expect(engine.statistics()).toMatchObject({ kv, calibrated: false, costs });
  }
});

test('both layouts give the same greedy text', async () => {
  const texts = await Promise.all(
    (['split', 'unified'] as const).map(async (kv) => {
      await using engine = await tinyEngine({ kv });
      const { samples } = await engine.sample({
        ...(await request(engine, 'hello', 3, { sampler: GREEDY })),
        maxTokens: 12,
      });
      return samples.map(({ text }) => text);
    }),
  );
  expect(texts[0]).toEqual(texts[1]);
});

test('with kv auto, much work is measured first, once; little work is not', async () => {
  await using engine = await tinyEngine({ kv: 'auto' });
  await engine.sample({ ...(await request(engine, 'hello', 2, { sampler: PLAIN })), maxTokens: 4 });
  expect(engine.statistics().calibrated).toBe(false);
  await using other = await tinyEngine({ kv: 'auto' });
  await other.sample({ ...(await request(other, 'hello', 256, { sampler: PLAIN })), maxTokens: 100 });
  const { calibrated, costs, kv } = other.statistics();
  expect(calibrated).toBe(true);
  expect(['split', 'unified']).toContain(kv);
  expect(Object.values(costs ?? {}).every(Number.isFinite)).toBe(true);
  expect(costs?.decode).toBeGreaterThan(0);
});

test('costs that are no numbers are refused', async () => {
  await using engine = await tinyEngine();
  expect(codeOf(() => engine.useCosts({ ...CHEAP_SPLIT, copy: NaN }))).toBe('USAGE');
});

test('a KV cache of q8_0 takes about half the memory and hardly changes the scores', async () => {
  const scores = await Promise.all(
    (['f16', 'q8_0'] as const).map(async (kvType) => {
      await using engine = await tinyEngine({ path: shippedModel, kvType, flashAttention: 'on' });
      const tokens = await engine.tokenize('What is 12 + 30? It is 42.', { special: false });
      const { logprobs } = await engine.score({
        sequences: [{ tokens, positions: Int32Array.of(5, 11) }],
        targets: Int32Array.of(65, 66),
      });
      return { logprobs: [...(logprobs[0] ?? [])], bytes: engine.statistics().kvBytes, build: engine.build };
    }),
  );
  const [exact, rounded] = scores;
  if (!exact || !rounded) throw new Error('two engines');
  expect(rounded.bytes / exact.bytes).toBeCloseTo(34 / 64, 5);
  for (const [i, value] of exact.logprobs.entries()) {
    expect(Math.abs((rounded.logprobs[i] ?? NaN) - value)).toBeLessThan(0.25);
  }
  expect(rounded.logprobs).not.toEqual(exact.logprobs);
  // Results of one are not taken for results of the other.
  expect(rounded.build).not.toBe(exact.build);
});

test('the identity names what results depend on, and of a reproducible engine everything', async () => {
  const identityOf = async (more: Parameters<typeof tinyEngine>[0]) => {
    await using engine = await tinyEngine(more);
    return JSON.stringify(engine.identity);
  };
  const [plain, reproducible] = [{}, { reproducible: true }];
  const changes = [{ contextLength: 100 }, { kvType: 'f16' }] as const;
  const roundings = [{ kv: 'split' }, { ubatch: 64 }, { batch: 64 }, { threads: 2 }, { flashAttention: 'on' }] as const;
  const all = await Promise.all(
    [plain, ...changes, reproducible, ...[...changes, ...roundings].map((each) => ({ ...each, ...reproducible }))].map(
      identityOf,
    ),
  );
  expect(new Set(all).size).toBe(all.length);
  for (const same of [...roundings, { queueLimit: 3 }, { contextLength: 1_000_000 }])
    expect(await identityOf(same)).toBe(all[0]);
  expect(await identityOf({ ...reproducible, queueLimit: 3 })).toBe(await identityOf(reproducible));
});

test('a KV cache of q8_0 is refused where the heads do not divide into its blocks', async () => {
  await using engine = await tinyEngine({ kvType: 'q8_0', flashAttention: 'on' });
  await expect(engine.sample(await request(engine, 'hello', 1))).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('q8_0'),
  });
});

test('a quantised KV cache without flash attention is refused', async () => {
  await expect(tinyEngine({ kvType: 'q8_0', flashAttention: 'off' })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('flash'),
  });
});

test('a device is picked by name; one that is not there is refused with the names of those that are', async () => {
  await using engine = await tinyEngine({ device: 'CPU' });
  const { samples } = await engine.sample({
    ...(await request(engine, 'hello', 1, { sampler: GREEDY })),
    maxTokens: 3,
  });
  expect(samples).toHaveLength(1);
  await expect(tinyEngine({ device: 'Tape0' })).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('CPU'),
  });
});

test('reproducible: the same tokens and log-probabilities whatever runs beside or ran before', async () => {
  const bits = (samples: readonly { readonly tokens: Int32Array; readonly logprobs: Float32Array }[]) =>
    samples.map(({ tokens, logprobs }) => [[...tokens], [...logprobs]]);
  await using quiet = await tinyEngine({ reproducible: true });
  const job = { ...(await request(quiet, 'What is 12 + 30?', 8, { sampler: PLAIN })), maxTokens: 24 };
  const alone = await quiet.sample(job);

  await using busy = await tinyEngine({ reproducible: true });
  const others = [
    busy.sample({ ...(await request(busy, 'What is 12 + 3', 5, { sampler: PLAIN })), maxTokens: 40 }),
    busy.sample({ ...(await request(busy, 'Something else entirely', 40, { sampler: PLAIN })), maxTokens: 10 }),
  ];
  const [beside] = await Promise.all([
    busy.sample(job),
    busy.sample({ ...(await request(busy, 'now', 2, { sampler: GREEDY })), priority: 'interactive' }),
    ...others,
  ]);
  const after = await busy.sample(job);
  expect(bits(beside.samples)).toEqual(bits(alone.samples));
  expect(bits(after.samples)).toEqual(bits(alone.samples));
  expect(after.usage).toEqual(alone.usage); // nothing was taken from the jobs before
});

test('reproducible: a job that waits can be aborted, and disposal ends those that wait', async () => {
  const engine = await tinyEngine({ reproducible: true });
  const long = engine.sample({ ...(await request(engine, 'hello', 8, { sampler: PLAIN })), maxTokens: 200 });
  const abort = new AbortController();
  const waiting = engine.sample({ ...(await request(engine, 'hello', 8, { sampler: PLAIN })), signal: abort.signal });
  const last = engine.sample({ ...(await request(engine, 'hello', 8, { sampler: PLAIN })) });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  await Promise.all([engine.dispose(), expect(last).rejects.toMatchObject({ code: 'DISPOSED' }), long.catch(() => {})]);
});

test('statistics count decodes and their rows, and decodes are full', async () => {
  await using engine = await tinyEngine();
  expect(engine.statistics()).toMatchObject({ decodes: 0, rows: 0 });
  const prompts = await Promise.all(
    seeds(16).map(async (i) => ({
      tokens: await engine.tokenize(`${i} problems`, { special: true }),
      seeds: seeds(16, i),
    })),
  );
  const { usage } = await engine.sample({ prompts, sampler: PLAIN, maxTokens: 40 });
  const { decodes, rows, sequences, possibleSequences } = engine.statistics();
  expect(rows).toBe(usage.decodedTokens);
  expect(decodes).toBeLessThan(50);
  expect(sequences).toBeLessThanOrEqual(possibleSequences);
  expect(sequences / possibleSequences).toBeGreaterThan(0.8);
});
