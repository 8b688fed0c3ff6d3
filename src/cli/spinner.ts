/** A line on a terminal that changes. What draws it is loaded with the first text. */
import type { Ora } from 'ora';

export class Spinner {
  private drawn: Ora | undefined;
  private loading: Promise<void> | undefined;
  private text = '';
  private shown = false;

  /**
   * @returns undefined where lines cannot be overwritten: standard error is no terminal, or one that does not say how wide
   *   it is (0 columns), on which ora would clear lines without end
   */
  static onTerminal(): Spinner | undefined {
    return process.stderr.isTTY && process.stderr.columns > 0 ? new Spinner() : undefined;
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
