/** A line on a terminal that changes. What draws it is loaded with the first text. */
import type { Ora } from 'ora';

export class Spinner {
  private drawn: Ora | undefined;
  private loading: Promise<void> | undefined;
  private text = '';
  private shown = false;

  /** @returns undefined where standard error is no terminal, and lines cannot be overwritten */
  static onTerminal(): Spinner | undefined {
    return process.stderr.isTTY ? new Spinner() : undefined;
  }

  /** Shows the text, or changes what is shown. */
  start(text: string): void {
    [this.text, this.shown] = [text, true];
    this.drawn?.start(text);
    this.loading ??= import('ora').then(({ default: ora }) => {
      this.drawn = ora({ stream: process.stderr, discardStdin: false });
      if (this.shown) this.drawn.start(this.text);
    });
  }

  /** For a line of another kind; the next `start` draws again. */
  clear(): void {
    this.drawn?.clear();
  }

  stop(): void {
    this.shown = false;
    this.drawn?.stop();
  }
}
