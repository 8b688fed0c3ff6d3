import type { StageName, Timing } from './types.js';

/**
 * Wall time in which each stage had anything to do, in milliseconds. Stages overlap, so their sum may exceed the total.
 */
export class Stopwatch {
  private readonly start = performance.now();
  private readonly spent: Record<StageName, number> = { load: 0, sample: 0, verify: 0, reward: 0, select: 0 };
  /** Pieces of work of the stage that go on, and when the first of them began. */
  private readonly running: Record<StageName, number> = { load: 0, sample: 0, verify: 0, reward: 0, select: 0 };
  private readonly since: Record<StageName, number> = { load: 0, sample: 0, verify: 0, reward: 0, select: 0 };

  async time<T>(stage: StageName, work: () => Promise<T> | T): Promise<T> {
    if (this.running[stage]++ === 0) this.since[stage] = performance.now();
    try {
      return await work();
    } finally {
      if (--this.running[stage] === 0) this.spent[stage] += performance.now() - this.since[stage];
    }
  }

  get timing(): Timing {
    const round = (ms: number) => Math.round(ms * 10) / 10;
    const { load, sample, verify, reward, select } = this.spent;
    return {
      load: round(load),
      sample: round(sample),
      verify: round(verify),
      reward: round(reward),
      select: round(select),
      total: round(performance.now() - this.start),
    };
  }
}
