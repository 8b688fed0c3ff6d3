/** Aborts, disposal, several engines, worker threads, process end, growth. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { SampleResult } from '../../src/engine/engine-types.js';
import { ofThisTest } from '../support/children.js';
import { modelFile, request, tinyEngine } from '../support/engine.js';

const execute = promisify(execFile);
function run(file: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const running = execute(file, args);
  ofThisTest(running.child);
  return running;
}
/** Long enough to be met in the middle. */
const LONG = { maxTokens: 450 };

describe('abort', () => {
  test('an aborted signal rejects at once and decodes nothing', async () => {
    await using engine = await tinyEngine();
    const job = engine.sample(await request(engine, 'x', 4, { signal: AbortSignal.abort(new Error('why')) }));
    await expect(job).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('why') });
    await expect(
      engine.score({ sequences: [], targets: Int32Array.of(1), signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('in the middle of decoding; the engine goes on', async () => {
    await using engine = await tinyEngine();
    const before = await engine.sample(await request(engine, 'again', 4));
    const controller = new AbortController();
    const job = engine.sample(
      await request(engine, 'x', 128, { ...LONG, signal: controller.signal, onProgress: () => controller.abort() }),
    );
    await expect(job).rejects.toMatchObject({ code: 'ABORTED' });
    const after = await engine.sample(await request(engine, 'again', 4));
    expect(after.samples.map(({ tokens }) => [...tokens])).toEqual(before.samples.map(({ tokens }) => [...tokens]));
  });

  test('while queued behind another job', async () => {
    await using engine = await tinyEngine();
    const controller = new AbortController();
    const first = engine.sample(await request(engine, 'x', 8));
    const second = engine.sample(await request(engine, 'x', 8, { signal: controller.signal }));
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await first).samples.length).toBe(8);
  });

  test('after the end changes nothing', async () => {
    await using engine = await tinyEngine();
    const controller = new AbortController();
    await engine.sample(await request(engine, 'x', 1, { signal: controller.signal }));
    controller.abort();
    expect((await engine.sample(await request(engine, 'x', 1))).samples.length).toBe(1);
  });
});

describe('dispose', () => {
  test('ends running and queued jobs with DISPOSED, twice is once', async () => {
    const engine = await tinyEngine();
    const jobs = [engine.sample(await request(engine, 'x', 128, LONG)), engine.sample(await request(engine, 'y', 4))];
    const ends = Promise.allSettled(jobs);
    await sleep(30);
    await Promise.all([engine.dispose(), engine.dispose()]);
    for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'DISPOSED' } });
    await engine.dispose();
    await expect(
      engine.sample({ prompts: [], sampler: { temperature: 1, topK: 0, topP: 1, minP: 0 }, maxTokens: 1 }),
    ).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(engine.tokenize('x', { special: false })).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

test('two engines work at the same time', async () => {
  await using a = await tinyEngine();
  await using b = await tinyEngine({ kv: 'unified' });
  const tokens = ({ samples }: SampleResult) => samples.map((sample) => [...sample.tokens]);
  const [first, second] = await Promise.all([
    a.sample(await request(a, 'two', 16, { maxTokens: 4 })),
    b.sample(await request(b, 'two', 16, { maxTokens: 4 })),
  ]);
  expect(tokens(second)).toEqual(tokens(first));
});

describe('other threads and the end of the process', () => {
  let addon: string;
  let model: string;
  beforeAll(() => {
    addon = new URL('../../build/Release/t1_engine.node', import.meta.url).pathname;
    model = modelFile();
  });
  /** A whole job on the raw addon, so that no TypeScript is needed there; `then` runs at the first sample. */
  const program = (then: string, done: string): string => `
    const addon = require(${JSON.stringify(addon)});
    const options = { path: ${JSON.stringify(model)}, threads: 1, batch: 2048, ubatch: 512, gpuLayers: 0, device: '', kv: 'split', kvType: 'f16', flashAttention: 'auto', reproducible: false, memoryBytes: 1e8, hostFreeBytes: 0, hostAvailableBytes: 0, contextLength: 0, queueLimit: 16, adapters: [] };
    let first = true;
    addon.load(options, (job, event) => {
      if (event.type === 'sampled') { ${done} }
      if (first) { first = false; ${then} }
    }, (error, engine) => {
      if (error) throw error;
      globalThis.engine = engine;
      engine.setBusy(true);
      engine.sample(1, { prompts: [{ tokens: Int32Array.of(1, 2, 3), seeds: Array.from({ length: 128 }, (_, i) => i) }],
        sampler: { temperature: 1, topK: 0, topP: 1, minP: 0 }, maxTokens: 450, stop: [] });
    });`;

  test('a worker thread', async () => {
    const worker = new Worker(
      program('', "require('node:worker_threads').parentPort.postMessage('done'); engine.setBusy(false);"),
      { eval: true },
    );
    const message = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(message).toBe('done');
    await worker.terminate();
  });

  test('a worker thread that is terminated while decoding', async () => {
    for (const pause of [0, 10, 50]) {
      const worker = new Worker(program("require('node:worker_threads').parentPort.postMessage('decoding');", ''), {
        eval: true,
      });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await sleep(pause);
      expect(await worker.terminate()).toBe(1);
    }
    await using engine = await tinyEngine();
    expect((await engine.sample(await request(engine, 'x', 2))).samples.length).toBe(2);
  });

  test('process.exit while decoding', async () => {
    // Several times: a thread that outlives the libraries crashes in about every second run only.
    for (let i = 0; i < 6; i++) {
      const end = run(process.execPath, ['-e', program('process.exit(7);', '')]);
      await expect(end).rejects.toMatchObject({ code: 7, signal: null, stderr: '' });
    }
  });

  test('grammars that are refused in four threads at once leave standard error as it is', async () => {
    const worker = `
      const { parentPort } = require('node:worker_threads');
      ${program('', '')
        .replace(/engine\.sample\(1,[^]*/, '')
        .replace('engine.setBusy(true);', '')}
        const prompts = [{ tokens: Int32Array.of(1, 2, 3), seeds: [1] }];
        const sampler = { temperature: 1, topK: 0, topP: 1, minP: 0 };
        let refused = 0;
        for (let i = 0; i < 200; i++) {
          for (const grammar of ['say yes', 'root ::= answer', 'root ::= root "a" | "b"', 'root ::= [']) {
            try {
              engine.sample(i, { prompts, sampler, maxTokens: 1, stop: [], grammar });
            } catch (error) {
              refused += error.code === 'USAGE' ? 1 : 0;
            }
          }
        }
        engine.dispose(() => parentPort.postMessage(refused));
      });`;
    const main = `
      const { Worker } = require('node:worker_threads');
      const { fstatSync, writeSync } = require('node:fs');
      const { dev, ino } = fstatSync(2);
      const workers = Array.from({ length: 4 }, () => new Worker(${JSON.stringify(worker)}, { eval: true }));
      Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))))
        .then((refused) => {
          const now = fstatSync(2);
          console.log(JSON.stringify({ refused, same: now.dev === dev && now.ino === ino }));
          writeSync(2, 'end');
        });`;
    const { stdout, stderr } = await run(process.execPath, ['-e', main]);
    expect(JSON.parse(stdout)).toEqual({ refused: [800, 800, 800, 800], same: true });
    expect(stderr).toBe('end');
  });

  test('an idle engine does not keep the process alive, and nothing is printed', async () => {
    const { stdout, stderr } = await run(process.execPath, [
      '-e',
      program('', "engine.setBusy(false); console.log('end');"),
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: 'end\n', stderr: '' });
  });
});

test('500 jobs with random aborts do not grow', { timeout: 120_000 }, async () => {
  await using engine = await tinyEngine();
  let state = 12345;
  const random = (n: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
  const job = async (): Promise<void> => {
    const controller = new AbortController();
    const job = engine.sample(
      await request(engine, 'grow '.repeat(1 + random(8)), 1 + random(24), {
        maxTokens: 1 + random(24),
        signal: controller.signal,
      }),
    );
    if (random(2) === 0) setTimeout(() => controller.abort(), random(12));
    await job.catch((error: unknown) => expect(error).toMatchObject({ code: 'ABORTED' }));
  };
  for (let i = 0; i < 100; i++) await job();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 400; i++) await job();
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
});

test('20 engines one after the other do not grow', { timeout: 60_000 }, async () => {
  const once = async (): Promise<void> => {
    await using engine = await tinyEngine();
    await engine.sample(await request(engine, 'x', 8));
  };
  for (let i = 0; i < 5; i++) await once();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 15; i++) await once();
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
});
