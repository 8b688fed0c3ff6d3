import type { StageName, Timing } from './types.js';

/** Wall time of each stage, in milliseconds. */
export class Stopwatch {
  private readonly start = performance.now();
  private readonly stages: Record<StageName, number> = { load: 0, sample: 0, verify: 0, reward: 0, select: 0 };

  async time<T>(stage: StageName, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.stages[stage] += performance.now() - start;
    }
  }

  timeSync<T>(stage: StageName, work: () => T): T {
    const start = performance.now();
    const result = work();
    this.stages[stage] += performance.now() - start;
    return result;
  }

  get timing(): Timing {
    const round = (ms: number) => Math.round(ms * 10) / 10;
    const { load, sample, verify, reward, select } = this.stages;
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
