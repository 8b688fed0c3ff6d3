/** Loading: what a GGUF says of itself, and every file that is not one. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openAddon } from '../../src/engine/binding.js';
import { inspectModel, listDevices, loadEngine } from '../../src/engine/engine.js';
import { PLAIN, folder, modelFile, request, tinyEngine } from '../support/engine.js';
import { CHAT_TEMPLATE, tinyGguf } from '../support/tiny-gguf.mjs';

const load = async (path: string): Promise<void> => {
  await using engine = await loadEngine({ path, threads: 1, memoryBytes: 64 << 20 });
  await engine.sample({ prompts: [{ tokens: Int32Array.of(1, 2), seeds: [1] }], sampler: PLAIN, maxTokens: 2 });
};

test('inspect', async () => {
  const path = modelFile();
  expect(await inspectModel(path)).toMatchObject({
    path,
    name: 'tiny test model',
    architecture: 'llama',
    description: 'llama 109K all F32',
    parameters: 108736,
    contextLength: 512,
    vocabularySize: 271,
    layers: 2,
    chatTemplate: CHAT_TEMPLATE,
    bosToken: '<|endoftext|>',
    eosToken: '<|im_end|>',
    metadata: expect.objectContaining({ 'llama.block_count': '2' }) as unknown,
  });
});

test('a model without name or template', async () => {
  const model = await inspectModel(
    modelFile({ metadata: { 'general.name': undefined, 'tokenizer.chat_template': undefined } }),
  );
  expect(model.name).toMatch(/^model-\d+\.gguf$/);
  expect(model.chatTemplate).toBeUndefined();
});

test('devices and build', async () => {
  expect(listDevices()).toContainEqual(expect.objectContaining({ type: 'cpu', backend: 'CPU' }));
  await using engine = await tinyEngine();
  expect(engine.build).toMatch(/^t1 \d+\.\d+\.\d+\/\d+; llama\.cpp v\d.*; \S+ .+/);
});

test('tokenize: control tokens only where asked, beginning token where asked or wanted', async () => {
  await using engine = await tinyEngine();
  expect(await engine.tokenize('<|im_end|>', { special: true })).toEqual(Int32Array.of(270));
  expect((await engine.tokenize('<|im_end|>', { special: false })).length).toBe(10);
  expect(await engine.tokenize('the', { special: false })).toEqual(Int32Array.of(257));
  expect(await engine.tokenize('a', { special: false, addBos: true })).toEqual(Int32Array.of(268, 97));
  expect(await engine.tokenize('', { special: false })).toEqual(new Int32Array());
  expect(await engine.tokenize('a\0b😀', { special: false })).toEqual(Int32Array.of(97, 0, 98, 0xf0, 0x9f, 0x98, 0x80));
  await using wanting = await loadEngine({ path: modelFile({ metadata: { 'tokenizer.ggml.add_bos_token': true } }) });
  expect(await wanting.tokenize('a', { special: false })).toEqual(Int32Array.of(268, 97));
  expect(await wanting.tokenize('a', { special: false, addBos: false })).toEqual(Int32Array.of(97));
});

describe('one clear line for', () => {
  const file = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const cut = (length: number): string => {
    const path = modelFile();
    truncateSync(path, length);
    return path;
  };
  const cases: [string, () => string, string, RegExp][] = [
    ['a missing file', () => join(folder, 'none.gguf'), 'FILE_NOT_FOUND', /no model file at/],
    [
      'a folder',
      () => (mkdirSync(join(folder, 'dir.gguf'), { recursive: true }), join(folder, 'dir.gguf')),
      'MODEL_INVALID',
      /is a folder/,
    ],
    ['an empty file', () => file('empty.gguf', ''), 'MODEL_INVALID', /is not a GGUF file/],
    ['something else', () => file('text.gguf', 'hello world, this is text'), 'MODEL_INVALID', /is not a GGUF file/],
    ['a magic and nothing more', () => file('magic.gguf', 'GGUF'), 'MODEL_INVALID', /cannot load/],
    ['a header cut short', () => cut(3000), 'MODEL_INVALID', /cannot load/],
    ['weights cut short', () => cut(200_000), 'MODEL_INVALID', /not within the file bounds/],
    ['one byte less', () => cut(readFileSync(modelFile()).length - 33), 'MODEL_INVALID', /not within the file bounds/],
    [
      'an unknown architecture',
      () => modelFile({ metadata: { 'general.architecture': 'nothing' } }),
      'MODEL_INVALID',
      /unknown model architecture/,
    ],
    ['too many layers stated', () => modelFile({ metadata: { 'llama.block_count': 3 } }), 'MODEL_INVALID', /blk\.2/],
    [
      'absurdly many layers',
      () => modelFile({ metadata: { 'llama.block_count': 2 ** 31 } }),
      'MODEL_INVALID',
      /n_layer/,
    ],
    [
      'duplicate tokens',
      () => modelFile({ metadata: { 'tokenizer.ggml.tokens': new Array(271).fill('a') } }),
      'MODEL_INVALID',
      /vocabulary/,
    ],
    [
      'no context length',
      () => modelFile({ metadata: { 'llama.context_length': undefined } }),
      'MODEL_INVALID',
      /context length/,
    ],
    [
      'a negative epsilon',
      () => modelFile({ metadata: { 'llama.attention.layer_norm_rms_epsilon': { f32: -1 } } }),
      'MODEL_INVALID',
      /epsilon is -1/,
    ],
    [
      'an encoder',
      () => modelFile({ metadata: { 'general.architecture': 'bert', 'bert.context_length': 512 } }),
      'MODEL_INVALID',
      /./,
    ],
  ];
  test.each(cases)('%s', async (_, make, code, message) => {
    const error: unknown = await load(make()).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'T1Error', code, message: expect.stringMatching(message) as unknown });
    expect((error as Error).message).not.toMatch(/\n/);
    expect((error as Error).stack).toContain('at ');
  });

  test('a corrupted header, whatever it is: an error or a model, never an abort', { timeout: 60_000 }, async () => {
    const whole = tinyGguf();
    let state = 99;
    const random = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(whole);
      for (let k = 0; k < 3; k++) bytes[random(2000)] = random(256);
      const path = file('fuzz.gguf', random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      await load(path).catch((error: unknown) =>
        expect(error).toMatchObject({
          name: 'T1Error',
          code: expect.stringMatching(/MODEL_INVALID|USAGE|DECODE_FAILED|PROMPT_TOO_LONG|OUT_OF_MEMORY/) as unknown,
        }),
      );
    }
  });
});

describe('bad requests', () => {
  test.each([
    ['an id outside the vocabulary', { prompts: [{ tokens: Int32Array.of(1, 271), seeds: [1] }] }],
    ['a negative id', { prompts: [{ tokens: Int32Array.of(-1), seeds: [1] }] }],
    ['an empty prompt', { prompts: [{ tokens: new Int32Array(), seeds: [1] }] }],
    ['a fractional seed', { prompts: [{ tokens: Int32Array.of(1), seeds: [0.5] }] }],
    ['no tokens to sample', { maxTokens: 0 }],
    ['a temperature that is no number', { sampler: { ...PLAIN, temperature: NaN } }],
    ['a negative temperature', { sampler: { ...PLAIN, temperature: -1 } }],
    ['top-p 0', { sampler: { ...PLAIN, topP: 0 } }],
    ['min-p 2', { sampler: { ...PLAIN, minP: 2 } }],
    ['top-k -1', { sampler: { ...PLAIN, topK: -1 } }],
    ['an empty stop string', { stop: [''] }],
  ])('%s', async (_, change) => {
    await using engine = await tinyEngine();
    await expect(engine.sample({ ...(await request(engine, 'x', 1)), ...change })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  test('a position outside its sequence', async () => {
    await using engine = await tinyEngine();
    const sequences = [{ tokens: Int32Array.of(1, 2), positions: Int32Array.of(2) }];
    await expect(engine.score({ sequences, targets: Int32Array.of(1) })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('a prompt longer than the context', async () => {
    await using engine = await tinyEngine();
    const prompts = [{ tokens: new Int32Array(512).fill(65), seeds: [1] }];
    await expect(engine.sample({ ...(await request(engine, 'x', 1)), prompts })).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
      message: expect.stringContaining('512') as unknown,
    });
  });

  test('a budget that holds no sequence', async () => {
    await using engine = await tinyEngine({ memoryBytes: 1000 });
    await expect(engine.sample(await request(engine, 'x', 1))).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(/needs .* MiB/) as unknown,
    });
  });
});

test('engines of one process share what is free', async () => {
  const load = (memoryShare: number) => loadEngine({ path: modelFile(), threads: 1, gpuLayers: 0, memoryShare });
  for (const share of [0, -1, 1.5, NaN])
    await expect(load(share)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('memoryShare') as unknown,
    });
  await using half = await load(0.5);
  expect((await half.sample(await request(half, 'x', 1, { maxTokens: 2 }))).samples).toHaveLength(1);
  await using none = await load(1e-9);
  await expect(none.sample(await request(none, 'x', 1))).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
});

test('an addon that is not there names the command that builds it', () => {
  expect(() => openAddon(join(folder, 'none.node'))).toThrowError(
    expect.objectContaining({
      code: 'ADDON_UNAVAILABLE',
      message: expect.stringContaining('npm run build:native') as unknown,
    }),
  );
});

test('an addon of another version is refused', () => {
  const path = join(folder, 'old.cjs');
  writeFileSync(path, 'module.exports = { version: "0.0.0", contract: 0 };');
  expect(() => openAddon(path)).toThrowError(expect.objectContaining({ code: 'ADDON_UNAVAILABLE' }));
});
