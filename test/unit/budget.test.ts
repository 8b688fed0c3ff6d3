/** An adaptive budget that is spent on a scripted engine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SampleRequest } from '../../src/engine/engine-types.js';
import type { SolveSettings } from '../../src/options.js';
import { Store } from '../../src/store/store.js';
import { FakeEngine, type FakeEngineOptions } from '../../src/testing/fake-engine.js';
import type { SolveResult } from '../../src/types.js';
import { cases, scripted } from '../fixtures/contract/cases.mjs';
import { solve } from '../support/solve.js';

let folder: string;
let path: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-budget-'));
  path = join(folder, 'fake.gguf');
  writeFileSync(path, 'weights');
  store = Store.open(join(folder, 'results.sqlite'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const PROBLEM = 'What is 20 + 22?';
/** One that says what it is: what depends on it may be kept. */
const sandbox = { ...scripted.sandbox, identity: { backend: 'scripted', version: 1 } };

/** Solutions differ in their words, all end with 42; every program passes it. */
const easy = (more: Partial<FakeEngineOptions> = {}): FakeEngine =>
  new FakeEngine({
    answer: (prompt, seed) =>
      prompt.includes('Python')
        ? '```python\nprint(40 < 42 < 43)\n```'
        : `I am solution ${seed}, and 20 + 22 = 42: \\boxed{42}.`,
    logprob: (_, target) => Math.log(target === 'Yes' ? 0.6 : 0.2),
    model: { path },
    ...more,
  });

const adaptive = { budget: 'adaptive', samples: 16, programs: 1 } as const;

describe('what is settled', () => {
  test('is not asked about any further: candidates are missing, verdicts and rewards skipped, never unknown', async () => {
    const engine = easy();
    const result = await solve(PROBLEM, { ...adaptive, engine, sandbox });
    expect(result).toMatchObject({ answer: '42', verified: true, fallback: null });
    expect(result.candidates.length).toBeLessThan(8);
    const verdicts = result.candidates.map(({ tool }) => tool.verdict);
    expect(verdicts).toContain('pass');
    expect(verdicts).not.toContain('unknown');
    const fixed = await solve(PROBLEM, { ...adaptive, budget: 'fixed', engine: easy(), sandbox });
    expect(result.usage.generatedTokens).toBeLessThan(0.5 * fixed.usage.generatedTokens);
  });

  test('costs more the surer one wants to be', async () => {
    const of = async (confidence: number): Promise<number> =>
      (await solve(PROBLEM, { ...adaptive, confidence, engine: easy({ reproducible: true }), sandbox })).usage
        .generatedTokens;
    const [little, much, all] = [await of(0.6), await of(0.999), await of(1)];
    expect(little).toBeLessThan(much);
    expect(much).toBeLessThan(all);
  });

  test('what is still generated then is cancelled', async () => {
    const engine = easy();
    const signals: AbortSignal[] = [];
    const ended = new Set<AbortSignal | undefined>();
    const sample = engine.sample.bind(engine);
    let candidates = 0;
    engine.sample = async (request: SampleRequest) => {
      const isCandidate = !Buffer.from(request.prompts[0]?.tokens ?? [])
        .toString()
        .includes('Python');
      // The second candidate never ends by itself.
      if (isCandidate && ++candidates === 2 && request.signal) {
        signals.push(request.signal);
        return new Promise((_, reject) =>
          request.signal?.addEventListener('abort', () => {
            ended.add(request.signal);
            reject(request.signal?.reason as Error);
          }),
        );
      }
      return sample(request);
    };
    const { answer, candidates: pool } = await solve(PROBLEM, { ...adaptive, confidence: 0.8, engine, sandbox });
    expect(answer).toBe('42');
    expect(signals).toHaveLength(1);
    expect(ended.has(signals[0])).toBe(true);
    expect(pool.map(({ index }) => index)).not.toContain(1);
  });
});

test.each([3, 1])('a listener hears of each candidate, verdict and reward once (%i wordings)', async (wordings) => {
  const seen = new Map<string, number>();
  // Few wordings, so that several candidates are one question; nothing passes, so all are asked about.
  const answer = (prompt: string, seed: number): string =>
    prompt.includes('Python') ? '```python\nprint(1 > 2)\n```' : `Way ${seed % wordings}: \\boxed{${seed % wordings}}.`;
  const engine = easy({ answer, order: (seed) => -seed, delayMs: 2 });
  const sample = engine.sample.bind(engine);
  // The first candidate comes while the second one, with the same text, is asked about.
  let candidates = 0;
  engine.sample = async (request: SampleRequest) => {
    const isProgram = Buffer.from(request.prompts[0]?.tokens ?? [])
      .toString()
      .includes('Python');
    await sleep(isProgram ? 60 : candidates++ === 0 ? 30 : 0);
    return sample(request);
  };
  for await (const event of solve(PROBLEM, { ...adaptive, confidence: 1, engine, sandbox })) {
    if (event.type !== 'candidate' && event.type !== 'verdict' && event.type !== 'score') continue;
    const name = `${event.type} ${event.type === 'candidate' ? event.candidate.index : event.index}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  expect([...seen].filter(([, times]) => times > 1)).toEqual([]);
  expect(seen.size).toBe(3 * 16);
});

const sums = cases.filter(({ settings }) => settings['select'] !== 'best-of-n');

test.each(sums)('with confidence 1 the answer is that of the whole budget ($name)', async ({ problem, settings }) => {
  const { answer, logprob } = scripted;
  const order = (seed: number): number => (seed * 2654435761) % 97;
  const of = (budget: 'fixed' | 'adaptive'): Promise<SolveResult> => {
    const engine = new FakeEngine({ answer, logprob, model: { path }, order });
    return solve(problem, { ...(settings as SolveSettings), budget, confidence: 1, engine, sandbox }).result;
  };
  const [whole, part] = [await of('fixed'), await of('adaptive')];
  expect([part.answer, part.fallback]).toEqual([whole.answer, whole.fallback]);
  // A majority looks at no tool, so none is asked.
  expect(part.verified).toBe(settings['select'] === 'majority' ? false : whole.verified);
  expect(part.candidates.length).toBeLessThanOrEqual(whole.candidates.length);
  expect(part.usage.generatedTokens).toBeLessThanOrEqual(whole.usage.generatedTokens);
});

describe('again', () => {
  test('the same command asks for the same, and decodes nothing', async () => {
    const first = await solve(PROBLEM, { ...adaptive, engine: easy({ delayMs: 1 }), store, sandbox });
    const engine = easy({ delayMs: 3, order: (seed) => -seed });
    const second = await solve(PROBLEM, { ...adaptive, engine, store, sandbox });
    expect(second.candidates).toEqual(first.candidates);
    expect([engine.jobs, second.usage.generatedTokens]).toEqual([{ sample: 0, score: 0 }, 0]);
  });

  test.each([{ confidence: 0.6 }, { verifier: 'steps' }, { programRule: 'all' }] as const)(
    'another setting decides anew (%j)',
    async (other) => {
      await solve(PROBLEM, { ...adaptive, engine: easy(), store, sandbox });
      const before = store.stats().values['budget'] ?? 0;
      await solve(PROBLEM, { ...adaptive, ...other, engine: easy(), store, sandbox });
      expect(store.stats().values['budget'] ?? 0).toBe(before + 1);
    },
  );

  test('a reproducible engine decides the same whatever ends first', async () => {
    const of = async (order: (seed: number) => number) => {
      const { answer, logprob } = scripted;
      const engine = new FakeEngine({ answer, logprob, model: { path }, reproducible: true, order });
      return (await solve(PROBLEM, { ...adaptive, engine, sandbox })).candidates;
    };
    expect(await of((seed) => -seed)).toEqual(await of((seed) => seed));
  });
});

describe('ends', () => {
  test('when the caller leaves, and leaves nothing running', async () => {
    const engine = easy({ delayMs: 20 });
    const controller = new AbortController();
    const solving = solve(PROBLEM, { ...adaptive, engine, sandbox, signal: controller.signal });
    await sleep(30);
    controller.abort();
    await expect(solving).rejects.toMatchObject({ code: 'ABORTED' });
    const { sample } = engine.jobs;
    await sleep(60);
    expect(engine.jobs.sample).toBe(sample);
  });

  test('with what fails first', async () => {
    const broken = { version: 'broken 1', run: () => Promise.reject(new Error('no sandbox today')) };
    const solving = solve(PROBLEM, { ...adaptive, engine: easy(), sandbox: broken });
    await expect(solving).rejects.toThrow('no sandbox today');
  });

  test('before it begins where one more candidate can always win', async () => {
    const solving = solve(PROBLEM, { ...adaptive, select: 'best-of-n', engine: easy(), sandbox });
    await expect(solving).rejects.toMatchObject({ code: 'USAGE', setting: 'budget' });
  });
});
