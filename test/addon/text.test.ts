/** What a job tells while it runs: text in pieces; and of each place the most likely tokens. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine, Sample, TextPiece, TopLogprobs } from '../../src/engine/engine-types.js';
import { shippedModel } from '../../src/paths.js';
import { GREEDY, PLAIN, ROUNDING, request, seeds, tinyEngine } from '../support/engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await tinyEngine();
});
afterAll(() => engine.dispose());

/** Tokens of the generated model are bytes: most of what it says is no UTF-8, some is, in parts. */
const LONG = { maxTokens: 300, textIntervalMs: 10 };
const keyOf = ({ prompt, index }: { readonly prompt: number; readonly index: number }): string => `${prompt}/${index}`;

describe('text as it comes', () => {
  test.each(['split', 'unified'] as const)(
    'pieces put together are the text, and all come before their sample (%s)',
    async (kv) => {
      await using own = await tinyEngine({ kv });
      const pieces = new Map<string, TextPiece[]>();
      const finished: string[] = [];
      const onText = (piece: TextPiece): void => {
        expect(finished).not.toContain(keyOf(piece));
        pieces.set(keyOf(piece), [...(pieces.get(keyOf(piece)) ?? []), piece]);
      };
      const stop = ['ab', 'aaa', '<end>'];
      const { samples } = await own.sample(
        await request(own, 'tell me', 16, {
          ...LONG,
          stop,
          onText,
          onSample: (sample) => finished.push(keyOf(sample)),
        }),
      );
      expect(finished).toHaveLength(16);
      for (const sample of samples) {
        const told = pieces.get(keyOf(sample)) ?? [];
        expect(told.map(({ text }) => text).join('')).toBe(sample.text);
        for (const [i, { text, tokens }] of told.entries()) {
          expect(text).not.toBe('');
          expect(tokens).toBeGreaterThan(told[i - 1]?.tokens ?? 0);
          expect(tokens).toBeLessThanOrEqual(sample.tokens.length);
        }
      }
      expect([...pieces.values()].some((told) => told.length > 1)).toBe(true);
    },
  );

  test('changes nothing', async () => {
    await using own = await tinyEngine({ reproducible: true });
    const bits = (samples: readonly Sample[]) =>
      samples.map(({ text, tokens, logprobs, finish }) => [text, [...tokens], [...logprobs], finish]);
    const asked = await own.sample(await request(own, 'same', 6, { ...LONG, topLogprobs: 5, onText: () => {} }));
    const plain = await own.sample(await request(own, 'same', 6, { maxTokens: LONG.maxTokens }));
    expect(bits(asked.samples)).toEqual(bits(plain.samples));
    expect([asked.samples[0]?.top?.k, plain.samples[0] && Object.keys(plain.samples[0]).sort()]).toEqual([
      5,
      ['finish', 'index', 'logprobs', 'prompt', 'seed', 'text', 'tokens'],
    ]);
  });

  test('comes at a bounded rate, all samples at once', async () => {
    const times = new Map<string, number[]>();
    const started = performance.now();
    const onText = (piece: TextPiece): void =>
      void times.set(keyOf(piece), [...(times.get(keyOf(piece)) ?? []), performance.now()]);
    await engine.sample(await request(engine, 'slow', 16, { ...LONG, maxTokens: 450, textIntervalMs: 60, onText }));
    const most = (performance.now() - started) / 60 + 2;
    for (const each of times.values()) expect(each.length).toBeLessThanOrEqual(most);
  });

  test('a callback that throws ends the job with that error', async () => {
    const error = new Error('no more');
    let calls = 0;
    const onText = (): void => {
      calls++;
      throw error;
    };
    await expect(engine.sample(await request(engine, 'x', 16, { ...LONG, onText }))).rejects.toBe(error);
    expect(calls).toBe(1);
  });

  test('ends with an abort: no piece comes once the signal has fired', async () => {
    const controller = new AbortController();
    let late = 0;
    let pieces = 0;
    const onText = (): void => {
      if (controller.signal.aborted) late++;
      if (++pieces === 20) controller.abort();
    };
    await expect(
      engine.sample(await request(engine, 'x', 64, { ...LONG, maxTokens: 450, signal: controller.signal, onText })),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    await sleep(30);
    expect([pieces, late]).toEqual([20, 0]);
  });

  test('ends with disposal', async () => {
    const own = await tinyEngine();
    let ended = false;
    let late = 0;
    let begun = (): void => {};
    const first = new Promise<void>((resolve) => (begun = resolve));
    const onText = (): void => (ended && late++, begun());
    const wanted = await request(own, 'x', 64, { ...LONG, maxTokens: 450, onText });
    const job = own.sample(wanted).finally(() => (ended = true));
    const end = expect(job).rejects.toMatchObject({ code: 'DISPOSED' });
    await first;
    await Promise.all([own.dispose(), end]);
    await sleep(30);
    expect(late).toBe(0);
  });

  test('an interval out of range is refused', async () => {
    for (const textIntervalMs of [0, 9, 60_001]) {
      await expect(
        engine.sample(await request(engine, 'x', 1, { textIntervalMs, onText: () => {} })),
      ).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining('textIntervalMs') as unknown,
      });
    }
  });

  test('whole characters, and nothing of a stop string that has begun (shipped model)', async () => {
    await using own = await tinyEngine({ path: shippedModel });
    const say = async (text: string, stop: readonly string[]) => {
      const pieces: string[] = [];
      const grammar = `root ::= "${text}"`;
      const { samples } = await own.sample(
        await request(own, 'Say it.', 1, {
          grammar,
          stop,
          maxTokens: 200,
          textIntervalMs: 10,
          onText: ({ text }) => pieces.push(text),
        }),
      );
      return { text: samples[0]?.text, pieces };
    };
    const umlauts = 'größer → 日本 '.repeat(6);
    const { text, pieces } = await say(umlauts, []);
    expect([text, pieces.join('')]).toEqual([umlauts, umlauts]);
    for (const piece of pieces) expect(piece).not.toContain('\ufffd');
    const stopped = await say('one <en two <end> three', ['<end>']);
    expect([stopped.text, stopped.pieces.join('')]).toEqual(['one <en two ', 'one <en two ']);
    const unfinished = await say('one <en', ['<end>']);
    expect([unfinished.text, unfinished.pieces.join('')]).toEqual(['one <en', 'one <en']);
  });
});

/** [n][k] of a result. */
const rowsOf = (top: TopLogprobs | undefined): { readonly token: number; readonly logprob: number }[][] => {
  if (!top) throw new Error('nothing was told');
  return Array.from({ length: top.tokens.length / top.k }, (_, row) =>
    Array.from({ length: top.k }, (_, i) => ({
      token: top.tokens[row * top.k + i] ?? NaN,
      logprob: top.logprobs[row * top.k + i] ?? NaN,
    })),
  );
};

describe('the most likely tokens', () => {
  test.each([
    ['plain', { sampler: PLAIN }],
    ['cut and hot', { sampler: { temperature: 3, topK: 5, topP: 0.9, minP: 0.01 } }],
    ['greedy', { sampler: GREEDY }],
    ['under a grammar', { sampler: PLAIN, grammar: 'root ::= [a-z ]+' }],
    [
      'with a bias',
      {
        sampler: PLAIN,
        logitBias: [
          { token: 7, bias: 4 },
          { token: 8, bias: -Infinity },
        ],
      },
    ],
  ])('of a sample are those that scoring it finds, of the raw distribution (%s)', async (_, rest) => {
    const prompt = await engine.tokenize('likely', { special: true });
    const { samples } = await engine.sample(
      await request(engine, 'likely', 4, { ...rest, maxTokens: 12, topLogprobs: 6 }),
    );
    const sequences = samples.map(({ tokens }) => ({
      tokens: Int32Array.of(...prompt, ...tokens),
      positions: Int32Array.from(tokens, (_, i) => prompt.length - 1 + i),
    }));
    const targets = Int32Array.from(seeds(engine.model.vocabularySize));
    const scored = await engine.score({ sequences, targets, next: true, topLogprobs: 20 });
    for (const [s, sample] of samples.entries()) {
      const told = rowsOf(sample.top);
      const scores = rowsOf(scored.top?.[s]);
      expect([sample.top?.k, told.length, scores.length]).toEqual([6, sample.tokens.length, sample.tokens.length]);
      for (const [i, token] of sample.tokens.entries()) {
        const row = scored.logprobs[s]?.subarray(i * targets.length, (i + 1) * targets.length) ?? new Float32Array();
        const best = [...row].sort((a, b) => b - a);
        expect(scores[i]?.map(({ logprob }) => logprob)).toEqual(best.slice(0, 20));
        for (const { token, logprob } of scores[i] ?? []) expect(row[token]).toBe(logprob);
        // Sampled among other rows than scored: rounding.
        expect(scored.next?.[s]?.[i]).toBe(row[token]);
        expect(Math.abs((sample.logprobs[i] ?? NaN) - (row[token] ?? NaN))).toBeLessThan(ROUNDING);
        for (const [j, { token: likely, logprob }] of (told[i] ?? []).entries()) {
          expect(Math.abs(logprob - (row[likely] ?? NaN))).toBeLessThan(ROUNDING);
          expect(Math.abs(logprob - (best[j] ?? NaN))).toBeLessThan(ROUNDING);
          if (likely === token) expect(logprob).toBe(sample.logprobs[i]);
        }
      }
    }
  });

  test('an end-of-generation token has no row', async () => {
    const { samples } = await engine.sample(
      await request(engine, 'x', 32, { sampler: { ...PLAIN, temperature: 2 }, maxTokens: 200, topLogprobs: 1 }),
    );
    expect(samples.some(({ finish }) => finish === 'eog')).toBe(true);
    for (const { top, tokens } of samples)
      expect([top?.tokens.length, top?.logprobs.length]).toEqual([tokens.length, tokens.length]);
  });

  test('of a prompt come without targets, in the order of the positions; the last may be asked without `next`', async () => {
    const tokens = await engine.tokenize('a prompt', { special: false });
    const all = Int32Array.from(tokens.subarray(1), (_, i) => i);
    const { next, top, logprobs } = await engine.score({
      sequences: [
        { tokens, positions: all },
        { tokens, positions: new Int32Array() },
      ],
      targets: new Int32Array(),
      next: true,
      topLogprobs: 3,
    });
    expect([
      next?.map(({ length }) => length),
      top?.map((each) => each.tokens.length),
      logprobs.map(({ length }) => length),
    ]).toEqual([
      [all.length, 0],
      [3 * all.length, 0],
      [0, 0],
    ]);
    for (const [i, position] of all.entries()) {
      const alone = await engine.score({
        sequences: [{ tokens: tokens.subarray(0, position + 1), positions: Int32Array.of(position) }],
        targets: tokens.subarray(position + 1, position + 2),
        topLogprobs: 3,
      });
      expect(Math.abs((next?.[0]?.[i] ?? NaN) - (alone.logprobs[0]?.[0] ?? NaN))).toBeLessThan(ROUNDING);
      for (const [j, { logprob }] of rowsOf(alone.top?.[0])[0]?.entries() ?? [])
        expect(Math.abs((top?.[0]?.logprobs[3 * i + j] ?? NaN) - logprob)).toBeLessThan(ROUNDING);
    }
    const backwards = await engine.score({
      sequences: [{ tokens, positions: all.toReversed() }],
      targets: new Int32Array(),
      next: true,
    });
    for (const [i, value] of (next?.[0] ?? []).entries())
      expect(Math.abs((backwards.next?.[0]?.[all.length - 1 - i] ?? NaN) - value)).toBeLessThan(ROUNDING);
  });

  test('what was not asked for is not there, and what cannot be is refused', async () => {
    const sequences = [{ tokens: Int32Array.of(1, 2), positions: Int32Array.of(1) }];
    expect(Object.keys(await engine.score({ sequences, targets: Int32Array.of(1) })).sort()).toEqual([
      'logprobs',
      'usage',
    ]);
    await expect(engine.score({ sequences, targets: Int32Array.of(), next: true })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('no next token') as unknown,
    });
    for (const topLogprobs of [-1, 21, 0.5]) {
      await expect(engine.score({ sequences, targets: Int32Array.of(), topLogprobs })).rejects.toMatchObject({
        code: 'USAGE',
      });
      await expect(engine.sample(await request(engine, 'x', 1, { topLogprobs }))).rejects.toMatchObject({
        code: 'USAGE',
      });
    }
  });
});
