/** Tables of figures and how figures are written. */
import type { Estimate } from '../statistics/bootstrap.js';
import type { Share } from '../runs/run-summary.js';
import { html, type Html } from './html.js';

/** Wider than a telephone, a table scrolls within its own region; the keyboard reaches that too. */
export const table = (caption: string, head: readonly string[], rows: readonly Html[]): Html =>
  html`<p class="caption">${caption}</p><div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table aria-label="${caption}"><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;

export const facts = (pairs: readonly (readonly [name: string, value: string])[]): Html =>
  html`<dl>${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export const percent = (share: number): string => (100 * share).toFixed(1);

/** A difference of shares in points: +1.2, −0.3, 0.0. */
export function points(difference: number): string {
  const size = Math.abs(100 * difference).toFixed(1);
  return Number(size) === 0 ? size : `${difference < 0 ? '−' : '+'}${size}`;
}

export const decimal = (value: number): string => value.toFixed(3);

interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Empty where no resample gave a value. */
export const between = ({ low, high }: Interval, written: (value: number) => string = percent): string =>
  Number.isFinite(low) && Number.isFinite(high) ? `[${written(low)}, ${written(high)}]` : '';

const NONE = html`<td class="number">–</td>`;

export const cell = (share: Share | undefined): Html =>
  share ? html`<td class="number">${percent(share.accuracy)} <small>${between(share)}</small></td>` : NONE;

export const estimateCell = (
  estimate: Estimate | null | undefined,
  written: (value: number) => string = percent,
): Html =>
  estimate
    ? html`<td class="number">${written(estimate.mean)} <small>${between(estimate, written)}</small></td>`
    : NONE;

export const valueCell = (value: number | null | undefined, written: (value: number) => string = percent): Html =>
  value == null ? NONE : html`<td class="number">${written(value)}</td>`;
