/** The chart of the engine's results: speed over the number of samples, and every figure that has a bar beside it. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './record.mjs';

const COLOURS = {
  t1: '#c2410c',
  'llama-batched-bench': '#6b7280',
  'llama-server': '#1d4ed8',
  'node-llama-cpp': '#15803d',
};
const WIDTH = 920;
const PANEL = 260;
const escapeXml = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const label = (x, y, content, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escapeXml(content)}</text>`;
const line = (points, more) =>
  `<polyline points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}" fill="none" ${more}/>`;

/**
 * @param {string} folder relative to the repository, with engine-*.json
 * @returns {string} the file written, relative to the repository
 */
export function drawChart(folder) {
  const results = readdirSync(join(root, folder))
    .filter((file) => /^engine-.*\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(join(root, folder, file), 'utf8')));
  const speeds = results
    .filter(({ benchmark }) => benchmark === 'engine-one-prompt')
    .flatMap(({ models }) => Object.entries(models));
  const bars = results.flatMap(({ models }) =>
    Object.entries(models).flatMap(([model, result]) => result.bars.map((bar) => ({ ...bar, model }))),
  );
  const parts = [];
  let y = 0;
  speeds.forEach(([model, result], i) => {
    parts.push(`<g transform="translate(${(i % 2) * (WIDTH / 2)} ${y})">${speedPanel(model, result)}</g>`);
    if (i % 2 === 1 || i === speeds.length - 1) y += PANEL;
  });
  parts.push(`<g transform="translate(0 ${y})">${barPanel(bars)}</g>`);
  const height = y + 60 + 20 * bars.length;
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...parts,
    '</svg>',
  ];
  const file = join(folder, 'engine.svg');
  writeFileSync(join(root, file), `${svg.join('\n')}\n`);
  return file;
}

/** Tokens a second, linear from 0, over N, logarithmic. */
function speedPanel(model, { tokensPerSecond: perN, sizes }) {
  const [left, top, width, height] = [48, 34, WIDTH / 2 - 70, PANEL - 90];
  const ns = Object.keys(perN).map(Number);
  const names = Object.keys(COLOURS).filter((name) => ns.some((n) => perN[n][name]));
  const highest = Math.max(...ns.flatMap((n) => Object.values(perN[n]).map(({ rate }) => rate)));
  const x = (n) => left + (ns.length === 1 ? width / 2 : (Math.log2(n / ns[0]) / Math.log2(ns.at(-1) / ns[0])) * width);
  const y = (rate) => top + height - (rate / highest) * height;
  return [
    label(
      left,
      18,
      `${model}: tokens/s over N samples of one prompt (${sizes.prompt} + ${sizes.new} tokens)`,
      'font-weight="bold"',
    ),
    ...[0, 0.5, 1].flatMap((share) => {
      const at = y(share * highest);
      return [
        line(
          [
            [left, at],
            [left + width, at],
          ],
          'stroke="#e5e7eb"',
        ),
        label(left - 6, at + 4, (share * highest).toFixed(0), 'text-anchor="end"'),
      ];
    }),
    ...ns.map((n) => label(x(n), top + height + 16, String(n), 'text-anchor="middle"')),
    ...names.flatMap((name, i) => {
      const points = ns.filter((n) => perN[n][name]).map((n) => [x(n), y(perN[n][name].rate)]);
      const dots = points.map(
        ([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="2.5" fill="${COLOURS[name]}"/>`,
      );
      return [
        line(points, `stroke="${COLOURS[name]}" stroke-width="1.5"`),
        ...dots,
        label(left + (i % 2) * 150, top + height + 34 + 14 * Math.floor(i / 2), `● ${name}`, `fill="${COLOURS[name]}"`),
      ];
    }),
  ].join('\n');
}

/** How far each figure is beyond what is wanted of it, so that 1 is enough. */
function barPanel(bars) {
  const [left, top, width, most] = [440, 34, WIDTH - 560, 2];
  const x = (share) => left + (Math.min(share, most) / most) * width;
  const rows = bars.map(({ name, model, value, atLeast, atMost }, i) => {
    const y = top + 20 * i;
    const share = value === null ? 0 : atLeast === undefined ? atMost / value : value / atLeast;
    const wanted = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    const figure = `${value === null ? 'cannot be told' : value.toFixed(2)} (${wanted})`;
    const fill = share >= 1 ? '#15803d' : '#b91c1c';
    return [
      label(left - 8, y + 12, `${name}, ${model}`, 'text-anchor="end"'),
      `<rect x="${left}" y="${y + 2}" width="${(x(share) - left).toFixed(1)}" height="13" fill="${fill}"/>`,
      label(x(Math.max(share, 1)) + 6, y + 12, figure),
    ].join('\n');
  });
  const end = top + 20 * bars.length;
  return [
    label(20, 18, 'what is wanted of it (the line), and what it does', 'font-weight="bold"'),
    ...rows,
    line(
      [
        [x(1), top - 4],
        [x(1), end],
      ],
      'stroke="black" stroke-dasharray="3 2"',
    ),
  ].join('\n');
}
