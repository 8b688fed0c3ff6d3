/** One sandbox child as the host sees it: start it, give it one program at a time, kill it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { FrameReader, encodeFrame } from './frames.js';
import { ReadyMessage, Reply, toResult } from './messages.js';
import { failed, timedOut, type Job, type ProgramResult } from './program.js';

const PIPE = 3;
const STDERR_CHARS = 2000;
const MAX_REPLY_BYTES = 128 * 1024 * 1024;

export interface ChildSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** A descriptor of ours that the child gets as its descriptor 4. */
  readonly inherits?: number | undefined;
  /**
   * How long after a program's limit the child may take to say that it ended it; 0 where it cannot and is killed
   * itself.
   */
  readonly graceMs: number;
}

/** Children that a normal exit of this process must not leave behind. */
const alive = new Set<GuestProcess>();
let exitHooked = false;

function killAtExit(child: GuestProcess): void {
  if (!exitHooked) {
    exitHooked = true;
    process.on('exit', () => {
      for (const each of alive) each.kill();
    });
  }
  alive.add(child);
}

export class GuestProcess {
  /** Resolves, with a line that says how, when the process has ended. */
  readonly exited: Promise<string>;
  readonly #graceMs: number;
  readonly #process: ChildProcess;
  readonly #pipe: Socket;
  readonly #frames = new FrameReader(MAX_REPLY_BYTES);
  #stderr = '';
  #waiting: { resolve: (frame: Buffer) => void; reject: (error: Error) => void } | null = null;
  #ended = false;

  constructor(spec: ChildSpec) {
    this.#graceMs = spec.graceMs;
    this.#process = spawn(spec.command, spec.args, {
      env: spec.env,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', spec.inherits ?? 'ignore'],
      windowsHide: true,
      // A session of its own: Ctrl-C in a terminal reaches us alone, and we say what ends.
      detached: process.platform !== 'win32',
    });
    const pipe = this.#process.stdio[PIPE];
    if (!(pipe instanceof Socket)) throw new TypeError('the child has no pipe');
    this.#pipe = pipe;
    this.exited = this.#watch();
    killAtExit(this);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Safe to call at any time, also twice. */
  kill(): void {
    this.#ended = true;
    // Whoever waits for `exited` must live to see it; it comes at once, when the process and both its pipes have ended.
    this.#process.ref();
    this.#keepEventLoop(true);
    if (this.#process.stderr instanceof Socket) this.#process.stderr.ref();
    this.#process.kill('SIGKILL');
  }

  /** @returns the next frame that the child sends. @throws Error if it ends or breaks the protocol. */
  async receive(timeoutMs: number): Promise<Buffer> {
    let timer: NodeJS.Timeout | undefined;
    this.#keepEventLoop(true);
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        if (this.#ended) return reject(new Error('the sandbox process has ended'));
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => reject(new TimeoutError()), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
      this.#keepEventLoop(false);
    }
  }

  /** @throws Error if the child does not get ready. */
  async ready(timeoutMs: number): Promise<void> {
    ReadyMessage.parse(JSON.parse((await this.receive(timeoutMs)).toString('utf8')) as unknown);
  }

  /** Gives the child bytes as they are, without a frame. */
  send(bytes: Buffer): void {
    this.#pipe.write(bytes);
  }

  /** Runs one program. After any status in which the guest may be spoiled, the process is `ended`. */
  async run(job: Job): Promise<ProgramResult> {
    const begin = performance.now();
    const elapsed = () => performance.now() - begin;
    try {
      this.#pipe.write(encodeFrame(job));
      const frame = await this.receive(job.timeoutMs + this.#graceMs);
      const reply = Reply.parse(JSON.parse(frame.toString('utf8')) as unknown);
      if (reply.kind === 'fatal' || (reply.kind === 'outcome' && reply.recycle)) this.kill();
      return toResult(reply, job);
    } catch (error) {
      this.kill();
      if (error instanceof TimeoutError) return timedOut(job.timeoutMs, elapsed());
      const message = error instanceof Error ? error.message : String(error);
      return failed('died', 'Died', message.slice(0, STDERR_CHARS), { ms: elapsed() });
    }
  }

  #watch(): Promise<string> {
    this.#pipe.on('data', (chunk: Buffer) => this.#onData(chunk));
    // A reset pipe is followed by the close event, which says more.
    this.#pipe.on('error', () => undefined);
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_CHARS);
    });
    this.#process.unref();
    if (this.#process.stderr instanceof Socket) this.#process.stderr.unref();
    this.#keepEventLoop(false);
    return new Promise((resolve) => {
      const end = (how: string) => {
        this.#ended = true;
        alive.delete(this);
        this.#waiting?.reject(new Error(how));
        resolve(how);
      };
      this.#process.on('error', (error) => end(`the sandbox process did not start: ${error.message}`));
      // Not `exit`: what the child wrote last may still be in the pipe then.
      this.#process.on('close', (code, signal) => end(this.#describeExit(code, signal)));
    });
  }

  #describeExit(code: number | null, signal: NodeJS.Signals | null): string {
    const lines = this.#stderr.split('\n').map((line) => line.trim());
    const cause = lines.find((line) => /^(\w*Error\b|FATAL)/.test(line)) ?? lines.find((line) => line !== '');
    return `the sandbox process ended (${signal ?? `exit code ${code}`})${cause ? `: ${cause}` : ''}`;
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) {
        const waiting = this.#waiting;
        if (!waiting) throw new Error('the sandbox process spoke without being asked');
        this.#waiting = null;
        waiting.resolve(frame);
      }
    } catch (error) {
      this.#waiting?.reject(error instanceof Error ? error : new Error(String(error)));
      this.kill();
    }
  }

  /** An idle child must not keep a command-line program from ending. */
  #keepEventLoop(keep: boolean): void {
    if (keep) this.#pipe.ref();
    else this.#pipe.unref();
  }
}

class TimeoutError extends Error {
  constructor() {
    super('no answer in time');
  }
}
