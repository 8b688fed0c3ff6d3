/** Many programs from a stream, results in order of completion, never more in flight than asked for. */
import type { ProgramResult } from './program.js';

export interface BatchProgram<Id> {
  readonly id: Id;
  readonly code: string;
}

export interface BatchResult<Id> {
  readonly id: Id;
  readonly result: ProgramResult;
}

export type BatchSource<Id> = Iterable<BatchProgram<Id>> | AsyncIterable<BatchProgram<Id>>;

/**
 * Reads no further than `inFlight` programs ahead, so a file of any length streams through, and hands
 * out a result at once even while it waits for more input.
 */
export async function* runInOrderOfCompletion<Id>(
  programs: BatchSource<Id>,
  inFlight: number,
  run: (code: string, signal: AbortSignal) => Promise<ProgramResult>,
): AsyncGenerator<BatchResult<Id>, void, undefined> {
  const source = iterate(programs);
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const finished: BatchResult<Id>[] = [];
  const start = ({ id, code }: BatchProgram<Id>) => {
    const entry: Promise<void> = run(code, stop.signal).then((result) => {
      running.delete(entry);
      finished.push({ id, result });
    });
    running.add(entry);
  };
  let reading: Promise<void> | null = null;
  let more = true;
  const read = async () => {
    const { done, value } = await source.next();
    reading = null;
    if (done === true) more = false;
    else start(value);
  };
  try {
    while (more || running.size > 0) {
      if (more && running.size < inFlight) reading ??= read();
      await Promise.race(reading ? [reading, ...running] : running);
      yield* finished.splice(0);
    }
  } finally {
    // A reader that stops early, or one failure, ends the rest and leaves no rejection unhandled.
    stop.abort();
    await Promise.allSettled(running);
    void Promise.resolve(reading).catch(() => undefined);
    if (more) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}

function iterate<Id>(programs: BatchSource<Id>): AsyncIterator<BatchProgram<Id>> | Iterator<BatchProgram<Id>> {
  return Symbol.asyncIterator in programs ? programs[Symbol.asyncIterator]() : programs[Symbol.iterator]();
}
