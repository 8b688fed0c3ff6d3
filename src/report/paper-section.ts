/** The paper's figures for the same task, under the run's own. */
import { paperFigures } from '../runs/paper-figures.js';
import type { RunSummary, StrategyName } from '../runs/run-summary.js';
import { STRATEGIES } from './data.js';
import { html, type Html } from './html.js';
import { cell, table, valueCell } from './tables.js';

/** Those of which the paper has a counterpart. */
const OWN = ['majority', 'reward', 'weighted'] as const satisfies readonly StrategyName[];

export function besidePaper({ manifest: { task, model }, curve }: RunSummary): Html {
  const paper = paperFigures(task.name);
  if (!paper) return html``;
  const own = OWN.filter((key) => curve.some(({ strategies }) => strategies[key])).map((key) => {
    const cells = paper.n.map((size) => cell(curve.find(({ n }) => n === size)?.strategies[key]));
    return html`<tr class="ours"><th scope="row" class="name">${model.name}</th><td>${STRATEGIES[key]}</td>${cells}</tr>`;
  });
  const theirs = paper.rows.map(
    ({ model: name, strategy, accuracy }) =>
      html`<tr><th scope="row" class="name">${name}</th><td>${strategy}</td>${paper.n.map((_, i) => valueCell(accuracy[i], (value) => value.toFixed(1)))}</tr>`,
  );
  const caption = `Right in %. First this run, of ${task.problems} problems, with 95 % intervals; then the paper: ${paper.source}`;
  return html`<section><h2>Beside the paper</h2>${table(caption, ['model', 'strategy', ...paper.n.map((n) => `N = ${n}`)], [...own, ...theirs])}</section>`;
}
