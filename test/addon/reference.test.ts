/** Scores against those of llama.cpp's own server on the same files; fixtures/scores/make.mjs has made them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { shippedModel } from '../../src/paths.js';
import { classifierGguf } from '../support/classifier-gguf.mjs';
import { modelFile, tinyEngine } from '../support/engine.js';

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

/** The fixtures are of this very file; another one needs others. */
function expectFile(content: Buffer, sha256: string): void {
  expect(
    createHash('sha256').update(content).digest('hex'),
    'the model has changed: run test/fixtures/scores/make.mjs',
  ).toBe(sha256);
}

const { completions } = fixture.score;
const targets = Int32Array.from(new Set(completions.flatMap(({ top }) => top.flat().map(([id]) => id))));

/** |ours - llama-server's|, natural log, of every token that the server names. `rows`: [completions][steps × targets] */
function differences(rows: readonly Float32Array[]): number[] {
  const column = new Map(Array.from(targets, (id, i) => [id, i]));
  return completions.flatMap(({ top }, c) =>
    top.flatMap((likeliest, step) =>
      likeliest.map(([id, logprob]) =>
        Math.abs((rows[c]?.[step * targets.length + (column.get(id) ?? NaN)] ?? NaN) - logprob),
      ),
    ),
  );
}

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0);
const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Read in the steps in which the server read them, the numbers differ by 0.00002 at most on the machine that made them; the
 * rest is for other processors. All in one job, F16 products are rounded in another order: 0.05 at most, 0.004 on average.
 */
const TOLERANCE = { stepwise: 0.02, most: 0.1, average: 0.01 };

test.each(['split', 'unified'] as const)('log-probabilities are those of llama-server (%s)', async (kv) => {
  expectFile(readFileSync(shippedModel), fixture.score.sha256);
  const positions = ({ top, first }: (typeof completions)[number]) => Int32Array.from(top, (_, step) => first + step);
  await using engine = await tinyEngine({ path: shippedModel, kv });
  const stepwise: Float32Array[] = [];
  for (const completion of completions) {
    const rows: number[] = [];
    for (const position of positions(completion)) {
      const tokens = Int32Array.from(completion.tokens.slice(0, position + 1));
      const { logprobs } = await engine.score({ sequences: [{ tokens, positions: Int32Array.of(position) }], targets });
      rows.push(...(logprobs[0] ?? []));
    }
    stepwise.push(Float32Array.from(rows));
  }
  expect(differences(stepwise).length).toBeGreaterThan(500);
  expect(largest(differences(stepwise))).toBeLessThan(TOLERANCE.stepwise);

  await using fresh = await tinyEngine({ path: shippedModel, kv });
  const sequences = completions.map((completion) => ({
    tokens: Int32Array.from(completion.tokens),
    positions: positions(completion),
  }));
  const { logprobs } = await fresh.score({ sequences, targets });
  expect(largest(differences(logprobs))).toBeLessThan(TOLERANCE.most);
  expect(average(differences(logprobs))).toBeLessThan(TOLERANCE.average);
});

test.each(['split', 'unified'] as const)('class probabilities are those of llama-server (%s)', async (kv) => {
  const { sha256, ranks } = fixture.classify;
  expectFile(classifierGguf(), sha256);
  await using engine = await tinyEngine({ path: modelFile(classifierGguf()), kv });
  const { scores } = await engine.classify({ sequences: ranks.map(({ tokens }) => Int32Array.from(tokens)) });
  for (const [i, { probability }] of ranks.entries()) {
    // The server's number is a probability; so is exp of ours, without any further squashing.
    expect(Math.abs(Math.exp(scores[i]?.[0] ?? NaN) - probability), `rank ${i}`).toBeLessThan(0.005);
  }
});
