/** Accuracy over something, with 95 % bands, as SVG. Drawn here and not by the page, so a page needs no library and shows charts at once. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line, symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle, symbolWye } from 'd3-shape';
import type { Share } from '../evaluate/run-summary.js';
import { html, Html } from './html.js';

export interface Series {
  /** Class of its colour in the style sheet. */
  readonly key: string;
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly share: Share }[];
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly xLabel: string;
  readonly scale: 'log' | 'linear';
  /** Places of the ticks; those of the scale when absent. */
  readonly ticks?: readonly number[];
  readonly series: readonly Series[];
}

/** Shapes tell the lines apart where colours do not. */
const SHAPES = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye];
/** One drawing for desks and one for telephones: text that shrinks with a drawing cannot be read. */
const SIZES = [
  { name: 'wide', width: 620, height: 330 },
  { name: 'narrow', width: 340, height: 270 },
] as const;
const MARGIN = { top: 10, right: 14, bottom: 42, left: 44 };

export function chartOf(chart: Chart): Html {
  const legend = chart.series.map(({ key, name }, i) => html`<li class="s-${key}"><svg viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true"><path class="mark" d="${shape(i)}"/></svg>${name}</li>`);
  return html`<figure><figcaption>${chart.title}</figcaption>${SIZES.map((size) => drawing(chart, size))}<ul class="legend">${legend}</ul></figure>`;
}

const shape = (i: number): string => symbol(SHAPES[i % SHAPES.length], 44)() ?? '';
const percent = (share: number): string => (100 * share).toFixed(1);
const short = (n: number): string => (n >= 10_000 ? `${Math.round(n / 1000)}k` : String(Math.round(n)));
/** 1, 2, 5, 10, 20, … */
const decimalTicks = (low: number, high: number): number[] => Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((digit) => digit * 10 ** i)).flat().filter((tick) => tick >= low && tick <= high);

function drawing({ id, title, description, xLabel, scale, ticks, series }: Chart, { name, width, height }: (typeof SIZES)[number]): Html {
  const points = series.flatMap(({ points: own }) => own);
  const [low, high] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const x = (scale === 'log' ? scaleLog() : scaleLinear()).domain(low === high ? [low / 2, low * 2] : [low, high]).range([MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear()
    .domain([Math.min(...points.map(({ share }) => share.low)), Math.max(...points.map(({ share }) => share.high))])
    .nice(5)
    .range([height - MARGIN.bottom, MARGIN.top]);
  const xTicks = apart(ticks ?? (scale === 'log' ? decimalTicks(low, high) : x.ticks(6)), (tick) => x(tick), name === 'narrow' ? 34 : 40);
  return html`<svg class="chart ${name}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-${name}-title ${id}-${name}-text">
<title id="${id}-${name}-title">${title}</title><desc id="${id}-${name}-text">${description}</desc>
<g class="grid">${y.ticks(5).map((tick) => html`<line x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${MARGIN.left - 6}" y="${y(tick) + 4}" text-anchor="end">${Math.round(100 * tick)}</text>`)}
${xTicks.map((tick) => html`<text x="${x(tick)}" y="${height - MARGIN.bottom + 18}" text-anchor="middle">${short(tick)}</text>`)}
<text x="${(MARGIN.left + width - MARGIN.right) / 2}" y="${height - 6}" text-anchor="middle">${xLabel}</text>
<text transform="translate(12 ${(height - MARGIN.bottom) / 2}) rotate(-90)" text-anchor="middle">right, %</text></g>
${series.map((each, i) => drawn(each, i, (value) => x(value), (value) => y(value)))}</svg>`;
}

/** Ticks whose labels would touch are left out. */
function apart(ticks: readonly number[], at: (tick: number) => number, least: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    if (last === undefined || at(tick) - at(last) >= least) kept.push(tick);
  }
  return kept;
}

type Place = (value: number) => number;
type Point = Series['points'][number];

function drawn({ key, name, points }: Series, index: number, x: Place, y: Place): Html {
  const band = area<Point>().x((point) => x(point.x)).y0((point) => y(point.share.low)).y1((point) => y(point.share.high)).digits(1);
  const path = line<Point>().x((point) => x(point.x)).y((point) => y(point.share.accuracy)).digits(1);
  const marks = points.map(
    ({ x: at, share }) =>
      html`<path class="mark" transform="translate(${x(at).toFixed(1)} ${y(share.accuracy).toFixed(1)})" d="${shape(index)}"><title>${name}, ${short(at)}: ${percent(share.accuracy)} % [${percent(share.low)}, ${percent(share.high)}]</title></path>`,
  );
  return html`<g class="s-${key}"><path class="band" d="${band(points) ?? ''}"/><path class="line" d="${path(points) ?? ''}"/>${marks}</g>`;
}
