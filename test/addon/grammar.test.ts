/** Grammars and logit biases. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine-types.js';
import { GREEDY, ROUNDING, modelFile, request, shippedF32, tinyEngine } from '../support/engine.js';

const YES_OR_NO = 'root ::= "Yes" | "No"';
const TEXT = 'Mia has 94 stamps. Leo gives Mia 78 more.';
let engine: Engine;
beforeAll(async () => {
  engine = await tinyEngine({ path: shippedF32() });
});
afterAll(() => engine.dispose());

const textsOf = async (rest: Parameters<typeof request>[3], n = 32, prompt = TEXT): Promise<string[]> =>
  (await engine.sample(await request(engine, prompt, n, rest))).samples.map(({ text }) => text);

describe('a grammar', () => {
  test('is followed by every sample, which ends where it ends', async () => {
    const { samples } = await engine.sample(await request(engine, TEXT, 32, { grammar: YES_OR_NO, maxTokens: 20 }));
    for (const { text } of samples) expect(['Yes', 'No']).toContain(text);
    expect(samples.every(({ finish }) => finish === 'eog')).toBe(true);
  });

  test('is followed by greedy samples too, and log-probabilities stay those of the raw distribution', async () => {
    const { samples } = await engine.sample(
      await request(engine, TEXT, 1, { grammar: 'root ::= "7" [0-9]{3}', sampler: GREEDY, maxTokens: 20 }),
    );
    const [sample] = samples;
    if (!sample) throw new Error('one sample');
    expect(sample.text).toMatch(/^7\d{3}$/);
    const prompt = await engine.tokenize(TEXT, { special: true });
    const { logprobs } = await engine.score({
      sequences: [{ tokens: Int32Array.of(...prompt, ...sample.tokens), positions: Int32Array.of(prompt.length - 1) }],
      targets: Int32Array.of(sample.tokens[0] ?? -1),
    });
    expect(Math.abs((sample.logprobs[0] ?? NaN) - (logprobs[0]?.[0] ?? NaN))).toBeLessThan(ROUNDING);
  });

  test('draws from what it leaves of the distribution', async () => {
    // "Yes" and "No" are single tokens: their shares among samples are those of their probabilities.
    const tokensOf = (word: string) => engine.tokenize(word, { special: false });
    const [yes, no] = [await tokensOf('Yes'), await tokensOf('No')];
    if (yes.length !== 1 || no.length !== 1) throw new Error('not single tokens');
    const prompt = await engine.tokenize(TEXT, { special: true });
    const { logprobs } = await engine.score({
      sequences: [{ tokens: prompt, positions: Int32Array.of(prompt.length - 1) }],
      targets: Int32Array.of(yes[0] ?? 0, no[0] ?? 0),
    });
    const [a = NaN, b = NaN] = [...(logprobs[0] ?? [])].map(Math.exp);
    // Whole-word tokens only, or "Y" + "es" would count too.
    const pieces = [...Array(engine.model.vocabularySize).keys()].filter((id) => id !== yes[0] && id !== no[0]);
    const texts = await textsOf(
      { grammar: YES_OR_NO, maxTokens: 1, logitBias: pieces.map((token) => ({ token, bias: -Infinity })) },
      2000,
    );
    const share = texts.filter((text) => text === 'Yes').length / texts.length;
    // Four standard deviations.
    expect(Math.abs(share - a / (a + b))).toBeLessThan(4 * Math.sqrt(0.25 / 2000));
  });

  test('leaves other jobs alone', async () => {
    const alone = await textsOf({ sampler: GREEDY });
    const [beside] = await Promise.all([textsOf({ sampler: GREEDY }), textsOf({ grammar: YES_OR_NO })]);
    expect(beside).toEqual(alone);
  });

  test('goes together with stop strings and the limit', async () => {
    expect(await textsOf({ grammar: 'root ::= "abcdef"', stop: ['cd'], maxTokens: 20 }, 2)).toEqual(['ab', 'ab']);
    const { samples } = await engine.sample(
      await request(engine, TEXT, 2, { grammar: 'root ::= [a-z]+', maxTokens: 3 }),
    );
    for (const { text, tokens } of samples) {
      expect(text).toMatch(/^[a-z]+$/);
      expect(tokens.length).toBeLessThanOrEqual(3);
    }
  });

  test('may hold more than ASCII, whose tokens are parts of a character', async () => {
    expect(await textsOf({ grammar: 'root ::= "größer → 日本"', maxTokens: 40 }, 2)).toEqual([
      'größer → 日本',
      'größer → 日本',
    ]);
  });

  test('can be aborted in flight', async () => {
    const abort = new AbortController();
    const running = engine.sample(
      await request(engine, TEXT, 64, {
        grammar: 'root ::= [a-z ]+',
        maxTokens: 400,
        signal: abort.signal,
        onProgress: () => abort.abort(),
      }),
    );
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await textsOf({ grammar: YES_OR_NO }, 1)).toHaveLength(1);
  });

  test('lets no token pass that is no text', async () => {
    // C0 80 is an ill-formed NUL: llama.cpp's own grammars let it pass, then find that it was not allowed, and throw.
    await using broken = await tinyEngine({ path: modelFile({ pieces: { 256: [0xc0, 0x80] } }), threads: 2 });
    const wanted = { grammar: 'root ::= [a-y]*', logitBias: [{ token: 256, bias: 100 }], maxTokens: 8 };
    const { samples } = await broken.sample(await request(broken, TEXT, 32, wanted));
    for (const { text, tokens } of samples) {
      expect(text).toMatch(/^[a-y]*$/);
      expect(tokens).not.toContain(256);
    }
    expect(samples.some(({ text }) => text.length > 1)).toBe(true);
  });

  test('that nobody can follow in bounded time ends its job alone, on whatever thread that shows', async () => {
    await using two = await tinyEngine({ threads: 2 });
    for (let round = 0; round < 3; round++) {
      const [bad, good] = await Promise.allSettled([
        two.sample(await request(two, TEXT, 16, { grammar: 'root ::= (.?){0,9000} "!"' })),
        two.sample(await request(two, TEXT, 16, { maxTokens: 5 })),
      ]);
      expect(bad).toMatchObject({
        status: 'rejected',
        reason: { code: 'USAGE', message: expect.stringContaining('too many ways') as unknown },
      });
      expect(good).toMatchObject({ status: 'fulfilled' });
    }
  });

  test.each([
    ['is empty', ''],
    ['is blank', ' \n'],
    ['is no GBNF', 'say yes or no'],
    ['has no root', 'answer ::= "Yes"'],
    ['names a rule that is not there', 'root ::= answer'],
    ['is left-recursive', 'root ::= root "a" | "b"'],
    ['is left-recursive behind what may be empty', 'root ::= x root "b"\nx ::= y\ny ::= ""'],
    ['repeats at least more often than at most', 'root ::= "a"{5,2}'],
    ['repeats too often', 'root ::= "a"{1000000000}'],
    ['is too long', `root ::= "${'a'.repeat(1 << 18)}"`],
    ['is too deep', `root ::= ${'('.repeat(1000)}"a"${')'.repeat(1000)}`],
  ])('that %s is refused', async (_, grammar) => {
    await expect(textsOf({ grammar }, 1)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/^the grammar cannot be used: .+$|^grammar must be /) as unknown,
    });
  });

  test('that is refused says where and why', async () => {
    await expect(textsOf({ grammar: 'root ::= answer\nanswer ::= "Yes" | [' }, 1)).rejects.toMatchObject({
      message: 'the grammar cannot be used: in line 2, column 20: the [ that begins here is not closed',
    });
  });
});

describe('a logit bias', () => {
  test('of minus infinity bans a token', async () => {
    const { samples } = await engine.sample(await request(engine, TEXT, 1, { sampler: GREEDY, maxTokens: 1 }));
    const token = samples[0]?.tokens[0] ?? -1;
    const other = await engine.sample(
      await request(engine, TEXT, 1, { sampler: GREEDY, maxTokens: 1, logitBias: [{ token, bias: -Infinity }] }),
    );
    expect(other.samples[0]?.tokens[0]).not.toBe(token);
  });

  test('that is large makes a token certain', async () => {
    const { samples } = await engine.sample(
      await request(engine, TEXT, 8, { maxTokens: 2, logitBias: [{ token: 400, bias: 100 }] }),
    );
    for (const { tokens } of samples) expect([...tokens]).toEqual([400, 400]);
  });

  test.each([
    ['a token that is not there', { token: 1_000_000, bias: 0 }],
    ['NaN', { token: 1, bias: NaN }],
    ['infinity', { token: 1, bias: Infinity }],
  ])('with %s is refused', async (_, entry) => {
    await expect(textsOf({ logitBias: [entry] }, 1)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('that bans everything ends the job with an error', async () => {
    const logitBias = Array.from({ length: engine.model.vocabularySize }, (_, token) => ({ token, bias: -Infinity }));
    await expect(textsOf({ logitBias }, 1)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('leave no token') as unknown,
    });
  });
});
