/** The queue before the workers, with workers that are not processes. */
import { expect, test } from 'vitest';
import { Pool, type Worker } from '../../src/sandbox/process-pool.js';
import { failed, toJob, type Job, type ProgramResult } from '../../src/sandbox/program.js';

const ok = (stdout: string): ProgramResult => ({
  status: 'ok',
  stdout,
  value: null,
  truncated: false,
  error: null,
  ms: 1,
});
const job = (code: string): Job => toJob({ code });
const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

/** Finishes a job when told to; `kill` ends it as a killed process would. */
class FakeWorker implements Worker {
  ended = false;
  readonly exited: Promise<unknown>;
  job: Job | null = null;
  finish: (result: ProgramResult) => void = () => undefined;
  #exit: (how: unknown) => void = () => undefined;

  constructor() {
    this.exited = new Promise((resolve) => (this.#exit = resolve));
  }

  run(next: Job): Promise<ProgramResult> {
    this.job = next;
    return new Promise((resolve) => {
      this.finish = (result) => {
        this.job = null;
        resolve(result);
      };
    });
  }

  kill(): void {
    this.ended = true;
    this.finish(failed('died', 'Died', 'killed'));
    this.#exit('killed');
  }
}

function poolOfFakes(size: number, spares = 0, patienceMs = 0) {
  const workers: FakeWorker[] = [];
  const start = () => {
    const worker = new FakeWorker();
    workers.push(worker);
    return Promise.resolve(worker);
  };
  return { pool: new Pool({ size, spares, start, patienceMs }), workers };
}

test('starts no more workers than there are jobs, and never more than its size', async () => {
  const { pool, workers } = poolOfFakes(2);
  const first = pool.run(job('a'));
  await settled();
  expect(workers).toHaveLength(1);
  void pool.run(job('b'));
  void pool.run(job('c'));
  await settled();
  expect(workers).toHaveLength(2);
  workers[0]?.finish(ok('a'));
  expect(await first).toEqual(ok('a'));
});

test('jobs that the workers get through soon need no more workers, those that wait get one each', async () => {
  const { pool, workers } = poolOfFakes(3, 0, 40);
  const jobs = ['a', 'b', 'c'].map((code) => pool.run(job(code)));
  for (const code of ['a', 'b', 'c']) {
    await settled();
    expect(workers[0]?.job?.code).toBe(code);
    workers[0]?.finish(ok(code));
  }
  expect((await Promise.all(jobs)).map(({ stdout }) => stdout)).toEqual(['a', 'b', 'c']);
  expect(workers).toHaveLength(1);
  const long = ['d', 'e', 'f', 'g'].map((code) => pool.run(job(code)));
  await expect.poll(() => workers.map(({ job: has }) => has?.code)).toEqual(['d', 'e', 'f']);
  for (const worker of workers) worker.finish(ok(''));
  await settled();
  workers.find(({ job: has }) => has)?.finish(ok(''));
  await Promise.all(long);
});

test('serves jobs in the order they came', async () => {
  const { pool, workers } = poolOfFakes(1);
  const order: string[] = [];
  const all = ['a', 'b', 'c', 'd'].map((code) => pool.run(job(code)).then(() => order.push(code)));
  for (const code of ['a', 'b', 'c', 'd']) {
    await settled();
    expect(workers[0]?.job?.code).toBe(code);
    workers[0]?.finish(ok(''));
  }
  await Promise.all(all);
  expect(order).toEqual(['a', 'b', 'c', 'd']);
});

test('replaces a worker that ended, and keeps a spare from then on', async () => {
  const { pool, workers } = poolOfFakes(1, 1);
  const first = pool.run(job('a'));
  await settled();
  workers[0]?.kill();
  expect(await first).toMatchObject({ status: 'died' });
  const second = pool.run(job('b'));
  await settled();
  expect(workers).toHaveLength(3);
  const busy = workers.filter((worker) => worker.job !== null);
  expect(busy).toHaveLength(1);
  busy[0]?.finish(ok('b'));
  expect(await second).toEqual(ok('b'));
});

test('a worker that dies while idle gets no job', async () => {
  const { pool, workers } = poolOfFakes(1);
  const first = pool.run(job('a'));
  await settled();
  workers[0]?.finish(ok(''));
  await first;
  workers[0]?.kill();
  const second = pool.run(job('b'));
  await settled();
  workers[1]?.finish(ok('b'));
  expect(await second).toEqual(ok('b'));
});

test('an abort rejects a queued job and leaves the others alone', async () => {
  const { pool, workers } = poolOfFakes(1);
  const abort = new AbortController();
  const first = pool.run(job('a'));
  const queued = pool.run(job('b'), abort.signal);
  const last = pool.run(job('c'));
  await settled();
  abort.abort();
  await expect(queued).rejects.toMatchObject({ code: 'ABORTED' });
  workers[0]?.finish(ok('a'));
  expect(await first).toEqual(ok('a'));
  await settled();
  expect(workers[0]?.job?.code).toBe('c');
  workers[0]?.finish(ok('c'));
  expect(await last).toEqual(ok('c'));
  expect(workers).toHaveLength(1);
});

test('an abort kills the worker that goes on with the job', async () => {
  const { pool, workers } = poolOfFakes(1);
  const abort = new AbortController();
  const running = pool.run(job('a'), abort.signal);
  await settled();
  abort.abort();
  await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  await expect.poll(() => workers[0]?.ended).toBe(true);
  await expect(pool.run(job('b'), abort.signal)).rejects.toMatchObject({ code: 'ABORTED' });
});

test('a job that ends soon after its abort leaves its worker, and its result to nobody', async () => {
  const { pool, workers } = poolOfFakes(1, 1);
  const abort = new AbortController();
  const running = pool.run(job('a'), abort.signal);
  await settled();
  abort.abort();
  await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  workers[0]?.finish(ok('a'));
  await settled();
  const next = pool.run(job('b'));
  await settled();
  expect([workers[0]?.ended, workers[0]?.job?.code, workers.length]).toEqual([false, 'b', 1]);
  workers[0]?.finish(ok('b'));
  expect(await next).toEqual(ok('b'));
});

test('dispose rejects what is queued or running, kills the workers and refuses more', async () => {
  const { pool, workers } = poolOfFakes(1);
  const jobs = [pool.run(job('a')), pool.run(job('b'))];
  const outcomes = Promise.allSettled(jobs);
  await settled();
  await pool.dispose();
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'DISPOSED' } });
  expect(workers.every(({ ended }) => ended)).toBe(true);
  await expect(pool.run(job('c'))).rejects.toMatchObject({ code: 'DISPOSED' });
});

test('dispose kills a worker that was still starting', async () => {
  const worker = new FakeWorker();
  const pool = new Pool({ size: 1, spares: 0, start: () => settled().then(() => worker) });
  const outcome = Promise.allSettled([pool.run(job('a'))]);
  await pool.dispose();
  expect(worker.ended).toBe(true);
  expect(await outcome).toMatchObject([{ status: 'rejected' }]);
});

test('when no worker can be started, waiting jobs are rejected with the reason', async () => {
  const pool = new Pool({ size: 2, spares: 0, start: () => Promise.reject(new Error('no memory')) });
  await expect(Promise.all([pool.run(job('a')), pool.run(job('b'))])).rejects.toThrow('no memory');
});
