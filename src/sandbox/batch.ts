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

/** Reads the input no further than `inFlight` programs ahead, so a file of any length streams through. */
export async function* runInOrderOfCompletion<Id>(
  programs: Iterable<BatchProgram<Id>> | AsyncIterable<BatchProgram<Id>>,
  inFlight: number,
  run: (code: string) => Promise<ProgramResult>,
): AsyncGenerator<BatchResult<Id>, void, undefined> {
  const running = new Set<Promise<BatchResult<Id>>>();
  const finished: BatchResult<Id>[] = [];
  try {
    for await (const { id, code } of programs) {
      const entry: Promise<BatchResult<Id>> = run(code).then((result) => {
        running.delete(entry);
        const done = { id, result };
        finished.push(done);
        return done;
      });
      running.add(entry);
      if (running.size >= inFlight) await Promise.race(running);
      yield* finished.splice(0);
    }
    while (running.size > 0) {
      await Promise.race(running);
      yield* finished.splice(0);
    }
  } finally {
    // A reader that stops early, or one failure, must not leave unhandled rejections behind.
    await Promise.allSettled(running);
  }
}
