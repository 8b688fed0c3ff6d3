/** Live progress on standard error: a line that changes on a terminal, a line per stage elsewhere. */
import type { SolveEvent, StageName } from '../types.js';
import { Spinner } from './spinner.js';

const DOING: Readonly<Record<StageName, string>> = {
  load: 'Loading the model',
  sample: 'Sampling',
  verify: 'Writing checks',
  reward: 'Scoring',
  select: 'Choosing',
};

export class Progress {
  private readonly spinner = Spinner.onTerminal();
  /** When each stage was first heard of; they overlap. */
  private readonly starts = new Map<StageName, number>();
  /** Stage whose end has been told in a line of its own. */
  private told: StageName | undefined;
  private downloaded = 0;

  /** Something that has no events of its own, such as loading. */
  say(text: string): void {
    if (this.spinner) this.spinner.start(text);
  }

  /** Once per process, whatever standard error is. */
  note(text: string): void {
    this.spinner?.clear();
    process.stderr.write(`t1: ${text}\n`);
  }

  download({ totalSize, downloadedSize }: { readonly totalSize: number; readonly downloadedSize: number }): void {
    const percent = totalSize > 0 ? Math.floor((100 * downloadedSize) / totalSize) : 0;
    const text = `Downloading: ${percent}% of ${(totalSize / 1e6).toFixed(0)} MB`;
    if (this.spinner) this.spinner.start(text);
    else if (percent >= this.downloaded + 10) {
      this.downloaded = percent;
      process.stderr.write(`${text}\n`);
    }
  }

  show(event: SolveEvent): void {
    if (event.type === 'note') this.note(event.note);
    if (event.type !== 'progress') return;
    const start = this.starts.get(event.stage) ?? performance.now();
    this.starts.set(event.stage, start);
    const seconds = (performance.now() - start) / 1000;
    const rate =
      seconds > 0.05 && event.generatedTokens > 0 ? `, ${Math.round(event.generatedTokens / seconds)} tokens/s` : '';
    const text = `${DOING[event.stage]}: ${event.finished}/${event.total} done${rate}`;
    if (this.spinner) this.spinner.start(text);
    else if (event.finished === event.total && this.told !== event.stage) {
      this.told = event.stage;
      process.stderr.write(`${text}\n`);
    }
  }

  stop(): void {
    this.spinner?.stop();
  }
}
