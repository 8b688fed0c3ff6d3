/** Accuracy over something, with 95 % bands, as SVG. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { area, line } from 'd3-shape';
import type { Share } from '../runs/run-summary.js';
import { axesOf, drawingOf, figureOf, MARGIN, shape, type Drawing, type Place, type Size } from './frame.js';
import { html, type Html } from './html.js';

export interface Series {
  /** Class of its colour in the style sheet. */
  readonly key: string;
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly share: Share }[];
}

export interface Chart extends Drawing {
  readonly xLabel: string;
  readonly scale: 'log' | 'linear';
  /** Places of the ticks; those of the scale when absent. */
  readonly ticks?: readonly number[];
  readonly series: readonly Series[];
}

const SIZES: readonly Size[] = [
  { name: 'wide', width: 620, height: 330 },
  { name: 'narrow', width: 340, height: 270 },
];

export function chartOf(chart: Chart): Html {
  const legend = chart.series.map(({ key, name }, i) => ({
    key,
    name,
    swatch: html`<path class="mark" d="${shape(i)}"/>`,
  }));
  return figureOf(
    chart.title,
    SIZES.map((size) => drawing(chart, size)),
    legend,
  );
}

const percent = (share: number): string => (100 * share).toFixed(1);
const short = (n: number): string => (n >= 10_000 ? `${Math.round(n / 1000)}k` : String(Math.round(n)));
/** 1, 2, 5, 10, 20, … */
const decimalTicks = (low: number, high: number): number[] =>
  Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((digit) => digit * 10 ** i))
    .flat()
    .filter((tick) => tick >= low && tick <= high);

function drawing(chart: Chart, size: Size): Html {
  const { xLabel, scale, ticks, series } = chart;
  const points = series.flatMap(({ points: own }) => own);
  const [low, high] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const x = (scale === 'log' ? scaleLog() : scaleLinear())
    .domain(low === high ? [low / 2, low * 2] : [low, high])
    .range([MARGIN.left, size.width - MARGIN.right]);
  const y = scaleLinear()
    .domain([Math.min(...points.map(({ share }) => share.low)), Math.max(...points.map(({ share }) => share.high))])
    .nice(5)
    .range([size.height - MARGIN.bottom, MARGIN.top]);
  const xTicks = apart(
    ticks ?? (scale === 'log' ? decimalTicks(low, high) : x.ticks(6)),
    (tick) => x(tick),
    size.name === 'narrow' ? 34 : 40,
  );
  const axes = axesOf(
    { at: x, ticks: xTicks, label: xLabel, told: short },
    { at: y, ticks: y.ticks(5), label: 'right, %', told: (tick) => String(Math.round(100 * tick)) },
    size,
  );
  return drawingOf(chart, size, [axes, ...series.map((each, i) => drawn(each, i, x, y))]);
}

/** Ticks whose labels would touch are left out. */
function apart(ticks: readonly number[], at: Place, least: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    if (last === undefined || at(tick) - at(last) >= least) kept.push(tick);
  }
  return kept;
}

type Point = Series['points'][number];

function drawn({ key, name, points }: Series, index: number, x: Place, y: Place): Html {
  const band = area<Point>()
    .x((point) => x(point.x))
    .y0((point) => y(point.share.low))
    .y1((point) => y(point.share.high))
    .digits(1);
  const path = line<Point>()
    .x((point) => x(point.x))
    .y((point) => y(point.share.accuracy))
    .digits(1);
  const marks = points.map(
    ({ x: at, share }) =>
      html`<path class="mark" transform="translate(${x(at).toFixed(1)} ${y(share.accuracy).toFixed(1)})" d="${shape(index)}"><title>${name}, ${short(at)}: ${percent(share.accuracy)} % [${percent(share.low)}, ${percent(share.high)}]</title></path>`,
  );
  return html`<g class="s-${key}"><path class="band" d="${band(points) ?? ''}"/><path class="line" d="${path(points) ?? ''}"/>${marks}</g>`;
}
