/**
 * Scores against two references: exact arithmetic (support/exact-model.mjs), and llama.cpp's own server on the same
 * files (fixtures/scores/make.mjs has made them).
 *
 * How far may they differ? llama.cpp rounds to F16 what it multiplies with F16 matrices, and its keys, values and
 * queries. A sum in another order (SSE, AVX, AVX-512, another layout) moves a number by some 2^-24 of itself; now and
 * then that tips such a rounding to the neighbour, 2^-10 away, and two layers on most of them have tipped. So two
 * processors, or two layouts, give two draws of one noise, however small the difference that it began with. Its size is
 * computed, not measured: exact-model.mjs gives the scores with every rounding in a random direction, and
 * fixtures/scores/rounding.mjs the deviations of such draws from the exact scores. Allowed is a largest difference of 5
 * deviations of the score that moves most, and 3 times the expected root mean square (which few scores make up, and
 * these move together).
 *
 * The shipped model's 576 scores, against the exact ones. Measured with llama.cpp's CPU code for x64, sse42,
 * sandybridge, ivybridge, piledriver, haswell and six with AVX-512 (T1_CPU_VARIANT), split and unified, stepwise and at
 * once:
 *
 *                                           deviation           allowed             measured, at most
 *                                       widest     rms      largest    rms         largest    rms
 *   F32 matrices and cache              0.000145   0.00002  0.00073    0.000063    0.00021    0.000025
 *   F16, flash attention on or off      0.062      0.013    0.31       0.040       0.097      0.012  two of them: 0.057
 *   F16, sums in F16 (ARM)              0.24       0.048    1.2        0.14        not measured
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Engine } from '../../src/engine/engine-types.js';
import { shippedModel } from '../../src/paths.js';
import { classifierGguf } from '../support/classifier-gguf.mjs';
import { modelFile, tinyEngine } from '../support/engine.js';
import { ExactModel, ROUNDINGS, logSoftmax } from '../support/exact-model.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const fixture = z
  .object({
    score: z.object({
      sha256: z.string(),
      /** Greedy completions: from position `first` on, the likeliest tokens with their log-probabilities. */
      completions: z.array(
        z.object({ tokens: z.array(z.int()), first: z.int(), top: z.array(z.array(z.tuple([z.int(), z.number()]))) }),
      ),
    }),
    classify: z.object({
      sha256: z.string(),
      ranks: z.array(z.object({ tokens: z.array(z.int()), probability: z.number() })),
    }),
  })
  .parse(
    JSON.parse(readFileSync(fileURLToPath(new URL('../fixtures/scores/llama-server.json', import.meta.url)), 'utf8')),
  );

const Tolerance = z
  .object({ widest: z.number(), rms: z.number() })
  .transform(({ widest, rms }) => ({ largest: 5 * widest, rms: 3 * rms }));
type Tolerance = z.output<typeof Tolerance>;
const rounding = z
  .object({
    score: z.object({ sha256: z.string(), f32: Tolerance, f16: Tolerance, f16Summed: Tolerance }),
    classify: z.object({ sha256: z.string(), f32: Tolerance, f16Cache: Tolerance, f16Summed: Tolerance }),
  })
  .parse(JSON.parse(readFileSync(fileURLToPath(new URL('../fixtures/scores/rounding.json', import.meta.url)), 'utf8')));

/** The fixtures are of this very file; another one needs others. */
function fileOf(content: Buffer, kind: 'score' | 'classify'): Buffer {
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(fixture[kind].sha256, 'the model has changed: run test/fixtures/scores/make.mjs, then rounding.mjs').toBe(
    sha256,
  );
  expect(rounding[kind].sha256, 'the model has changed: run test/fixtures/scores/rounding.mjs').toBe(sha256);
  return content;
}

const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
/** NaN if one of them is. */
const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const differences = (a: readonly number[], b: readonly number[]): number[] => {
  expect(a).toHaveLength(b.length);
  return a.map((value, i) => value - (b[i] ?? NaN));
};

/** Whether these can be the same scores but for rounding. */
function agree(scores: readonly number[], exact: readonly number[], tolerance: Tolerance): boolean {
  const apart = differences(scores, exact);
  return largest(apart) < tolerance.largest && rms(apart) < tolerance.rms;
}

function expectAgreement(scores: readonly number[], exact: readonly number[], tolerance: Tolerance): void {
  const apart = differences(scores, exact);
  expect(largest(apart)).toBeLessThan(tolerance.largest);
  expect(rms(apart)).toBeLessThan(tolerance.rms);
}

/** One after the other, and the event loop in between: the test runner wants to hear of this process. */
async function each<Item, Value>(items: readonly Item[], compute: (item: Item) => Value): Promise<Value[]> {
  const values: Value[] = [];
  for (const item of items) {
    await turn();
    values.push(compute(item));
  }
  return values;
}

const once = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
};

/**
 * Processors with F16 arithmetic: llama.cpp uses it where it was built for it. The server's numbers were made on x86.
 */
const ADDS_IN_F16 = process.arch === 'arm64';
const LAYOUTS = (['split', 'unified'] as const).flatMap((kv) =>
  (['on', 'off'] as const).map((flashAttention) => ({ kv, flashAttention })),
);
/** With flash attention llama.cpp reads an F32 cache as F16. */
const PRECISE = { kvType: 'f32', flashAttention: 'off' } as const;

describe('log-probabilities', () => {
  const { completions } = fixture.score;
  type Completion = (typeof completions)[number];
  const positions = ({ top, first }: Completion): number[] => top.map((_, step) => first + step);
  const server = completions.flatMap(({ top }) => top.flat().map(([, logprob]) => logprob));
  const targets = Int32Array.from(new Set(completions.flatMap(({ top }) => top.flat().map(([id]) => id))));
  const column = new Map(Array.from(targets, (id, i) => [id, i]));

  /** Of the tokens that the server names. `row`: log-probabilities at a completion's step, by place of the token */
  const named = (row: (completion: number, step: number, token: number) => number | undefined): number[] =>
    completions.flatMap(({ top }, c) =>
      top.flatMap((likeliest, step) => likeliest.map(([id]) => row(c, step, id) ?? NaN)),
    );
  const computed = async (logprobs: (completion: Completion) => readonly Float64Array[]): Promise<number[]> => {
    const rows = await each(completions, logprobs);
    return named((c, step, id) => rows[c]?.[step]?.[id]);
  };

  const content = once(() => readGguf(fileOf(readFileSync(shippedModel), 'score')));
  const model = once(() => new ExactModel(content()));
  const exact = once(() => computed((completion) => model().logprobs(completion.tokens, positions(completion))));
  const { f32, f16, f16Summed } = rounding.score;
  const here = ADDS_IN_F16 ? f16Summed : f16;

  /** All in one job. */
  async function atOnce(engine: Engine): Promise<number[]> {
    const sequences = completions.map((completion) => ({
      tokens: Int32Array.from(completion.tokens),
      positions: Int32Array.from(positions(completion)),
    }));
    const { logprobs } = await engine.score({ sequences, targets });
    return named((c, step, id) => logprobs[c]?.[step * targets.length + (column.get(id) ?? NaN)]);
  }

  /** A job for each position, on what the one before left in the cache: as the server did. */
  async function stepwise(engine: Engine): Promise<number[]> {
    const rows: Float32Array[][] = [];
    for (const completion of completions) {
      const row: Float32Array[] = [];
      for (const position of positions(completion)) {
        const tokens = Int32Array.from(completion.tokens.slice(0, position + 1));
        const { logprobs } = await engine.score({
          sequences: [{ tokens, positions: Int32Array.of(position) }],
          targets,
        });
        row.push(...logprobs);
      }
      rows.push(row);
    }
    return named((c, step, id) => rows[c]?.[step]?.[column.get(id) ?? NaN]);
  }

  test('of llama-server are the exact ones, rounded to F16', async () => {
    expect(server.length).toBeGreaterThan(500);
    expectAgreement(server, await exact(), f16);
    expect(agree(server, await exact(), f32)).toBe(false);
  });

  test.each(['split', 'unified'] as const)('of an F32 file are the exact ones, rounded to F32 (%s)', async (kv) => {
    const path = modelFile(writeGguf({ ...content().pairs, 'general.file_type': 0 }, content().tensors));
    await using engine = await tinyEngine({ path, kv, ...PRECISE });
    expectAgreement(await stepwise(engine), await exact(), f32);
    await using fresh = await tinyEngine({ path, kv, ...PRECISE });
    expectAgreement(await atOnce(fresh), await exact(), f32);
  });

  test.each(LAYOUTS)(
    'of the shipped model are the exact ones, rounded to F16 ($kv, flash attention $flashAttention)',
    async (layout) => {
      await using engine = await tinyEngine({ path: shippedModel, ...layout });
      expectAgreement(await stepwise(engine), await exact(), here);
      await using fresh = await tinyEngine({ path: shippedModel, ...layout });
      expectAgreement(await atOnce(fresh), await exact(), here);
    },
  );

  test.each(['f32', 'f16', 'f16Summed'] as const)(
    'the deviations of rounding.json are those of exact-model.mjs (%s)',
    async (kind) => {
      const last = completions.at(-1); // its scores move most
      if (!last) throw new Error('the fixture is empty');
      const [scores, rounded] = await each([undefined, 101], (seed) => {
        const rows =
          seed === undefined
            ? model().logprobs(last.tokens, positions(last))
            : model().rounded(last.tokens, positions(last), ROUNDINGS[kind], seed);
        return last.top.flatMap((likeliest, step) => likeliest.map(([id]) => rows[step]?.[id] ?? NaN));
      });
      const moved = largest(differences(rounded ?? [], scores ?? []));
      expect(moved).toBeLessThan(rounding.score[kind].largest);
      expect(moved).toBeGreaterThan(rounding.score[kind].largest / 20);
    },
  );

  const FAULTS: [string, (completion: Completion) => readonly Float64Array[]][] = [
    [
      'the first token missing',
      ({ tokens, first, top }) =>
        model().logprobs(
          tokens.slice(1),
          top.map((_, step) => first + step - 1),
        ),
    ],
    [
      'a position skipped where the prompt ends',
      (completion) =>
        model().logprobs(
          completion.tokens,
          positions(completion),
          completion.tokens.map((_, i) => (i < completion.first ? i : i + 1)),
        ),
    ],
    [
      'the row of the token before',
      (completion) =>
        model().logprobs(
          completion.tokens,
          positions(completion).map((at) => at - 1),
        ),
    ],
    [
      'logits too large by 1 %',
      (completion) =>
        model()
          .logprobs(completion.tokens, positions(completion))
          .map((row) => logSoftmax(row.map((logit) => logit * 1.01))),
    ],
  ];
  test.each(FAULTS)('%s would be seen', async (_, faulty) => {
    const scores = await computed(faulty);
    expect(agree(scores, await exact(), f32)).toBe(false);
    expect(agree(scores, await exact(), f16)).toBe(false);
  });
});

describe('class probabilities', () => {
  const { ranks } = fixture.classify;
  const server = ranks.map(({ probability }) => Math.log(probability));
  const model = once(() => new ExactModel(readGguf(fileOf(classifierGguf(), 'classify'))));
  const exact = once(() => each(ranks, ({ tokens }) => model().logprobs(tokens, [tokens.length - 1])[0]?.[0] ?? NaN));
  const { f32, f16Cache, f16Summed } = rounding.classify;
  const here = ADDS_IN_F16 ? f16Summed : f16Cache;

  /**
   * Natural logs of the first class's probability: exp of them is what the server gives, without any further squashing.
   */
  async function scoresOf(engine: Engine): Promise<number[]> {
    const { scores } = await engine.classify({ sequences: ranks.map(({ tokens }) => Int32Array.from(tokens)) });
    return scores.map((classes) => classes[0] ?? NaN);
  }

  test('of llama-server are the exact ones, rounded to F16', async () => {
    expectAgreement(server, await exact(), f16Cache);
  });

  test.each(['split', 'unified'] as const)('of an F32 cache are the exact ones, rounded to F32 (%s)', async (kv) => {
    await using engine = await tinyEngine({ path: modelFile(classifierGguf()), kv, ...PRECISE });
    expectAgreement(await scoresOf(engine), await exact(), f32);
  });

  test.each(LAYOUTS)(
    'of an F16 cache are the exact ones, rounded to F16 ($kv, flash attention $flashAttention)',
    async (layout) => {
      await using engine = await tinyEngine({ path: modelFile(classifierGguf()), ...layout });
      expectAgreement(await scoresOf(engine), await exact(), here);
    },
  );
});
