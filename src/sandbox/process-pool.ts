/**
 * Workers and the queue before them. It knows nothing of Python: a worker is whatever can be started,
 * given a job, and killed.
 */
import { aborted } from '../abort.js';
import { T1Error } from '../errors.js';
import type { Job, ProgramResult } from './program.js';

export interface Worker {
  /** True once it can take no more jobs. */
  readonly ended: boolean;
  readonly exited: Promise<unknown>;
  run(job: Job): Promise<ProgramResult>;
  kill(): void;
}

export interface PoolOptions {
  /** Jobs that run at the same time. */
  readonly size: number;
  /** Workers kept ready beyond that, once a worker had to be killed. */
  readonly spares: number;
  /** How long a job may wait for the workers that are there before it gets one more; `PATIENCE_MS` when absent. */
  readonly patienceMs?: number;
  readonly start: () => Promise<Worker>;
}

interface Task {
  readonly job: Job;
  readonly resolve: (result: ProgramResult) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  /** When it came, milliseconds of `performance.now()`. */
  readonly since: number;
  onAbort: () => void;
  /** Nobody waits for it any more. */
  settled: boolean;
}

/** Most programs end within milliseconds, and another worker takes a second of processor time to start. */
const PATIENCE_MS = 50;
/** How long a program that nobody waits for may go on before its worker is killed, for the same reason. */
const ABANDONED_MS = 100;

export class Pool {
  readonly #options: PoolOptions;
  readonly #queue: Task[] = [];
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Task, Worker>();
  readonly #workers = new Set<Worker>();
  readonly #starts = new Set<Promise<void>>();
  #anyKilled = false;
  /** When the last worker was ready: nobody waited for a worker before. */
  #readySince = 0;
  #looking: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Takes over a worker that was started elsewhere. */
  adopt(worker: Worker): void {
    this.#workers.add(worker);
    void worker.exited.then(() => this.#forget(worker));
    this.#idle.push(worker);
    this.#readySince = performance.now();
    this.#advance();
  }

  run(job: Job, signal?: AbortSignal): Promise<ProgramResult> {
    if (this.#disposed) return Promise.reject(disposedError());
    if (signal?.aborted) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      const task: Task = {
        job,
        resolve,
        reject,
        signal,
        since: performance.now(),
        onAbort: () => this.#abort(task),
        settled: false,
      };
      signal?.addEventListener('abort', task.onAbort, { once: true });
      this.#queue.push(task);
      this.#advance();
    });
  }

  /** Kills every worker and rejects what is queued or running. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const open = [...this.#queue.splice(0), ...this.#running.keys()];
    this.#running.clear();
    for (const task of open) this.#settle(task, () => task.reject(disposedError()));
    // A worker that was still starting is killed as soon as it is there.
    await Promise.all(this.#starts);
    const workers = [...this.#workers];
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ exited }) => exited));
  }

  #advance(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0 && this.#running.size < this.#options.size) {
      const worker = this.#idle.pop();
      if (!worker || worker.ended) continue;
      const task = this.#queue.shift();
      if (task) void this.#execute(task, worker);
    }
    if (this.#disposed) return;
    const busy = Math.min(this.#options.size, this.#running.size + this.#impatient());
    const wanted = busy + (this.#anyKilled ? this.#options.spares : 0);
    for (let have = this.#workers.size + this.#starts.size; have < wanted; have++) this.#startWorker();
  }

  /** Queued jobs that need a worker more; looks again when the next one has waited long enough. */
  #impatient(): number {
    if (this.#queue.length === 0) return 0;
    if (this.#workers.size + this.#starts.size === 0) return 1;
    if (this.#starts.size > 0) return 0; // the one that comes may do
    const { patienceMs = PATIENCE_MS } = this.#options;
    const waited = ({ since }: Task): number => performance.now() - Math.max(since, this.#readySince);
    const impatient = this.#queue.filter((task) => waited(task) >= patienceMs).length;
    const next = this.#queue[impatient];
    if (next && !this.#looking) {
      this.#looking = setTimeout(
        () => {
          this.#looking = undefined;
          if (!this.#disposed) this.#advance();
        },
        Math.max(1, patienceMs - waited(next)),
      );
      this.#looking.unref();
    }
    return impatient;
  }

  async #execute(task: Task, worker: Worker): Promise<void> {
    this.#running.set(task, worker);
    const result = await worker.run(task.job);
    this.#running.delete(task);
    this.#settle(task, () => task.resolve(result));
    if (worker.ended) this.#forget(worker);
    else this.#idle.push(worker);
    this.#advance();
  }

  #startWorker(): void {
    const started = this.#options.start().then(
      (worker) => {
        this.#starts.delete(started);
        this.adopt(worker);
      },
      (error: unknown) => {
        this.#starts.delete(started);
        this.#onStartFailure(error);
      },
    );
    this.#starts.add(started);
  }

  /** Others may still serve the queue; with none left, waiting would have no end. */
  #onStartFailure(error: unknown): void {
    if (this.#workers.size > 0 || this.#starts.size > 0) return;
    for (const task of this.#queue.splice(0)) this.#settle(task, () => task.reject(error));
  }

  #forget(worker: Worker): void {
    if (!this.#workers.delete(worker)) return;
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#anyKilled = true;
    this.#advance();
  }

  #abort(task: Task): void {
    const at = this.#queue.indexOf(task);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#settle(task, () => task.reject(aborted(task.signal)));
    if (!this.#running.has(task)) return;
    setTimeout(() => this.#running.get(task)?.kill(), ABANDONED_MS).unref();
  }

  #settle(task: Task, settle: () => void): void {
    task.signal?.removeEventListener('abort', task.onAbort);
    if (task.settled) return;
    task.settled = true;
    settle();
  }
}

const disposedError = (): T1Error => new T1Error('DISPOSED', 'the sandbox was disposed');
