/** The figures of a run as markup: what was run, tables, charts with a table beside each. */
import { recordsOf } from '../runs/run-file.js';
import {
  effortOf,
  type ClaimsSummary,
  type CurvePoint,
  type RunSummary,
  type Share,
  type StrategyName,
} from '../runs/run-summary.js';
import { partialInWords, strategyTitles, titledStrategies } from '../statistics/strategies.js';
import type { Verdict } from '../types.js';
import { chartOf, type Series } from './chart.js';
import { JUDGES } from './data.js';
import { html, type Html } from './html.js';
import { besidePaper } from './paper-section.js';
import { qualityOf } from './quality.js';
import { between, cell, facts, percent, points, table } from './tables.js';

export function overviewOf(summary: RunSummary | ClaimsSummary): Html {
  const figures =
    summary.problems === 0
      ? html`<p>No problem is done yet.</p>`
      : summary.kind === 'claims'
        ? claimFigures(summary)
        : problemFigures(summary);
  return html`${making(summary)}${figures}`;
}

function making({ manifest, effort, problems, kind }: RunSummary | ClaimsSummary): Html {
  const { task, model, engine, hardware, command, configuration, packageVersion, node, startedAt } = manifest;
  const first: [string, string][] = [
    ['Task', `${task.title} (${task.name}, version ${task.version})`],
    [
      'Done',
      `${problems} of ${recordsOf(manifest)} ${kind}${recordsOf(manifest) === task.problems ? '' : ', a problem once for each seed'}`,
    ],
    ...(effort && effort.seconds > 0 ? [['Took', effortOf(effort, problems)] as [string, string]] : []),
    ['Model', model.name],
    ['Command', `t1 ${command.join(' ')}`],
    ['Started', startedAt],
    ['Hardware', listed(hardware)],
  ];
  const more: [string, string][] = [
    ['Data', task.source],
    ['Data, SHA-256', task.sha256],
    ['Model file', `${model.path.split(/[\\/]/).at(-1) ?? ''}, SHA-256 ${model.sha256}`],
    ['Engine', engine],
    ['Program', `t1 ${packageVersion}, Node ${node}`],
    ['Configuration', listed(configuration)],
  ];
  return html`<section aria-label="What was run">${facts(first)}<details id="making"><summary>Data, files, engine, configuration</summary>${facts(more)}</details></section>`;
}

const listed = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');

/** More groups than these are folded away at first. */
const MANY = 15;

function problemFigures(summary: RunSummary): Html {
  const { samples, fewest, problems, failed, undecided, strategies, partial, curve } = summary;
  const accuracy = titledStrategies.map(
    ([key, name]) =>
      html`<tr${key === 'weighted' ? html` class="ours"` : ''}><th scope="row">${name}${partial[key] ? '*' : ''}</th>${cell(strategies[key])}<td>${bar(key, strategies[key])}</td></tr>`,
  );
  const notes = [
    ...(failed > 0
      ? [
          html`<p class="warning">${failed} ${failed === 1 ? 'problem failed and is' : 'problems failed and are'} in no figure: the table below says why, and a retry asks again.</p>`,
        ]
      : []),
    ...(undecided > 0
      ? [
          html`<p class="warning">Of ${undecided} answers nobody could decide whether they are right; they count as wrong.</p>`,
        ]
      : []),
    ...poolNotes(summary),
  ];
  const candidates = fewest < samples ? `${fewest} to ${samples}` : String(samples);
  return html`<section><h2>Accuracy</h2>${notes}
${table(`${candidates} candidates of each problem: right in %, with 95 % intervals over problems; where no candidate passed, the reward decides`, ['strategy', 'right', ''], accuracy)}${inWords(summary)}</section>
<section><h2>Accuracy against samples and tokens</h2><div class="charts">${chartOf({
    id: 'by-n',
    title: 'Accuracy against candidates',
    description:
      'Share of problems answered rightly by each strategy over the first N candidates, with 95 % bands. The same figures are in the table below.',
    xLabel: 'candidates, N',
    scale: 'log',
    ticks: curve.map(({ n }) => n),
    series: seriesOf(curve, ({ n }) => n),
  })}${chartOf({
    id: 'by-tokens',
    title: 'Accuracy against generated tokens',
    description:
      'Share of problems answered rightly by each strategy over the tokens that it had generated for a problem, with 95 % bands. The same figures are in the table below.',
    xLabel: 'generated tokens for a problem',
    scale: 'log',
    series: seriesOf(curve, tokensOf),
  })}</div>${curveTable(curve, partial, problems - failed)}</section>
${besidePaper(summary)}${matrix(summary)}${summary.quality ? qualityOf(summary.quality) : ''}${groups('By category', summary.categories)}${groups('By level', summary.levels)}`;
}

/** What figures stand for where pools are of unequal size, or candidates were not asked about. */
function poolNotes({ fewest, samples, skipped, partial, leftOut, problems, failed }: RunSummary): Html[] {
  const titleOf = (name: StrategyName): string => strategyTitles[name];
  const marked = partialInWords(partial, problems - failed, titleOf);
  const lines = [
    ...(fewest < samples
      ? [
          `Problems have ${fewest} to ${samples} candidates: where N is more than a problem has, all of its candidates are taken.`,
        ]
      : []),
    ...(skipped.tool + skipped.reward > 0
      ? [
          `Since the answer was settled without them, the tool was not asked about ${skipped.tool} candidates, the reward about ${skipped.reward} (skipped).`,
        ]
      : []),
    ...(marked ? [marked] : []),
    ...Object.entries(leftOut).map(([name, why]) => `Left out: ${titleOf(name as StrategyName)}, because ${why}.`),
  ];
  return lines.map((line) => html`<p class="note">${line}</p>`);
}

/** What the run did, what T1 adds, and what stopping early would have saved. */
function inWords({ asRun, t1OverMajority, adaptive }: RunSummary): Html {
  const own =
    asRun &&
    ([
      'As run',
      `${told(asRun, asRun.accuracy)} right, with ${asRun.candidates.toFixed(1)} candidates for each problem`,
    ] as const);
  const gain =
    t1OverMajority &&
    ([
      'T1 − majority',
      `${points(t1OverMajority.difference)} points ${between(t1OverMajority, points)}, paired over problems`,
    ] as const);
  const saved = adaptive && (['Stopped early', earlyStop(adaptive)] as const);
  return facts([own, gain, saved].flatMap((pair) => (pair ? [pair] : [])));
}

const told = (interval: Pick<Share, 'low' | 'high'>, share: number): string =>
  `${percent(share)} % ${between(interval)}`;

function earlyStop({
  adaptive: { accuracy, candidates },
  fixed,
  difference,
}: NonNullable<RunSummary['adaptive']>): string {
  const count = (value: number): string => value.toFixed(1);
  const taken = `${count(candidates.mean)} of ${count(fixed.candidates.mean)} candidates ${between(candidates, count)}`;
  return `stopped where the candidates alone settle the answer, T1 would have been ${told(accuracy, accuracy.mean)} right with ${taken}: ${points(difference.difference)} points ${between(difference, points)}, paired`;
}

/** A strategy is charged for what it needs: majority for no tool, tool only for no reward. */
function tokensOf({ tokens: { solver, tool, reward } }: CurvePoint, key: StrategyName): number {
  const needs: Readonly<Record<StrategyName, number>> = {
    mean: solver,
    greedy: solver,
    majority: solver,
    oracle: solver,
    reward: solver + reward,
    tool: solver + tool,
    'best-of-n': solver + tool + reward,
    weighted: solver + tool + reward,
  };
  return needs[key];
}

function seriesOf(curve: readonly CurvePoint[], at: (point: CurvePoint, key: StrategyName) => number): Series[] {
  return titledStrategies
    .filter(([key]) => key !== 'mean' && key !== 'greedy')
    .map(([key, name]) => ({
      key,
      name,
      points: curve.flatMap((point) => {
        const share = point.strategies[key];
        return share ? [{ x: Math.max(1, at(point, key)), share }] : [];
      }),
    }));
}

function curveTable(curve: readonly CurvePoint[], partial: RunSummary['partial'], records: number): Html {
  const isUnequal = curve.some(({ smaller }) => smaller > 0);
  const fewer = (smaller: number): Html => (isUnequal ? html`<td class="number">${smaller}</td>` : html``);
  const rows = curve.map(
    ({ n, smaller, tokens, strategies }) =>
      html`<tr><th scope="row">${smaller > 0 ? '≤ ' : ''}${n}</th>${fewer(smaller)}<td class="number">${Math.round(tokens.solver)}</td><td class="number">${Math.round(tokens.tool)}</td><td class="number">${Math.round(tokens.reward)}</td>${titledStrategies.map(([key]) => cell(strategies[key]))}</tr>`,
  );
  return html`<details id="curve"><summary>The charts as a table</summary>${table('Right in %, with 95 % intervals; tokens generated for a problem, on average', ['N', ...(isUnequal ? [`of ${records} with fewer`] : []), 'solver tokens', 'tool tokens', 'reward tokens', ...titledStrategies.map(([key, name]) => `${name}${partial[key] ? '*' : ''}`)], rows)}</details>`;
}

function matrix({ verdicts }: RunSummary): Html {
  const share = (part: number, whole: number): string => (whole === 0 ? '–' : `${percent(part / whole)} %`);
  const all = Object.keys(verdicts) as Verdict[];
  const [right, wrong] = (['right', 'wrong'] as const).map((side) =>
    all.reduce((sum, verdict) => sum + verdicts[verdict][side], 0),
  );
  const rows = all.map((verdict) => {
    const own = verdicts[verdict];
    return html`<tr><th scope="row"><span class="verdict ${verdict}">${verdict}</span></th><td class="number">${own.right} <small>${share(own.right, right ?? 0)}</small></td><td class="number">${own.wrong} <small>${share(own.wrong, wrong ?? 0)}</small></td><td class="number">${share(own.right, own.right + own.wrong)}</td></tr>`;
  });
  return html`<section><h2>What the tool said</h2>${table('Candidates with an answer, by the verdict of the tool (unknown: it was asked and could not say; skipped: it was not asked); small: share of all right, of all wrong candidates', ['verdict', 'right', 'wrong', 'right among these'], rows)}</section>`;
}

function groups(title: string, rows: RunSummary['categories']): Html {
  if (rows.length === 0) return html``;
  const shown = titledStrategies.filter(([key]) => key !== 'best-of-n');
  const ordered = [...rows].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const body = ordered.map(
    ({ name, problems, strategies }) =>
      html`<tr><th scope="row">${name}</th><td class="number">${problems}</td><td>${bar('weighted', strategies.weighted, strategies.majority)}</td>${shown.map(([key]) => cell(strategies[key]))}</tr>`,
  );
  const id = title.toLowerCase().replace(' ', '-');
  const legend = 'right in %, with 95 % intervals; bar: T1 and its interval, tick: majority';
  return html`<section><h2>${title}</h2><details id="${id}"${rows.length > MANY ? '' : html` open`}><summary>${rows.length} ${rows.length === 1 ? 'group' : 'groups'}</summary>${table(`${title}: ${legend}`, [title.replace('By ', ''), 'problems', 'T1', ...shown.map(([, name]) => name)], body)}</details></section>`;
}

/** 0…100 % from left to right; what the cell beside it says in numbers. */
function bar(key: string, share: Share | undefined, tick?: Share): Html {
  if (!share) return html``;
  const mark = tick ? html`<path class="tick" d="M${tick.accuracy * 120} 0v14"/>` : '';
  return html`<svg class="bar s-${key}" viewBox="0 0 120 14" width="120" height="14" aria-hidden="true"><rect class="track" y="3" width="120" height="8"/><rect class="fill" y="3" width="${share.accuracy * 120}" height="8"/><path class="whisker" d="M${share.low * 120} 7H${share.high * 120}"/>${mark}</svg>`;
}

function claimFigures({ operands }: ClaimsSummary): Html {
  const parts = [
    ['thinking', 'byThinking'],
    ['program', 'byProgram'],
    ['both', 'byBoth'],
  ] as const;
  const series = parts.map(([key, field]) => ({
    key,
    name: JUDGES[key],
    points: operands.map((row) => ({ x: row.operands, share: row[field] })),
  }));
  const rows = operands.map(
    (row) =>
      html`<tr><th scope="row">${row.operands}</th><td class="number">${row.claims}</td>${parts.map(([, field]) => cell(row[field]))}</tr>`,
  );
  return html`<section><h2>Sums, judged by thinking and by program</h2>${chartOf({
    id: 'by-operands',
    title: 'Accuracy against operands (figure 1b of arXiv 2504.04718)',
    description:
      'Share of claims judged rightly over the number of operands, by thinking, by a program, and by both, with 95 % bands. The same figures are in the table below.',
    xLabel: 'three-digit operands',
    scale: 'linear',
    ticks: operands.map(({ operands: count }) => count),
    series,
  })}${table('Claims judged rightly in %, with 95 % intervals', ['operands', 'claims', ...parts.map(([key]) => JUDGES[key])], rows)}</section>`;
}
