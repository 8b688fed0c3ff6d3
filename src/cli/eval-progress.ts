/**
 * How far a run is: problems, accuracy so far with its interval, speed, time left. On a terminal a line that changes,
 * else one every now and then.
 */
import type { EvaluateProgress } from '../runs/progress-meter.js';
import { wilson } from '../statistics/wilson.js';
import { jsonLine } from './json.js';
import { Spinner } from './spinner.js';

/** Between lines where nothing can be overwritten. */
const QUIET_SECONDS = 10;

export class EvaluationProgress {
  private readonly spinner: Spinner | undefined;
  private lastLine = 0;
  /** Problems of the last line. */
  private told = -1;

  /** @param before problems that an earlier start has finished */
  constructor(
    private readonly kind: 'text' | 'json',
    private readonly before: number,
  ) {
    this.spinner = kind === 'text' ? Spinner.onTerminal() : undefined;
    if (before > 0 && kind === 'text') process.stderr.write(`t1: ${before} problems are there already\n`);
  }

  show(now: EvaluateProgress): void {
    if (this.kind === 'json') {
      this.showJson(now);
      return;
    }
    const { finished, total, correct, failed, candidates, candidatesTotal, programs, seconds } = now;
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const [low, high] = wilson(correct, finished);
    const accuracy = finished > 0 ? `, ${percent(correct / finished)} right [${percent(low)}, ${percent(high)}]` : '';
    const text = [
      `${finished}/${total} problems${accuracy}${failed > 0 ? `, ${failed} failed` : ''}`,
      `${candidates}/${candidatesTotal} candidates`,
      `${programs} checks`,
      `${Math.round(now.tokensPerSecond)} tokens/s`,
      ...(now.cacheHits > 0 ? [`${now.cacheHits} from the cache`] : []),
      now.secondsLeft === null ? 'time left not known yet' : `${duration(now.secondsLeft)} left`,
    ].join(', ');
    if (this.spinner) this.spinner.start(text);
    else if (seconds - this.lastLine >= QUIET_SECONDS || finished === total) {
      this.lastLine = seconds;
      process.stderr.write(`${text}\n`);
    }
  }

  private showJson(now: EvaluateProgress): void {
    if (now.seconds - this.lastLine < 1 && now.finished === this.told) return; // once a second, and at each problem
    [this.lastLine, this.told] = [now.seconds, now.finished];
    const [low, high] = wilson(now.correct, now.finished);
    const accuracy = now.finished > 0 ? now.correct / now.finished : null;
    process.stderr.write(jsonLine('eval progress', { ...now, before: this.before, accuracy, low, high }));
  }

  stop(): void {
    this.spinner?.stop();
  }
}

const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.round(seconds)} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
