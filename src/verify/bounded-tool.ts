/** Calls of a user's tool: so many at once, each with a time limit, and none that can hold up a run. */
import { z } from 'zod';
import { aborted } from '../abort.js';
import { T1Error } from '../errors.js';
import type { Opinion } from '../types.js';

/** What a tool is told. */
export interface ToolRequest {
  readonly problem: string;
  /** The whole solution. */
  readonly solution: string;
  /** Its final answer, as written. */
  readonly answer: string;
  /** Fires when the run is interrupted, and when the tool's time is over: what it still does is of no use then. */
  readonly signal: AbortSignal;
}

export interface ToolReply {
  readonly verdict: Opinion;
  /** Why, in one line; shown with the verdict. */
  readonly note?: string | undefined;
}

export interface Tool {
  /** Part of the key under which verdicts are kept. */
  readonly name: string;
  /** Raise it when the same solution could get another verdict. */
  readonly version: number;
  /**
   * A tool that throws says nothing of the solution: the verdict is `unknown`, with the error as its note, and is not
   * kept.
   */
  verify(request: ToolRequest): ToolReply | Promise<ToolReply>;
}

export interface ToolBounds {
  /** Of one call, from when it begins. */
  readonly timeoutMs: number;
  /** Shared by all calls of the tool. */
  readonly limit: CallLimit;
  /** Of the run. */
  readonly signal: AbortSignal;
}

export interface ToolAnswer extends ToolReply {
  /** It says something of the tool at this moment (a time-out, an error), not of the solution: not to be kept. */
  readonly transient: boolean;
}

export const replySchema = z.object({ verdict: z.enum(['pass', 'fail', 'unknown']), note: z.string().optional() });

/**
 * Asks the tool once its turn has come. It is back at the latest when the time is over, whatever the tool does, but for
 * one that blocks the event loop.
 *
 * @throws T1Error ABORTED as soon as the signal fires, and T1Errors of the tool itself
 */
export async function boundedCall(
  tool: Tool,
  request: Omit<ToolRequest, 'signal'>,
  { timeoutMs, limit, signal }: ToolBounds,
): Promise<ToolAnswer> {
  const place = await limit.enter(signal);
  if (!place) return transient(`${tool.name} was not asked: ${limit.atOnce} calls of it have not come back`);
  const call = new AbortController();
  const reply = Promise.resolve().then(() => tool.verify({ ...request, signal: call.signal }));
  reply.then(place.leave, place.leave);
  const giveUp = (reason: unknown): void => {
    place.giveUp();
    call.abort(reason);
  };
  try {
    return { ...replySchema.parse(await within(reply, timeoutMs, signal, giveUp)), transient: false };
  } catch (cause) {
    if (signal.aborted) throw aborted(signal);
    if (cause instanceof T1Error) throw cause;
    if (cause instanceof Late) return transient(`${tool.name} gave no verdict within ${timeoutMs / 1000} s`);
    return transient(cause instanceof z.ZodError ? `${tool.name} gave no verdict` : String(cause));
  }
}

const transient = (note: string): ToolAnswer => ({ verdict: 'unknown', note, transient: true });

class Late extends Error {
  override readonly name = 'TimeoutError';
}

/** @param giveUp called when the time is over or the signal fires while the work still runs */
function within<Result>(
  work: Promise<Result>,
  timeoutMs: number,
  signal: AbortSignal,
  giveUp: (reason: unknown) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const leave = (error: Error): void => {
      settle();
      giveUp(error);
      reject(error);
    };
    const timer = setTimeout(() => leave(new Late(`no reply within ${timeoutMs} ms`)), timeoutMs);
    const onAbort = (): void => leave(aborted(signal));
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    work.finally(settle).then(resolve, reject);
    if (signal.aborted) onAbort();
  });
}

interface Place {
  /** The call has ended. */
  readonly leave: () => void;
  /** Nobody waits for the call any more, though it may still run. */
  readonly giveUp: () => void;
}

interface Waiting {
  readonly admit: () => void;
  readonly refuse: () => void;
}

/**
 * At most so many calls at once, those included that were given up and still run. When such calls hold every place and
 * none comes back for `patienceMs`, those that wait are refused: it could last for ever.
 */
export class CallLimit {
  readonly #waiting = new Set<Waiting>();
  #held = 0;
  #givenUp = 0;
  /** Some were refused, and no call has come back since. */
  #stuck = false;
  #timer: NodeJS.Timeout | undefined;

  /** @throws RangeError */
  constructor(
    readonly atOnce: number,
    readonly patienceMs: number,
  ) {
    if (!Number.isInteger(atOnce) || atOnce < 1) throw new RangeError(`calls at once: ${atOnce}`);
  }

  /**
   * Waits for a place, first come, first served.
   *
   * @returns null when refused
   * @throws T1Error ABORTED
   */
  enter(signal: AbortSignal): Promise<Place | null> {
    if (signal.aborted) return Promise.reject(aborted(signal));
    if (this.#held < this.atOnce) return Promise.resolve(this.#place());
    if (this.#stuck) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        this.#waiting.delete(waiting);
        signal.removeEventListener('abort', onAbort);
        how();
        this.#watch();
      };
      const onAbort = (): void => settle(() => reject(aborted(signal)));
      const waiting: Waiting = {
        admit: () => settle(() => resolve(this.#place())),
        refuse: () => settle(() => resolve(null)),
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
      this.#watch();
    });
  }

  #place(): Place {
    this.#held++;
    let state: 'running' | 'given up' | 'ended' = 'running';
    return {
      giveUp: () => {
        if (state !== 'running') return;
        state = 'given up';
        this.#givenUp++;
        this.#watch();
      },
      leave: () => {
        this.#held--;
        if (state === 'given up') this.#givenUp--;
        state = 'ended';
        this.#stuck = false;
        const [next] = this.#waiting;
        next?.admit();
        this.#watch();
      },
    };
  }

  /** The clock runs while somebody waits and every place is held by a call that was given up. */
  #watch(): void {
    if (this.#givenUp < this.atOnce || this.#waiting.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#stuck = true;
      for (const waiting of [...this.#waiting]) waiting.refuse();
    }, this.patienceMs);
  }
}
