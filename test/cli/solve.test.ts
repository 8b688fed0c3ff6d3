/** `t1 solve` on the model that ships. */
import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { inspectModel } from '../../src/engine/engine.js';
import { shippedModel } from '../../src/paths.js';
import type { SolveResult } from '../../src/types.js';
import { ROUNDING, modelFile, shippedF32 } from '../support/engine.js';
import { loraFile } from '../support/lora-gguf.js';
import { start, t1, temporaryFolder, type Running } from '../support/t1.js';

const PROBLEM = 'Mia has 94 stamps. Leo gives Mia 78 more and the shop adds 57. How many stamps does Mia have now?';
const folder = temporaryFolder();
afterAll(() => folder.remove());
const db = (name: string) => join(folder.path, `${name}.sqlite`);

/** @returns the JSON result of a run that ended well */
async function solve(database: string, ...args: string[]): Promise<SolveResult> {
  const result = await t1(['solve', PROBLEM, '--json', '--db', db(database), ...args]);
  expect(result.code, result.stderr).toBe(0);
  return JSON.parse(result.stdout) as SolveResult;
}

/** The same where nothing is rounded to F16: rewards that are computed twice can be held against one another. */
const precisely = (database: string, ...args: string[]): Promise<SolveResult> =>
  solve(database, ...args, '--model', shippedF32(), '--kv-type', 'f32', '--flash-attention', 'off');

const rows = (database: string): { key: Buffer; text: string }[] => {
  if (!existsSync(db(database))) return [];
  const reader = new Database(db(database), { readonly: true });
  try {
    return reader
      .prepare<[], { key: Buffer; text: string }>(
        "SELECT key, hex(value) AS text FROM remembered WHERE stage = 'sample'",
      )
      .all();
  } catch {
    return []; // the schema is not there yet
  } finally {
    reader.close();
  }
};

describe('the result', () => {
  test('has everything the README says, on standard output alone', async () => {
    const result = await solve('shape', '-n', '6');
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining(['problem', 'answer', 'verified', 'select', 'candidates', 'usage', 'cache', 'timing']),
    );
    expect(result.problem).toBe(PROBLEM);
    expect(result.candidates.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const candidate of result.candidates) {
      expect(candidate).toMatchObject({
        seed: expect.any(Number),
        text: expect.any(String),
        finish: expect.stringMatching(/^(eog|stop|length)$/),
      });
      expect(['pass', 'fail', 'unknown']).toContain(candidate.tool.verdict);
      if (candidate.answer !== null) {
        expect(candidate.reward).toBeGreaterThanOrEqual(0);
        expect(candidate.reward).toBeLessThanOrEqual(1);
        expect(candidate.tool.programs.length).toBeGreaterThan(0);
      }
      const counts = candidate.tool.verdict === 'pass' || result.fallback === 'reward';
      expect(candidate.weight).toBeCloseTo(counts ? Number(candidate.reward) : 0, 9);
    }
    expect(result.usage.decodedTokens).toBeGreaterThan(0);
    expect(result.usage.sharedTokens).toBeGreaterThan(0);
    expect(Object.keys(result.timing)).toEqual(['load', 'sample', 'verify', 'reward', 'select', 'total']);
  });

  test('is a table and a conclusion for people', async () => {
    const result = await t1(['solve', PROBLEM, '-n', '4', '--db', db('table')]);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/answer.*tool.*reward.*weight/);
    expect(result.stdout).toMatch(/^Answer: /m);
    expect(result.stdout).toMatch(/^(Verified|Not verified): \d of 4 candidates passed the tool/m);
  });

  test('is the same for the same seed and differs for another', async () => {
    const texts = async (...args: string[]) =>
      (await solve('none', '--no-cache', '-n', '4', ...args)).candidates.map(({ text }) => text);
    const first = await texts('--seed', '5');
    expect(await texts('--seed', '5')).toEqual(first);
    expect(await texts('--seed', '6')).not.toEqual(first);
    expect(existsSync(db('none'))).toBe(false);
  });

  test('abstaining exits 3 and says so', async () => {
    // One token is no solution: no candidate has an answer.
    const result = await t1(['solve', PROBLEM, '--max-tokens', '1', '--json', '--no-cache']);
    expect(result.code).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({ answer: null, verified: false });
  });
});

/** Solutions and verdicts, but for how long programs took. */
const told = ({ candidates }: SolveResult) =>
  candidates.map(({ text, tool }) => ({
    text,
    tool: { ...tool, programs: tool.programs.map(({ ms: _, ...program }) => program) },
  }));

describe('the store', () => {
  test('a second run decodes nothing and says the same', async () => {
    const first = await solve('second');
    const second = await solve('second');
    expect(second.usage).toEqual({ promptTokens: 0, sharedTokens: 0, generatedTokens: 0, decodedTokens: 0 });
    expect(second.cache).toMatchObject({ misses: 0 });
    expect(second.candidates).toEqual(first.candidates);
    expect(second.answer).toBe(first.answer);
  });

  test('another selection, or another fallback, decodes nothing', async () => {
    await solve('selection', '-n', '8');
    for (const select of ['weighted', 'best-of-n', 'majority', 'reward', 'tool']) {
      expect(
        (await solve('selection', '-n', '8', '--select', select, '--fallback', 'majority')).usage.decodedTokens,
      ).toBe(0);
    }
  });

  test('a larger N keeps the samples that are there', async () => {
    const eight = await solve('growing', '-n', '8');
    const sixteen = await solve('growing', '-n', '16');
    expect(sixteen.candidates.slice(0, 8).map(({ text }) => text)).toEqual(eight.candidates.map(({ text }) => text));
    expect(sixteen.usage.decodedTokens).toBeGreaterThan(0);
    const smaller = await solve('growing', '-n', '4');
    expect(smaller.usage.decodedTokens).toBe(0);
  });

  test('an adapter changes the stage that it is for, and leaves the results of the others', async () => {
    const width = (await inspectModel(shippedModel)).metadata['llama.embedding_length'];
    const lora = (strength: number) => loraFile({ width: Number(width), strength });
    const rewards = ({ candidates }: SolveResult) => candidates.map(({ reward }) => reward);
    const base = await precisely('adapters', '-n', '4');
    const reward = await precisely('adapters', '-n', '4', '--adapter-reward', lora(2));
    expect(told(reward)).toEqual(told(base));
    expect(rewards(reward)).not.toEqual(rewards(base));
    expect(reward.usage.generatedTokens).toBe(0);
    // One that adds nothing writes the same programs, but they are its own.
    const tool = await precisely('adapters', '-n', '4', '--adapter-tool', lora(0));
    expect(told(tool)).toEqual(told(base));
    expect(rewards(tool)).toEqual(rewards(base));
    expect(tool.usage.generatedTokens).toBeGreaterThan(0);
    expect((await precisely('adapters', '-n', '4')).usage.decodedTokens).toBe(0);
    // Two halves are the whole; a scale of 0 is the base model.
    const halves = await precisely(
      'adapters',
      '-n',
      '4',
      '--adapter-reward',
      `${lora(2)}:0.5`,
      '--adapter-reward',
      `${lora(2)}:0.5`,
    );
    const none = await precisely('adapters', '-n', '4', '--adapter-reward', `${lora(2)}:0`);
    for (const [one, other] of [
      [halves, reward],
      [none, base],
    ] as const) {
      for (const [i, candidate] of one.candidates.entries()) {
        expect(Math.abs(Number(candidate.reward) - Number(other.candidates[i]?.reward ?? NaN))).toBeLessThan(ROUNDING);
      }
    }
  });

  test('a reward model of its own changes the rewards only', async () => {
    const width = (await inspectModel(shippedModel)).metadata['llama.embedding_length'];
    const lora = loraFile({ width: Number(width), strength: 2 });
    const rewards = ({ candidates }: SolveResult) => candidates.map(({ reward }) => reward ?? -1);
    const base = await precisely('none', '-n', '4', '--no-cache');
    // The same model a second time: another engine that has read nothing, so it reads the problem and the solutions itself.
    const same = await precisely('none', '-n', '4', '--no-cache', '--reward-model', shippedF32());
    expect(told(same)).toEqual(told(base));
    for (const [i, reward] of rewards(same).entries())
      expect(Math.abs(Number(reward) - Number(rewards(base)[i] ?? NaN))).toBeLessThan(ROUNDING);
    expect(same.usage.promptTokens).toBeGreaterThan(base.usage.promptTokens);
    expect(same.usage.generatedTokens).toBe(base.usage.generatedTokens);
    const adapted = await precisely(
      'none',
      '-n',
      '4',
      '--no-cache',
      '--reward-model',
      shippedF32(),
      '--adapter-reward',
      lora,
    );
    expect(told(adapted)).toEqual(told(base));
    expect(rewards(adapted)).not.toEqual(rewards(same));
  });

  test('a reward model that cannot say Yes in one token is refused before anything is decoded', async () => {
    const result = await t1(['solve', PROBLEM, '--db', db('spelling'), '--reward-model', modelFile()]);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^t1: MODEL_INVALID: none of \["Yes"," Yes"\] is a single token of tiny test model/m);
    expect(rows('spelling')).toEqual([]);
  });

  test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('%s halfway loses only what was in flight', async (signal) => {
    const args = ['-n', '256', '--temp', '1.3'];
    const running = start(['solve', PROBLEM, '--json', '--db', db(signal), ...args]);
    const before = await untilStored(running, signal);
    running.child.kill(signal);
    const ended = await running.finished;
    if (signal === 'SIGKILL') expect(ended.signal).toBe('SIGKILL');
    else {
      expect(ended.code).toBe(130);
      expect(ended.stdout).toBe('');
      expect(ended.stderr.trim().split('\n').at(-1)).toMatch(/^t1: ABORTED: .+/);
    }
    const result = await solve(signal, ...args);
    expect(result.candidates).toHaveLength(256);
    expect(result.cache.hits).toBeGreaterThanOrEqual(before.length);
    const after = new Map(rows(signal).map(({ key, text }) => [key.toString('hex'), text]));
    for (const { key, text } of before) expect(after.get(key.toString('hex'))).toBe(text);
  });
});

/** Waits until the running command has stored a first sample. */
async function untilStored(running: Running, database: string): Promise<{ key: Buffer; text: string }[]> {
  let ended = false;
  void running.finished.then(() => (ended = true));
  for (;;) {
    const stored = rows(database);
    if (stored.length > 0) return stored;
    expect(ended, 'ended before anything was stored').toBe(false);
    await sleep(5);
  }
}
