/** The model that ships beside its generator: the same ids in training and here, and the generator's own tests. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Engine, loadEngine, Sandbox, Store } from '../../src/index.js';
import { packageRoot } from '../../src/paths.js';
import { solve } from '../support/solve.js';

const TEXTS = 10_000;
const models = join(packageRoot, 'models');
const python = spawnSync('python3', ['--version']).status === 0;
if (!python) console.log('tiny model: comparisons with the generator skipped, there is no python3');

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('python3', args, { cwd: packageRoot, encoding: 'utf8', maxBuffer: 1 << 28 });
}

let engine: Engine;
beforeAll(async () => {
  const adapters = ['tool', 'reward'].map((name) => ({ name, path: join(models, `t1-tiny-${name}.gguf`) }));
  engine = await loadEngine({ path: join(models, 't1-tiny.gguf'), adapters });
});
afterAll(() => engine.dispose());

describe.skipIf(!python)('the generator', () => {
  test('passes its own tests', () => {
    const { status, stderr } = run('-m', 'unittest', 'training.tiny.test_tiny');
    expect(stderr).toContain('OK');
    expect(status).toBe(0);
  }, 120_000);

  test(`splits ${TEXTS} texts into the ids that the engine gives`, async () => {
    const { stdout } = run('-m', 'training.tiny.tokenizer', '--ids', String(TEXTS));
    const line = z.object({ text: z.string(), ids: z.array(z.int()) });
    const texts = stdout
      .trim()
      .split('\n')
      .map((each) => line.parse(JSON.parse(each)));
    expect(texts).toHaveLength(TEXTS);
    const read = await Promise.all(texts.map(({ text }) => engine.tokenize(text, { special: true })));
    const different = texts.filter(({ ids }, i) => !sameIds(read[i] ?? new Int32Array(), ids));
    expect(different.slice(0, 3)).toEqual([]);
  }, 120_000);
});

function sameIds(a: Int32Array, b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

describe('one base, an adapter for each role', () => {
  const problem = 'Mia has 40 stamps. Leo gives Mia 12 more and the shop adds 5. How many stamps does Mia have now?';

  test("candidates are the base model's, verdicts and rewards the adapters'", async () => {
    await using sandbox = await Sandbox.start();
    const store = Store.open(':memory:');
    const context = { engine, sandbox, store, samples: 4, seed: 1 };
    const base = await solve(problem, context).result;
    const adapted = await solve(problem, { ...context, adapterTool: 'tool', adapterReward: 'reward' }).result;
    store.close();
    expect(adapted.candidates.map(({ text }) => text)).toEqual(base.candidates.map(({ text }) => text));
    expect(adapted.candidates.map(({ reward }) => reward)).not.toEqual(base.candidates.map(({ reward }) => reward));
    expect(adapted.candidates.some(({ tool }) => tool.verdict !== 'unknown')).toBe(true);
  }, 60_000);
});
