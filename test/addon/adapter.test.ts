/** LoRA adapters on the model that ships, and on the generated one where the model must be special. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineOptions } from '../../src/engine/engine.js';
import type { Engine, SampleRequest } from '../../src/engine/engine-types.js';
import {
  CELL,
  GREEDY,
  PLAIN,
  ROUNDING,
  folder,
  modelFile,
  request,
  shippedF32,
  tinyEngine,
} from '../support/engine.js';
import { loraFile, loraGguf, tensor } from '../support/lora-gguf.js';

const TEXT = 'Mia has 94 stamps. Leo gives Mia 78 more.';
/** Of the generated model. */
const WIDTH = 64;
let width: number;

beforeAll(async () => {
  await using engine = await shipped();
  width = Number(engine.model.metadata['llama.embedding_length']);
});

const shipped = (options: Partial<EngineOptions> = {}): Promise<Engine> =>
  tinyEngine({ path: shippedF32(), ...options });

const tokensOf = async (engine: Engine, adapter?: string, rest: Partial<SampleRequest> = {}): Promise<number[][]> => {
  const { samples } = await engine.sample(await request(engine, TEXT, 4, { maxTokens: 12, adapter, ...rest }));
  return samples.map(({ tokens }) => [...tokens]);
};

const scoresOf = async (engine: Engine, adapter?: string): Promise<number[]> => {
  const tokens = await engine.tokenize(TEXT, { special: false });
  const { logprobs } = await engine.score({
    sequences: [{ tokens, positions: Int32Array.of(3, tokens.length - 1) }],
    targets: Int32Array.from({ length: engine.model.vocabularySize }, (_, id) => id),
    adapter,
  });
  return [...(logprobs[0] ?? [])];
};

const furthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));

describe('with the model that ships', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await shipped({
      adapters: [
        { name: 'nothing', path: loraFile({ width, strength: 0 }) },
        { name: 'strong', path: loraFile({ width, strength: 2 }) },
        { name: 'other', path: loraFile({ width, strength: 2, seed: 99 }) },
        { name: 'off', path: loraFile({ width, strength: 2 }), scale: 0 },
        { name: 'half', path: loraFile({ width, strength: 2 }), scale: 0.5 },
        { name: 'both', path: loraFile({ width, strength: 2 }) },
        { name: 'both', path: loraFile({ width, strength: 2, seed: 99 }), scale: 0.5 },
        { name: 'twice', path: loraFile({ width, strength: 2 }), scale: 0.25 },
        { name: 'twice', path: loraFile({ width, strength: 2 }), scale: 0.25 },
        { name: 'halved', path: loraFile({ width, strength: 2, metadata: { 'adapter.lora.alpha': { f32: 2 } } }) },
      ],
    });
  });
  afterAll(() => engine.dispose());

  test('are listed as they were given, scale 1 if none was', () => {
    expect(engine.adapters.map(({ name, scale }) => [name, scale])).toEqual([
      ['nothing', 1],
      ['strong', 1],
      ['other', 1],
      ['off', 0],
      ['half', 0.5],
      ['both', 1],
      ['both', 0.5],
      ['twice', 0.25],
      ['twice', 0.25],
      ['halved', 1],
    ]);
  });

  test.each(['nothing', 'off'])("%s: tokens and scores are the base model's", async (adapter) => {
    expect(await tokensOf(engine, adapter)).toEqual(await tokensOf(engine));
    expect(furthest(await scoresOf(engine, adapter), await scoresOf(engine))).toBeLessThan(ROUNDING);
  });

  test('those of one name are used together, each with its scale', async () => {
    // The sum of two quarters of an adapter is its half.
    expect(furthest(await scoresOf(engine, 'twice'), await scoresOf(engine, 'half'))).toBeLessThan(ROUNDING);
    const both = await scoresOf(engine, 'both');
    for (const alone of ['strong', 'other', 'half'])
      expect(furthest(both, await scoresOf(engine, alone))).toBeGreaterThan(0.5);
  });

  test('each changes tokens and scores in its own way, and the base is as before, whatever the order', async () => {
    const base = await scoresOf(engine);
    const baseTokens = await tokensOf(engine);
    const strong = await scoresOf(engine, 'strong');
    const strongTokens = await tokensOf(engine, 'strong');
    expect(furthest(strong, base)).toBeGreaterThan(0.5);
    expect(strongTokens).not.toEqual(baseTokens);
    const other = await scoresOf(engine, 'other');
    expect(furthest(other, base)).toBeGreaterThan(0.5);
    expect(furthest(other, strong)).toBeGreaterThan(0.5);
    for (let i = 0; i < 3; i++) {
      expect(furthest(await scoresOf(engine), base)).toBeLessThan(ROUNDING);
      expect(await tokensOf(engine, 'strong')).toEqual(strongTokens);
      expect(furthest(await scoresOf(engine, 'other'), other)).toBeLessThan(ROUNDING);
      expect(furthest(await scoresOf(engine, 'strong'), strong)).toBeLessThan(ROUNDING);
      expect(await tokensOf(engine)).toEqual(baseTokens);
    }
  });

  test('scale and alpha are factors', async () => {
    const half = await scoresOf(engine, 'half');
    expect(furthest(half, await scoresOf(engine, 'halved'))).toBeLessThan(ROUNDING);
    expect(furthest(half, await scoresOf(engine, 'strong'))).toBeGreaterThan(0.1);
  });

  test('jobs that are queued together each get their own', async () => {
    const alone = [await scoresOf(engine), await scoresOf(engine, 'strong'), await scoresOf(engine, 'other')];
    const together = await Promise.all([
      scoresOf(engine),
      scoresOf(engine, 'strong'),
      scoresOf(engine, 'other'),
      scoresOf(engine),
    ]);
    for (const [i, scores] of together.entries())
      expect(furthest(scores, alone[i % alone.length] ?? [])).toBeLessThan(ROUNDING);
  });

  test('scores are the log-probabilities that sampling reported', async () => {
    const prompt = await engine.tokenize(TEXT, { special: true });
    const { samples } = await engine.sample(
      await request(engine, TEXT, 1, { sampler: GREEDY, maxTokens: 6, adapter: 'strong' }),
    );
    const [sample] = samples;
    const tokens = Int32Array.of(...prompt, ...(sample?.tokens ?? []));
    const positions = Int32Array.from(sample?.tokens ?? [], (_, i) => prompt.length - 1 + i);
    const { logprobs } = await engine.score({
      sequences: [{ tokens, positions }],
      targets: sample?.tokens ?? new Int32Array(),
      adapter: 'strong',
    });
    const n = sample?.tokens.length ?? 0;
    expect(n).toBeGreaterThan(0);
    for (let i = 0; i < n; i++)
      expect(Math.abs((logprobs[0]?.[i * n + i] ?? NaN) - (sample?.logprobs[i] ?? NaN))).toBeLessThan(ROUNDING);
  });

  test('a context that is made anew has the adapter of its job, not of the one before', async () => {
    const first = async (n: number, adapter?: string) => {
      const { samples } = await engine.sample(await request(engine, TEXT, n, { maxTokens: 3, adapter }));
      return [...(samples[0]?.tokens ?? [])];
    };
    const [base, strong] = [await first(1), await first(1, 'strong')];
    expect(strong).not.toEqual(base);
    // Each of these needs another context: more sequences, or far fewer.
    expect(await first(32, 'strong')).toEqual(strong);
    expect(await first(64, 'strong')).toEqual(strong);
    expect(await first(128)).toEqual(base);
    expect(await first(256)).toEqual(base);
    expect(await first(1, 'strong')).toEqual(strong);
    expect(await first(1)).toEqual(base);
  });

  test.each(['missing', '', 'Strong'])(
    "a job that names '%s' is wrong usage, and the next one runs",
    async (adapter) => {
      await expect(tokensOf(engine, adapter)).rejects.toMatchObject({ code: 'USAGE' });
      await expect(scoresOf(engine, adapter)).rejects.toMatchObject({ code: 'USAGE' });
      expect((await tokensOf(engine)).length).toBe(4);
    },
  );

  test('an aborted job leaves no adapter behind', async () => {
    const base = await scoresOf(engine);
    const controller = new AbortController();
    const job = engine.sample(
      await request(engine, TEXT, 128, {
        maxTokens: 200,
        adapter: 'strong',
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
    );
    await expect(job).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await scoresOf(engine)).toEqual(base);
  });
});

test('an engine without adapters names what it lacks', async () => {
  await using engine = await tinyEngine();
  expect(engine.adapters).toEqual([]);
  await expect(tokensOf(engine, 'tool')).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/no adapter 'tool'.*without any/) as unknown,
  });
});

test.each(['split', 'unified'] as const)('waves and several prompts (%s)', async (kv) => {
  const adapters = [{ name: 'strong', path: loraFile({ width: WIDTH, strength: 1 }) }];
  const job = async (engine: Engine): Promise<SampleRequest> => ({
    prompts: await Promise.all(
      ['start: a', 'start: bcd', 'start:'].map(async (text, i) => ({
        tokens: await engine.tokenize(text, { special: false }),
        seeds: [i, i + 10],
      })),
    ),
    sampler: PLAIN,
    maxTokens: 4,
    adapter: 'strong',
  });
  await using whole = await tinyEngine({ adapters });
  await using small = await tinyEngine({ adapters, kv, memoryBytes: CELL * 256 * (kv === 'split' ? 3 : 1) });
  const tokens = async (engine: Engine) =>
    (await engine.sample(await job(engine))).samples.map((sample) => [...sample.tokens]);
  expect(await tokens(small)).toEqual(await tokens(whole));
});

describe('activated LoRA', () => {
  const bytes = (text: string): Int32Array => Int32Array.from(Buffer.from(text), (byte) => byte);
  let engine: Engine;
  beforeAll(async () => {
    const metadata = { 'adapter.alora.invocation_tokens': Uint32Array.from(Buffer.from('@!')) };
    engine = await tinyEngine({
      adapters: [
        { name: 'plain', path: loraFile({ width: WIDTH, strength: 1 }) },
        { name: 'activated', path: loraFile({ width: WIDTH, strength: 1, metadata }) },
        { name: 'nothing', path: loraFile({ width: WIDTH, strength: 0, metadata }) },
      ],
    });
  });
  afterAll(() => engine.dispose());

  /** [tokens][64] the first 64 log-probabilities after every token of every text. */
  const rows = async (texts: readonly string[], adapter?: string, from: Engine = engine): Promise<number[][][]> => {
    const sequences = texts.map((text) => ({
      tokens: bytes(text),
      positions: Int32Array.from(bytes(text), (_, i) => i),
    }));
    const { logprobs } = await from.score({
      sequences,
      targets: Int32Array.from({ length: 64 }, (_, id) => id),
      adapter,
    });
    return logprobs.map((all, i) => Array.from(texts[i] ?? '', (_, at) => [...all.subarray(64 * at, 64 * (at + 1))]));
  };
  const apart = (a: number[][] | undefined, b: number[][] | undefined, at: number): number =>
    furthest(a?.[at] ?? [], b?.[at] ?? []);

  test("tokens before the last invocation are the base model's, those from it on are not", async () => {
    const text = 'What? @! or not @!yes';
    const [base] = await rows([text]);
    const [activated] = await rows([text], 'activated');
    const [plain] = await rows([text], 'plain');
    const start = text.lastIndexOf('@!');
    for (let at = 0; at < start; at++) expect(apart(activated, base, at), text.slice(0, at + 1)).toBeLessThan(ROUNDING);
    for (let at = start; at < text.length; at++) {
      expect(apart(activated, base, at), text.slice(0, at + 1)).toBeGreaterThan(0.05);
      expect(apart(activated, plain, at), text.slice(0, at + 1)).toBeGreaterThan(0.05);
    }
  });

  test('activated by the first token it is a plain LoRA, and one that adds nothing is the base', async () => {
    const text = '@!all of it';
    const [[activated], [plain]] = [await rows([text], 'activated'), await rows([text], 'plain')];
    for (let at = 0; at < text.length; at++) expect(apart(activated, plain, at)).toBeLessThan(ROUNDING);
    const [[nothing], [base]] = [await rows(['x @!y'], 'nothing'), await rows(['x @!y'])];
    for (let at = 0; at < 6; at++) expect(apart(nothing, base, at)).toBeLessThan(ROUNDING);
  });

  const texts = ['shared, then @!a', 'shared, then something longer @!', 'shared @!, then', '@!', 'shared, then @!@!b'];

  test('many sequences score as each does alone, whatever they share and wherever they start', async () => {
    const together = await rows(texts, 'activated');
    for (const [i, text] of texts.entries()) {
      const [alone] = await rows([text], 'activated');
      for (let at = 0; at < text.length; at++) expect(apart(together[i], alone, at)).toBeLessThan(ROUNDING);
    }
  });

  test.each(['split', 'unified'] as const)(
    'sampling reports what scoring reads, in one wave or many (%s)',
    async (kv) => {
      const prompts = texts.map((text, i) => ({ tokens: bytes(text), seeds: [i, i + 10, i + 20] }));
      const adapters = engine.adapters;
      await using small = await tinyEngine({ adapters, kv, memoryBytes: CELL * 256 * (kv === 'split' ? 4 : 1) });
      for (const one of [engine, small]) {
        const { samples, usage } = await one.sample({ prompts, sampler: PLAIN, maxTokens: 8, adapter: 'activated' });
        expect(samples.length).toBe(15);
        if (one === engine)
          expect(usage.promptTokens + usage.sharedTokens).toBe(3 * texts.reduce((sum, text) => sum + text.length, 0));
        for (const sample of samples) {
          const prompt = prompts[sample.prompt]?.tokens ?? new Int32Array();
          const tokens = Int32Array.of(...prompt, ...sample.tokens);
          const positions = Int32Array.from(sample.tokens, (_, i) => prompt.length - 1 + i);
          if (positions.length === 0) continue;
          const { logprobs } = await one.score({
            sequences: [{ tokens, positions }],
            targets: sample.tokens,
            adapter: 'activated',
          });
          const n = sample.tokens.length;
          for (let i = 0; i < n; i++)
            expect(Math.abs((logprobs[0]?.[i * n + i] ?? NaN) - (sample.logprobs[i] ?? NaN))).toBeLessThan(ROUNDING);
        }
      }
    },
  );

  test('what comes before the invocation is shared, and what has been adapted is too', async () => {
    await using fresh = await tinyEngine({ adapters: engine.adapters });
    const ends = ['a', 'bc', 'd'];
    const job = {
      prompts: ends.map((end, i) => ({ tokens: bytes(`shared beginning @!${end}`), seeds: [i] })),
      sampler: GREEDY,
      maxTokens: 1,
    };
    const { usage } = await fresh.sample({ ...job, adapter: 'activated' });
    expect(usage.promptTokens).toBe('shared beginning @!'.length + ends.reduce((sum, end) => sum + end.length, 0));
  });

  test('a prompt or sequence without the invocation is wrong usage; without the adapter it is none', async () => {
    await expect(rows(['@!', 'not here @ !'], 'activated')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/sequence 1 lacks the 2 invocation tokens.*'activated'/) as unknown,
    });
    const job = { prompts: [{ tokens: bytes('none'), seeds: [1] }], sampler: GREEDY, maxTokens: 1 };
    await expect(engine.sample({ ...job, adapter: 'activated' })).rejects.toMatchObject({ code: 'USAGE' });
    expect((await engine.sample(job)).samples.length).toBe(1);
  });
});

test('disposal while an adapter decodes, and before it was ever used', async () => {
  const adapters = [{ name: 'strong', path: loraFile({ width: WIDTH }) }];
  for (const pause of [0, 5, 30]) {
    const engine = await tinyEngine({ adapters });
    const end = engine
      .sample(await request(engine, 'x', 64, { maxTokens: 400, adapter: 'strong' }))
      .catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, pause));
    await engine.dispose();
    expect(await end).toMatchObject({ code: 'DISPOSED' });
  }
  await (await tinyEngine({ adapters })).dispose();
});

test('20 engines with adapters do not grow', { timeout: 60_000 }, async () => {
  const path = loraFile({ width: WIDTH, rank: 64 });
  const once = async (): Promise<void> => {
    await using engine = await tinyEngine({
      adapters: [
        { name: 'a', path },
        { name: 'b', path, scale: 2 },
      ],
    });
    for (const adapter of ['a', 'b', undefined])
      await engine.sample(await request(engine, 'x', 2, { maxTokens: 2, adapter }));
  };
  for (let i = 0; i < 5; i++) await once();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 15; i++) await once();
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
});

describe('one clear line for', () => {
  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const use = async (path: string, options: Partial<EngineOptions> = {}): Promise<void> => {
    await using engine = await tinyEngine({ adapters: [{ name: 'tool', path }], ...options });
    await engine.sample(await request(engine, 'x', 1, { maxTokens: 1, adapter: 'tool' }));
  };
  const lora = (change: Partial<Parameters<typeof loraGguf>[0]>): string => loraFile({ width: WIDTH, ...change });
  const tied = (): string => modelFile({ without: ['output.weight'] });

  const cases: [string, () => string, string, RegExp, (() => string)?][] = [
    ['a missing file', () => join(folder, 'no-lora.gguf'), 'FILE_NOT_FOUND', /no adapter file at/],
    [
      'a folder',
      () => (mkdirSync(join(folder, 'lora-dir'), { recursive: true }), join(folder, 'lora-dir')),
      'ADAPTER_INVALID',
      /is a folder/,
    ],
    ['an empty file', () => file('empty-lora.gguf', ''), 'ADAPTER_INVALID', /is not a GGUF file/],
    ['something else', () => file('text-lora.gguf', 'hello world'), 'ADAPTER_INVALID', /is not a GGUF file/],
    ['a magic and nothing more', () => file('magic-lora.gguf', 'GGUF'), 'ADAPTER_INVALID', /cannot use the adapter/],
    ['a model', () => modelFile(), 'ADAPTER_INVALID', /it is no adapter/],
    [
      'a control vector',
      () => lora({ metadata: { 'adapter.type': 'control_vector' } }),
      'ADAPTER_INVALID',
      /type 'control_vector'/,
    ],
    [
      'another architecture',
      () => lora({ metadata: { 'general.architecture': 'qwen3' } }),
      'ADAPTER_INVALID',
      /architecture qwen3, the model's is llama/,
    ],
    ['a type that is a number', () => lora({ metadata: { 'general.type': 7 } }), 'ADAPTER_INVALID', /it is no adapter/],
    ['an alpha that is text', () => lora({ metadata: { 'adapter.lora.alpha': 'much' } }), 'ADAPTER_INVALID', /./],
    [
      'invocation tokens of another vocabulary',
      () => lora({ metadata: { 'adapter.alora.invocation_tokens': Uint32Array.of(64, 271) } }),
      'ADAPTER_INVALID',
      /vocabulary/,
    ],
    [
      'invocation tokens of another type',
      () => lora({ metadata: { 'adapter.alora.invocation_tokens': [64, 33] } }),
      'ADAPTER_INVALID',
      /uint32/,
    ],
    ['another width', () => lora({ width: 32 }), 'ADAPTER_INVALID', /incorrect shape.*made for tiny test model/],
    ['more layers', () => lora({ layers: 3 }), 'ADAPTER_INVALID', /blk\.2\.attn_q/],
    [
      'half a pair',
      () => lora({ tensors: { 'blk.0.attn_k.weight.lora_a': tensor([WIDTH, 4]) } }),
      'ADAPTER_INVALID',
      /missing one component/,
    ],
    [
      'other tensors',
      () => lora({ tensors: { 'blk.0.attn_k.weight': tensor([WIDTH, 4]) } }),
      'ADAPTER_INVALID',
      /unexpected suffix/,
    ],
    [
      'ranks that differ',
      () => lora({ tensors: { 'blk.0.attn_q.weight.lora_b': tensor([5, WIDTH]) } }),
      'ADAPTER_INVALID',
      /./,
    ],
    [
      'a third dimension',
      () => lora({ tensors: { 'blk.0.attn_q.weight.lora_a': tensor([WIDTH, 4, 3]) } }),
      'ADAPTER_INVALID',
      /unusable shape/,
    ],
    ['rank 0', () => lora({ rank: 0 }), 'ADAPTER_INVALID', /./],
    [
      'weights cut short',
      () => {
        const whole = loraGguf({ width: WIDTH });
        return loraFile(whole.subarray(0, whole.length - 600));
      },
      'ADAPTER_INVALID',
      /./,
    ],
    [
      'embeddings of ranks that differ',
      () =>
        lora({
          tensors: { 'token_embd.weight.lora_a': tensor([4, 271]), 'token_embd.weight.lora_b': tensor([5, WIDTH]) },
        }),
      'ADAPTER_INVALID',
      /./,
    ],
    [
      // llama.cpp multiplies with them as if they were the output's, which only a graph that is being built finds out.
      'embeddings that are the output too',
      () =>
        lora({
          tensors: { 'token_embd.weight.lora_a': tensor([4, 271]), 'token_embd.weight.lora_b': tensor([4, WIDTH]) },
        }),
      'ADAPTER_INVALID',
      /./,
      tied,
    ],
  ];
  test.each(cases)('%s', async (_, make, code, message, model) => {
    const path = make();
    const error: unknown = await use(path, model ? { path: model() } : {}).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'T1Error', code, message: expect.stringMatching(message) as unknown });
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).not.toMatch(/\n/);
  });

  test('a bad adapter at its second use as at its first, and the base model still works where it can be loaded', async () => {
    const path = lora({
      tensors: { 'token_embd.weight.lora_a': tensor([4, 271]), 'token_embd.weight.lora_b': tensor([4, WIDTH]) },
    });
    await using engine = await tinyEngine({ path: tied(), adapters: [{ name: 'tool', path }] });
    const base = await tokensOf(engine, undefined, { maxTokens: 3 });
    for (let i = 0; i < 2; i++) {
      await expect(tokensOf(engine, 'tool')).rejects.toMatchObject({ code: 'ADAPTER_INVALID' });
      expect(await tokensOf(engine, undefined, { maxTokens: 3 })).toEqual(base);
    }
  });

  test.each<[string, NonNullable<EngineOptions['adapters']>]>([
    ['an adapter without a name', [{ name: '', path: 'x' }]],
    ['a scale that is no number', [{ name: 'a', path: 'x', scale: NaN }]],
    ['an infinite scale', [{ name: 'a', path: 'x', scale: Infinity }]],
    ['a path with a NUL', [{ name: 'a', path: 'x\0y' }]],
  ])('%s', async (_, adapters) => {
    await expect(tinyEngine({ adapters })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a corrupted header, whatever it is: an error or an adapter, never an abort', { timeout: 60_000 }, async () => {
    const whole = readFileSync(loraFile({ width: WIDTH, layers: 2 }));
    let state = 4711;
    const random = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(whole);
      for (let k = 0; k < 2; k++) bytes[random(500)] = random(256);
      const path = file('fuzz-lora.gguf', random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      await use(path).catch((error: unknown) =>
        expect(error).toMatchObject({
          name: 'T1Error',
          code: expect.stringMatching(/ADAPTER_INVALID|DECODE_FAILED|OUT_OF_MEMORY/) as unknown,
        }),
      );
    }
  });
});
