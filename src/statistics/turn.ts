/** Long sums in a process that has other work too. */
import { setImmediate } from 'node:timers/promises';

const TURN_MS = 50;

/** Gives the event loop its turn now and then, so that Ctrl-C and other work get through. */
export class Turn {
  private last = performance.now();

  constructor(private readonly signal: AbortSignal | undefined) {}

  async taken(): Promise<void> {
    if (performance.now() - this.last > TURN_MS) {
      await setImmediate();
      this.last = performance.now();
    }
    this.signal?.throwIfAborted();
  }
}
