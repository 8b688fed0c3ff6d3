/**
 * The determinism contract: with a fixed budget a result depends on problem, settings, model and seed alone, not on
 * what was decoded beside what or ended first, and is what 0.1.0 gave; a reproducible engine is given the same jobs,
 * whole stages in order.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SolveSettings } from '../../src/options.js';
import { resultJsonSchema, resultSchema } from '../../src/result-schema.js';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import type { SolveResult } from '../../src/types.js';
import { cases, comparable, scripted } from '../fixtures/contract/cases.mjs';
import { solve } from '../support/solve.js';

interface Recorded {
  readonly flowing: readonly { readonly name: string; readonly result: unknown }[];
  readonly reproducible: readonly { readonly name: string; readonly result: unknown; readonly jobs: string }[];
}
const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/contract/recorded.json', import.meta.url), 'utf8'),
) as Recorded;

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-contract-'));
  path = join(folder, 'fake.gguf');
  writeFileSync(path, 'weights');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain = (result: SolveResult): unknown => JSON.parse(JSON.stringify(comparable(result)));
const settingsOf = (settings: Record<string, unknown>): SolveSettings => settings as SolveSettings;

describe.each(cases.map((each, i) => ({ ...each, i })))('$name', ({ problem, settings, i }) => {
  test('gives what 0.1.0 gave', async () => {
    const { answer, logprob, sandbox } = scripted;
    const engine = new FakeEngine({ answer, logprob, model: { path } });
    const result = await solve(problem, { ...settingsOf(settings), engine, sandbox }).result;
    expect(plain(result)).toEqual(recorded.flowing[i]?.result);
    expect(resultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(JSON.parse(JSON.stringify(result)));
  });

  test('in whatever order candidates end', async () => {
    const { answer, logprob, sandbox } = scripted;
    const engine = new FakeEngine({ answer, logprob, model: { path }, order: (seed) => (seed * 2654435761) % 97 });
    const result = await solve(problem, { ...settingsOf(settings), engine, sandbox }).result;
    expect(plain(result)).toEqual(recorded.flowing[i]?.result);
  });

  test('reproducible: the same jobs, whole stages in order', async () => {
    const { answer, logprob, sandbox } = scripted;
    const engine = new FakeEngine({ answer, logprob, model: { path }, reproducible: true });
    const jobs: unknown[] = [];
    const [sample, score] = [engine.sample.bind(engine), engine.score.bind(engine)];
    engine.sample = (request) => {
      jobs.push(['sample', request.prompts.map(({ tokens, seeds }) => [hex(tokens), [...seeds]])]);
      return sample(request);
    };
    engine.score = (request) => {
      jobs.push(['score', request.sequences.map(({ tokens }) => hex(tokens)), [...(request.targets ?? [])]]);
      return score(request);
    };
    const result = await solve(problem, { ...settingsOf(settings), engine, sandbox }).result;
    expect(plain(result)).toEqual(recorded.reproducible[i]?.result);
    expect(createHash('sha256').update(JSON.stringify(jobs)).digest('hex')).toBe(recorded.reproducible[i]?.jobs);
  });
});

const hex = (tokens: Int32Array): string => Buffer.from(Int32Array.from(tokens).buffer).toString('hex');

test('a result says its version, and its JSON Schema can be had', () => {
  expect(resultJsonSchema()).toMatchObject({
    $schema: expect.stringContaining('2020-12') as string,
    properties: { version: { const: 1 }, candidates: { type: 'array' } },
  });
  expect(() => resultSchema.parse({ ...(recorded.flowing[0]?.result as object), version: 2 })).toThrow();
});
