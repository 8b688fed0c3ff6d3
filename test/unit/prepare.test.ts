/** What takes long to start begins beside the first candidates, and not at all where nothing is generated. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { T1Error } from '../../src/errors.js';
import { Sandbox } from '../../src/sandbox/sandbox.js';
import { Store } from '../../src/store/store.js';
import { FakeEngine } from '../../src/testing/fake-engine.js';
import { scripted } from '../fixtures/contract/cases.mjs';
import { solve } from '../support/solve.js';

const PROBLEM = 'What is 20 + 22?';
const order: string[] = [];
let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't1-prepare-'));
  writeFileSync(join(folder, 'fake.gguf'), 'weights');
  store = Store.open(join(folder, 'results.sqlite'));
  order.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes down when a program is asked for. */
function engine(): FakeEngine {
  const fake = new FakeEngine({
    answer: (prompt) => {
      if (prompt.includes('Python')) order.push('program');
      return prompt.includes('Python') ? '```python\nprint(True)\n```' : '\\boxed{42}';
    },
    logprob: scripted.logprob,
    model: { path: join(folder, 'fake.gguf') },
  });
  return fake;
}

function startsAs(start: () => Promise<Sandbox>) {
  return vi.spyOn(Sandbox, 'start').mockImplementation(() => {
    order.push('sandbox');
    return start();
  });
}

const runner = (): Promise<Sandbox> =>
  Promise.resolve(
    Object.assign(Object.create(Sandbox.prototype) as Sandbox, {
      run: scripted.sandbox.run,
      dispose: () => Promise.resolve(),
    }),
  );

test('the sandbox starts before the first program is written, once', async () => {
  const start = startsAs(runner);
  const { answer } = await solve(PROBLEM, { engine: engine(), store, sandboxOptions: {} });
  expect([answer, start.mock.calls.length]).toEqual(['42', 1]);
  expect(order.slice(0, 2)).toEqual(['sandbox', 'program']);
});

test('not where all comes from the cache, nor for a tool that runs no programs, nor where no tool is asked', async () => {
  const start = startsAs(runner);
  await solve(PROBLEM, { engine: engine(), store, sandboxOptions: {} });
  await solve(PROBLEM, { engine: engine(), store, sandboxOptions: {} });
  expect(start).toHaveBeenCalledTimes(1);
  await solve(PROBLEM, { engine: engine(), sandboxOptions: {}, verifier: 'steps' });
  await solve(PROBLEM, { engine: engine(), sandboxOptions: {}, budget: 'adaptive', select: 'majority' });
  expect(start).toHaveBeenCalledTimes(1);
});

test('one that does not start is told as it was', async () => {
  startsAs(() => Promise.reject(new T1Error('SANDBOX_UNAVAILABLE', 'no sandbox today')));
  await expect(solve(PROBLEM, { engine: engine(), sandboxOptions: {} })).rejects.toMatchObject({
    code: 'SANDBOX_UNAVAILABLE',
  });
});
