/** Two shares against each other, both from 0 to 1, as SVG: how a judge trades one for the other. */
import { scaleLinear } from 'd3-scale';
import { curveLinear, curveStepBefore, line } from 'd3-shape';
import { axesOf, drawingOf, figureOf, MARGIN, shape, type Axis, type Drawing, type Place, type Size } from './frame.js';
import { html, type Html } from './html.js';

export interface RatePoint {
  readonly x: number;
  readonly y: number;
}

export interface MarkedPoint extends RatePoint {
  /** What it says when pointed at. */
  readonly title: string;
  /** Area in pixels; that of other charts when absent. */
  readonly size?: number;
}

export interface RateSeries {
  /** Class of its colour in the style sheet. */
  readonly key: string;
  readonly name: string;
  /** `steps` keeps the y of the later point, as average precision counts; no line when absent. */
  readonly line?: 'straight' | 'steps';
  readonly points: readonly RatePoint[];
  readonly marks?: readonly MarkedPoint[];
}

export interface RateChart extends Drawing {
  readonly xLabel: string;
  readonly yLabel: string;
  /** The first lies below the others. */
  readonly series: readonly RateSeries[];
}

const SIZES: readonly Size[] = [
  { name: 'wide', width: 400, height: 360 },
  { name: 'narrow', width: 340, height: 310 },
];
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
/** Less than this is less than a pixel or two. */
const VISIBLE = 1 / 300;

export function rateChartOf(chart: RateChart): Html {
  const legend = chart.series.map(({ key, name, marks }, i) => ({
    key,
    name,
    swatch: html`<path class="${marks ? 'mark' : 'line'}" d="${marks ? shape(i) : 'M-8 0H8'}"/>`,
  }));
  return figureOf(
    chart.title,
    SIZES.map((size) => drawing(chart, size)),
    legend,
  );
}

function drawing(chart: RateChart, size: Size): Html {
  const x = scaleLinear().range([MARGIN.left, size.width - MARGIN.right]);
  const y = scaleLinear().range([size.height - MARGIN.bottom, MARGIN.top]);
  const axis = (at: Place, label: string): Axis => ({
    at,
    ticks: TICKS,
    label,
    told: (tick) => String(Math.round(100 * tick)),
  });
  return drawingOf(chart, size, [
    axesOf(axis(x, chart.xLabel), axis(y, chart.yLabel), size),
    ...chart.series.map((each, i) => drawn(each, i, x, y)),
  ]);
}

function drawn({ key, line: way, points, marks = [] }: RateSeries, index: number, x: Place, y: Place): Html {
  const path = line<RatePoint>()
    .x((point) => x(point.x))
    .y((point) => y(point.y))
    .curve(way === 'steps' ? curveStepBefore : curveLinear)
    .digits(1);
  const shapes = marks.map(
    (mark) =>
      html`<path class="mark" transform="translate(${x(mark.x).toFixed(1)} ${y(mark.y).toFixed(1)})" d="${shape(index, mark.size)}"><title>${mark.title}</title></path>`,
  );
  return html`<g class="s-${key}">${way ? html`<path class="line" d="${path(thinned(points)) ?? ''}"/>` : ''}${shapes}</g>`;
}

/** Steps that nobody could see are left out: a large run has a step for each of its candidates. */
export function thinned(points: readonly RatePoint[]): RatePoint[] {
  const kept: RatePoint[] = [];
  points.forEach((point, i) => {
    const last = kept.at(-1);
    if (!last || i === points.length - 1 || Math.max(Math.abs(point.x - last.x), Math.abs(point.y - last.y)) >= VISIBLE)
      kept.push(point);
  });
  return kept;
}
