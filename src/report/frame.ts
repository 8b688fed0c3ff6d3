/**
 * What all charts share: two sizes, axes, a legend. Drawn here and not by the page, so a page needs no library and
 * shows charts at once.
 */
import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import { html, type Html } from './html.js';

export interface Drawing {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** One drawing for desks and one for telephones: text that shrinks with a drawing cannot be read. */
export interface Size {
  readonly name: 'wide' | 'narrow';
  readonly width: number;
  readonly height: number;
}

/** From a value to its place in the drawing. */
export type Place = (value: number) => number;

export interface Axis {
  readonly at: Place;
  readonly ticks: readonly number[];
  readonly label: string;
  readonly told: (tick: number) => string;
}

export interface LegendEntry {
  /** Class of its colour in the style sheet. */
  readonly key: string;
  readonly name: string;
  readonly swatch: Html;
}

export const MARGIN = { top: 10, right: 14, bottom: 42, left: 44 };

/** Shapes tell the lines apart where colours do not. */
const SHAPES = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye];
export const shape = (i: number, size = 44): string => symbol(SHAPES[i % SHAPES.length], size)() ?? '';

export function figureOf(title: string, drawings: readonly Html[], legend: readonly LegendEntry[]): Html {
  const entries = legend.map(
    ({ key, name, swatch }) =>
      html`<li class="s-${key}"><svg viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">${swatch}</svg>${name}</li>`,
  );
  return html`<figure><figcaption>${title}</figcaption>${drawings}<ul class="legend">${entries}</ul></figure>`;
}

export function drawingOf(
  { id, title, description }: Drawing,
  { name, width, height }: Size,
  parts: readonly Html[],
): Html {
  return html`<svg class="chart ${name}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-${name}-title ${id}-${name}-text">
<title id="${id}-${name}-title">${title}</title><desc id="${id}-${name}-text">${description}</desc>
${parts}</svg>`;
}

export function axesOf(x: Axis, y: Axis, { width, height }: Size): Html {
  return html`<g class="grid">${y.ticks.map((tick) => html`<line x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text x="${MARGIN.left - 6}" y="${y.at(tick) + 4}" text-anchor="end">${y.told(tick)}</text>`)}
${x.ticks.map((tick) => html`<text x="${x.at(tick)}" y="${height - MARGIN.bottom + 18}" text-anchor="middle">${x.told(tick)}</text>`)}
<text x="${(MARGIN.left + width - MARGIN.right) / 2}" y="${height - 6}" text-anchor="middle">${x.label}</text>
<text transform="translate(12 ${(height - MARGIN.bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text></g>`;
}
