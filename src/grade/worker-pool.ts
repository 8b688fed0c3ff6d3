/**
 * Worker threads that judge answers. One that takes too long or too much memory is killed, and another takes its place.
 */
import { Worker } from 'node:worker_threads';
import { aborted } from '../abort.js';
import { T1Error } from '../errors.js';
import type { Judgement } from './judge.js';
import type { Question } from './worker.js';

export interface PoolOptions {
  readonly workers: number;
  /** Of one question, from when a worker begins with it. */
  readonly timeoutMs: number;
}

/** MiB; an honest comparison needs a few. */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

interface Task {
  readonly question: Question;
  readonly resolve: (judgement: Judgement) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
}

interface Member {
  readonly thread: Worker;
  /** It has loaded and waits for questions. */
  ready: boolean;
  task: Task | null;
  timer: NodeJS.Timeout | null;
}

export class JudgePool {
  readonly #options: PoolOptions;
  readonly #queue: Task[] = [];
  readonly #members = new Set<Member>();
  #disposed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * `equal` is null, undecided, for a question that takes longer than the limit or more memory than a worker has.
   *
   * @throws T1Error ABORTED when the signal fires, DISPOSED when the pool goes, INTERNAL when workers do not start
   */
  judge(question: Question, signal?: AbortSignal): Promise<Judgement> {
    if (this.#disposed) return Promise.reject(disposed());
    if (signal?.aborted) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      const task: Task = { question, resolve, reject, signal, onAbort: () => this.#abort(task) };
      signal?.addEventListener('abort', task.onAbort, { once: true });
      this.#queue.push(task);
      this.#advance();
    });
  }

  /** Kills every worker; what waits or runs is rejected. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const members = [...this.#members];
    const tasks = [...this.#queue.splice(0), ...members.flatMap(({ task }) => (task ? [task] : []))];
    for (const task of tasks) settle(task, () => task.reject(disposed()));
    await Promise.all(members.map((member) => this.#remove(member)));
  }

  #advance(): void {
    for (const member of this.#members) {
      if (this.#queue.length === 0) return;
      if (!member.ready || member.task) continue;
      const task = this.#queue.shift();
      if (task) this.#ask(member, task);
    }
    const starting = [...this.#members].filter(({ ready }) => !ready).length;
    for (let i = starting; i < this.#queue.length && this.#members.size < this.#options.workers; i++) this.#start();
  }

  #ask(member: Member, task: Task): void {
    member.task = task;
    member.thread.ref();
    member.timer = setTimeout(() => {
      const { timeoutMs } = this.#options;
      this.#lose(member, { equal: null, why: `undecided: no decision within ${timeoutMs} ms` });
    }, this.#options.timeoutMs);
    member.thread.postMessage(task.question);
  }

  #start(): void {
    const thread = new Worker(new URL('./worker.js', import.meta.url), {
      resourceLimits: LIMITS,
      stdout: true,
      stderr: true,
      env: {},
    });
    const member: Member = { thread, ready: false, task: null, timer: null };
    this.#members.add(member);
    thread.on('message', (message: Judgement | 'ready') => this.#receive(member, message));
    thread.on('error', (error: Error) => this.#fail(member, error));
    thread.on('exit', () => this.#fail(member, new Error('the worker ended')));
  }

  #receive(member: Member, message: Judgement | 'ready'): void {
    if (message === 'ready') {
      member.ready = true;
      member.thread.unref(); // an idle worker keeps no process alive
    } else {
      this.#answer(member, message);
      member.thread.unref();
    }
    this.#advance();
  }

  #answer(member: Member, judgement: Judgement): void {
    const { task } = member;
    if (member.timer) clearTimeout(member.timer);
    member.task = null;
    if (task) settle(task, () => task.resolve(judgement));
  }

  /** Gives up a worker together with its question. */
  #lose(member: Member, judgement: Judgement): void {
    if (!this.#members.has(member)) return;
    void this.#remove(member);
    this.#answer(member, judgement);
    this.#advance();
  }

  /** A worker that dies of its question (memory, stack) has not decided it; one that cannot even load is a fault. */
  #fail(member: Member, error: Error): void {
    if (!this.#members.has(member)) return;
    if (member.ready) {
      const why =
        'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'it takes too much memory'
          : 'the comparison failed';
      this.#lose(member, { equal: null, why: `undecided: ${why}` });
      return;
    }
    void this.#remove(member);
    if (this.#members.size > 0) return;
    const fault = new T1Error(
      'INTERNAL',
      `the grader's worker does not start (${error.message}): build again with npm run build`,
      { cause: error },
    );
    for (const task of this.#queue.splice(0)) settle(task, () => task.reject(fault));
  }

  #remove(member: Member): Promise<unknown> {
    this.#members.delete(member);
    if (member.timer) clearTimeout(member.timer);
    return member.thread.terminate();
  }

  #abort(task: Task): void {
    const at = this.#queue.indexOf(task);
    if (at >= 0) this.#queue.splice(at, 1);
    for (const member of this.#members) {
      if (member.task !== task) continue;
      member.task = null;
      void this.#remove(member);
    }
    settle(task, () => task.reject(aborted(task.signal)));
    this.#advance();
  }
}

function settle(task: Task, settleTask: () => void): void {
  task.signal?.removeEventListener('abort', task.onAbort);
  settleTask();
}

const disposed = (): T1Error => new T1Error('DISPOSED', 'the grader was disposed');
