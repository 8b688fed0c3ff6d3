/**
 * A verifier, a reward, a selector and a setting are one file, one entry and one test each: CONTRIBUTING.md shows how,
 * this is run.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sampleSeed } from '../../src/generate/seeds.js';
import { packageRoot } from '../../src/paths.js';
import { bundle, extensionOf, typeErrors } from '../support/extended-source.js';

const extension = extensionOf(readFileSync(join(packageRoot, 'CONTRIBUTING.md'), 'utf8'));
const ENTRY = `
  export { createSolver } from './src/solver.js';
  export { FakeEngine } from './src/testing/fake-engine.js';
  export { settingsOf } from './src/settings/setting.js';
  export { settingsPage } from './src/settings/settings-docs.js';
  export { settingSections } from './src/settings/settings-table.js';`;
type Extended = typeof import('../../src/solver.js') &
  typeof import('../../src/testing/fake-engine.js') &
  typeof import('../../src/settings/setting.js') &
  typeof import('../../src/settings/settings-docs.js') &
  typeof import('../../src/settings/settings-table.js');

let folder: string;
let t1: Extended;
beforeAll(async () => {
  mkdirSync(join(packageRoot, 'node_modules', '.cache'), { recursive: true });
  folder = mkdtempSync(join(packageRoot, 'node_modules', '.cache', 't1-extended-'));
  writeFileSync(join(folder, 'fake.gguf'), 'weights');
  t1 = (await import(/* @vite-ignore */ await bundle(extension, ENTRY, join(folder, 't1.mjs')))) as Extended;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SOLUTIONS = [
  'So \\boxed{7}.',
  'After some thought, it is \\boxed{2.5}.',
  'I would say that it is \\boxed{2.5}.',
  'That is \\boxed{many}.',
];
async function solve(settings: object) {
  const engine = new t1.FakeEngine({
    answer: (_, seed) => SOLUTIONS[[0, 1, 2, 3].map((i) => sampleSeed(0, i)).indexOf(seed)] ?? '',
    model: { path: join(folder, 'fake.gguf') },
  });
  await using solver = await t1.createSolver({ engine, database: false });
  const same = async (a: string, b: string): Promise<boolean> => a === b; // the grader's worker is not in the bundle
  const call = { samples: 4, verifier: 'whole', reward: 'brevity', same, ...settings };
  return await solver.solve('How many?', call as object);
}

test('three files, four entries', () => {
  expect([...extension.keys()].sort()).toEqual([
    'src/reward/brevity.ts',
    'src/reward/reward.ts',
    'src/select/select.ts',
    'src/select/unrefuted.ts',
    'src/settings/stage-settings.ts',
    'src/verify/verify.ts',
    'src/verify/whole.ts',
  ]);
});

test('the types hold, and would not if they did not', () => {
  const broken = 'src/select/broken.ts';
  const text = extension.get('src/select/unrefuted.ts')?.replace("'sum'", "'total'") ?? '';
  const errors = typeErrors(new Map([...extension, [broken, text]]));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/broken\.ts: Type '"total"' is not assignable/);
}, 120_000);

test('the verifier is asked, and its verdicts count', async () => {
  const { candidates, answer, verified } = await solve({});
  expect(candidates.map(({ tool }) => tool.verdict)).toEqual(['pass', 'fail', 'fail', 'unknown']);
  expect({ answer, verified }).toEqual({ answer: '7', verified: true });
});

test('the reward scores, and its scores choose', async () => {
  const { candidates, answer } = await solve({ select: 'reward' });
  expect(candidates.map(({ reward }) => reward)).toEqual(
    candidates.map(({ generatedTokens }) => 1 / (1 + generatedTokens)),
  );
  expect(answer).toBe('7'); // short enough to outweigh two others that agree
});

test('the selector chooses', async () => {
  expect((await solve({ select: 'majority' })).answer).toBe('2.5');
  const { answer, candidates } = await solve({ select: 'unrefuted' });
  expect(candidates.map(({ weight }) => weight)).toEqual([1, 0, 0, 1]);
  expect(answer).toBe('7');
});

test('so it does with an adaptive budget, which stops when nothing can change any more', async () => {
  const { answer } = await solve({ select: 'unrefuted', budget: 'adaptive', confidence: 1 });
  expect(answer).toBe('7');
});

test('the setting reaches its stage, is checked, has a flag and stands in the documentation', async () => {
  const { candidates } = await solve({ wholeAtLeast: 8 });
  expect(candidates[0]?.tool).toMatchObject({ verdict: 'fail', note: 'at least 8' });
  await expect(solve({ wholeAtLeast: 0.5 })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'wholeAtLeast: must be a whole number from -1000000 to 1000000, not 0.5',
  });
  const all = t1.settingSections.flatMap(({ table }) => t1.settingsOf(table));
  expect(all.find(({ path }) => path === 'wholeAtLeast')?.flag).toBe('whole-at-least');
  expect(t1.settingsPage(t1.settingSections)).toContain('| `wholeAtLeast` | `--whole-at-least` |');
  await expect(solve({ verifier: 'hole' })).rejects.toMatchObject({
    message: expect.stringContaining('whole') as string,
  });
});
