/** Verifiers and rewards that one can choose, over a scripted engine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeEngine, type FakeEngineOptions } from '../../src/testing/fake-engine.js';
import { sampleSeed } from '../../src/generate/seeds.js';
import { mean } from '../../src/reward/genrm.js';
import type { ProgramRunner } from '../../src/stage-context.js';
import { solve } from '../support/solve.js';
import { Store } from '../../src/store/store.js';

let folder: string;
let model: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-choices-'));
  model = join(folder, 'fake.gguf');
  writeFileSync(model, 'weights');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Samples 0, 1 and 2; the first states a step that does not hold. */
const SOLUTIONS = ['20 + 22 = 41, so \\boxed{41}.', '20 + 22 = 42, so \\boxed{42}.', 'Obviously \\boxed{40}.'];
const sampleOf = (seed: number): number => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => sampleSeed(0, i)).indexOf(seed);

const engineOf = (more: Partial<FakeEngineOptions> = {}): FakeEngine =>
  new FakeEngine({
    answer: (prompt, seed) => {
      if (prompt.includes('Write a Python program')) return '```python\nprint(True)\n```';
      return SOLUTIONS[sampleOf(seed) % 3] ?? '';
    },
    model: { path: model },
    ...more,
  });

const counting = () => {
  const codes: string[] = [];
  const run: ProgramRunner['run'] = async ({ code }) => {
    codes.push(code);
    return { status: 'ok', stdout: 'True\n', value: null, error: null, truncated: false, ms: 1 };
  };
  return { codes, run };
};

describe('the verifier steps', () => {
  test('refutes what the solution computes wrongly, and asks the model nothing', async () => {
    const engine = engineOf();
    const result = await solve('What is 20 + 22?', { engine, sandbox: counting(), samples: 3, verifier: 'steps' })
      .result;
    expect(result.candidates.map(({ tool }) => tool.verdict)).toEqual(['fail', 'pass', 'unknown']);
    expect(result.candidates[0]?.tool.steps).toEqual([{ step: '20 + 22 = 41', holds: false, value: '42' }]);
    expect(result).toMatchObject({ answer: '42', verified: true });
    expect(engine.jobs.sample).toBe(1);
  });

  test('before programs: only solutions whose steps hold get some, and these decide', async () => {
    const prompts: string[] = [];
    const engine = engineOf({
      answer: (prompt, seed) => {
        if (!prompt.includes('Write a Python program')) return SOLUTIONS[sampleOf(seed) % 3] ?? '';
        prompts.push(prompt);
        return prompt.includes('boxed{42}') ? '```python\nprint(True)\n```' : 'no program';
      },
    });
    const result = await solve('What is 20 + 22?', {
      engine,
      sandbox: counting(),
      samples: 3,
      verifier: 'steps-then-math',
    }).result;
    expect(prompts.filter((prompt) => prompt.includes('boxed{41}'))).toEqual([]);
    expect(result.candidates.map(({ tool }) => tool.verdict)).toEqual(['fail', 'pass', 'unknown']);
    expect(result.candidates.map(({ tool }) => tool.programs.length)).toEqual([0, 4, 4]);
  });

  test('an unknown counts as a pass where the user says so, and verifies nothing', async () => {
    const only = { answer: () => 'Obviously \\boxed{40}.' };
    const settings = { sandbox: counting(), samples: 2, verifier: 'steps', unknown: 'pass' } as const;
    expect(await solve('?', { engine: engineOf(only), ...settings }).result).toMatchObject({
      answer: '40',
      verified: false,
      fallback: null,
    });
    const result = await solve('What is 20 + 22?', { engine: engineOf(), ...settings, samples: 3 }).result;
    expect(result.candidates.map(({ weight }) => weight > 0)).toEqual([false, true, true]);
  });
});

describe('the reward genrm', () => {
  const ASK = 'Verification: Is the answer correct (Yes/No)?';
  /** Rationale k of a solution; P(Yes) after it is what the solution and k say. */
  const judging = (rationale: (k: number) => string) =>
    engineOf({
      answer: (prompt, seed) => {
        if (prompt.includes('Write a Python program')) return '```python\nprint(True)\n```';
        return prompt.includes('Grade the solution')
          ? rationale(sampleOf(seed))
          : (SOLUTIONS[sampleOf(seed) % 3] ?? '');
      },
      logprob: (text, target) => {
        if (!text.endsWith('(Yes/No)?')) throw new Error(`asked after ${text.slice(-20)}`);
        const yes = text.includes('boxed{42}') ? 0.9 : text.includes('Rationale 0') ? 0.6 : 0.2;
        return Math.log(target === 'Yes' ? yes : 1 - yes);
      },
    });
  const settings = { sandbox: counting(), samples: 2, programs: 1, reward: 'genrm', rationales: 4 } as const;

  test('is the mean of P(Yes) over the rationales', async () => {
    const engine = judging((k) => `Rationale ${k}. ${ASK} Yes`);
    const result = await solve('What is 20 + 22?', { engine, ...settings }).result;
    expect(result.candidates[0]?.reward).toBeCloseTo((0.6 + 3 * 0.2) / 4, 5);
    expect(result.candidates[1]?.reward).toBeCloseTo(0.9, 5);
    expect(result.candidates[0]?.rationales?.map(({ text }) => text)).toEqual(
      [0, 1, 2, 3].map((k) => `Rationale ${k}. Verification: `),
    );
  });

  test('or of votes', async () => {
    const engine = judging((k) => `Rationale ${k}. ${ASK} Yes`);
    const result = await solve('What is 20 + 22?', { engine, ...settings, rationaleScore: 'vote' }).result;
    expect(result.candidates.map(({ reward }) => reward)).toEqual([0.25, 1]);
  });

  test('a rationale without its verdict is left out; without any there is no score', async () => {
    const half = await solve('What is 20 + 22?', {
      engine: judging((k) => (k % 2 === 0 ? `Rationale ${k}. ${ASK} No` : 'I cannot say.')),
      ...settings,
    }).result;
    expect(half.candidates[0]?.reward).toBeCloseTo(0.4, 5);
    expect(half.candidates[0]?.rationales?.map(({ score }) => score === null)).toEqual([false, true, false, true]);
    const none = await solve('What is 20 + 22?', { engine: judging(() => 'I cannot say.'), ...settings }).result;
    expect(none.candidates.map(({ reward }) => reward)).toEqual([null, null]);
  });

  test('comes from the store the second time', async () => {
    const store = Store.open(join(folder, 'results.sqlite'));
    const once = await solve('What is 20 + 22?', {
      engine: judging((k) => `Rationale ${k}. ${ASK} Yes`),
      ...settings,
      store,
    }).result;
    const engine = judging(() => 'other');
    const again = await solve('What is 20 + 22?', { engine, ...settings, store }).result;
    expect(engine.jobs).toEqual({ sample: 0, score: 0 });
    expect(again.candidates).toEqual(once.candidates);
    store.close();
  });

  test('a model whose profile has no rationales is refused before it samples', async () => {
    const engine = engineOf({ model: { path: model, metadata: { 't1.profile': 'tiny' } } });
    await expect(solve('?', { engine, ...settings }).result).rejects.toMatchObject({ code: 'USAGE' });
    expect(engine.jobs.sample).toBe(0);
  });

  test('mean of nothing is nothing', () => expect(mean([{ text: '', score: null }], 'vote')).toBeNull());
});
