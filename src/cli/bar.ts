/**
 * Progress of indexing on standard error: a bar with rate and time left on a terminal, a line now and then elsewhere.
 */
import type { AddProgress } from '../knowledge/add.js';
import { Spinner } from './spinner.js';

const DOING = { read: 'Indexing', merge: 'Merging' } as const;
const CELLS = 24;
const SHOWN_EVERY_MS = { terminal: 100, elsewhere: 15_000 };
/** Rate and time left are those of the last moments. */
const WINDOW_MS = 10_000;

interface Moment {
  /** ms */
  readonly time: number;
  readonly share: number;
  readonly passages: number;
}

export class IndexingBar {
  private readonly spinner = Spinner.onTerminal();
  private stage: AddProgress['stage'] | undefined;
  private moments: Moment[] = [];
  private shown = performance.now();

  readonly show = ({ stage, share, passages }: AddProgress): void => {
    const now = { time: performance.now(), share, passages };
    if (stage !== this.stage) [this.stage, this.moments] = [stage, [now]];
    if (now.time - this.shown < (this.spinner ? SHOWN_EVERY_MS.terminal : SHOWN_EVERY_MS.elsewhere)) return;
    this.shown = now.time;
    const text = barText(stage, this.moments[0] ?? now, now);
    this.moments = [...this.moments.filter(({ time }) => now.time - time < WINDOW_MS), now];
    if (this.spinner) this.spinner.start(text);
    else process.stderr.write(`t1: ${text}\n`);
  };

  note(text: string): void {
    this.spinner?.clear();
    process.stderr.write(`t1: ${text}\n`);
  }

  stop(): void {
    this.spinner?.stop();
  }
}

/** @param first earliest moment of the window */
export function barText(stage: AddProgress['stage'], first: Moment, now: Moment): string {
  const filled = Math.round(CELLS * Math.min(now.share, 1));
  const bar = '━'.repeat(filled) + '─'.repeat(CELLS - filled);
  const seconds = (now.time - first.time) / 1000;
  const rate =
    seconds > 0 && stage === 'read'
      ? `, ${Math.round((now.passages - first.passages) / seconds).toLocaleString('en')}/s`
      : '';
  const speed = seconds > 0 ? (now.share - first.share) / seconds : 0;
  const left = speed > 0 ? `, ${clock((1 - now.share) / speed)} left` : '';
  const passages = stage === 'read' ? `, ${now.passages.toLocaleString('en')} passages` : '';
  return `${DOING[stage]} ${bar} ${Math.floor(100 * now.share)} %${passages}${rate}${left}`;
}

/** `1:05`, `2:00:00` */
function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] === 0 ? parts.slice(1) : parts)
    .map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0')))
    .join(':');
}
