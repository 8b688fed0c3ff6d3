/** How far a run is: problems, accuracy so far with its interval, speed, time left. On a terminal a line that changes, else one every now and then. */
import ora, { type Ora } from 'ora';
import type { EvaluateProgress } from '../runs/evaluate-task.js';
import { wilson } from '../statistics/wilson.js';

/** Between lines where nothing can be overwritten. */
const QUIET_SECONDS = 10;

export class EvaluationProgress {
  private readonly spinner: Ora | undefined;
  private lastLine = -Infinity;

  /** @param before problems that an earlier start has finished */
  constructor(
    private readonly kind: 'text' | 'json',
    private readonly before: number,
  ) {
    this.spinner =
      kind === 'text' && process.stderr.isTTY ? ora({ stream: process.stderr, discardStdin: false }) : undefined;
    if (before > 0 && kind === 'text') process.stderr.write(`t1: ${before} problems are there already\n`);
  }

  show(now: EvaluateProgress): void {
    const { finished, total, correct, failed, generatedTokens, seconds, cacheHits } = now;
    const [accuracy, low, high] = [correct / finished, ...wilson(correct, finished)];
    const secondsLeft = ((total - finished) * seconds) / finished;
    const tokensPerSecond = generatedTokens / seconds;
    if (this.kind === 'json') {
      process.stderr.write(
        `${JSON.stringify({ finished, total, before: this.before, correct, failed, accuracy, low, high, tokensPerSecond, cacheHits, seconds, secondsLeft })}\n`,
      );
      return;
    }
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const wrong = failed > 0 ? `, ${failed} failed` : '';
    const text = `${finished}/${total} problems, ${percent(accuracy)} [${percent(low)}, ${percent(high)}]${wrong}, ${Math.round(tokensPerSecond)} tokens/s, ${cacheHits} from the cache, ${duration(secondsLeft)} left`;
    if (this.spinner) this.spinner.start(text);
    else if (seconds - this.lastLine >= QUIET_SECONDS || finished === total) {
      this.lastLine = seconds;
      process.stderr.write(`${text}\n`);
    }
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
