/** A run's figures for people. */
import Table from 'cli-table3';
import { paperFigures } from '../runs/paper-figures.js';
import { recordsOf } from '../runs/run-file.js';
import { partialInWords, strategyTitles, titledStrategies, type StrategyName } from '../statistics/strategies.js';
import { effortOf, type ClaimsSummary, type RunSummary, type Share } from '../runs/run-summary.js';

export function summaryTable(summary: RunSummary | ClaimsSummary, folder: string): string {
  const { task, model } = summary.manifest;
  const body = summary.kind === 'claims' ? claimsTable(summary) : problemsTable(summary);
  return [
    `${task.title}, ${model.name}: ${summary.problems} of ${recordsOf(summary.manifest)} ${summary.kind}`,
    body,
    ...effortLine(summary),
    `Run: ${folder} (report.html; t1 runs show, t1 view)`,
    '',
  ].join('\n');
}

const effortLine = ({ effort, problems }: RunSummary | ClaimsSummary): string[] =>
  effort && effort.seconds > 0 ? [`Took ${effortOf(effort, problems)}.`] : [];

function problemsTable({
  manifest: { task },
  curve,
  failed,
  undecided,
  verdicts,
  t1OverMajority,
  asRun,
  adaptive,
  fewest,
  samples,
  skipped,
  partial,
  leftOut,
  problems,
}: RunSummary): string {
  const table = new Table({
    head: ['N', 'tokens', ...titledStrategies.map(([, title]) => title)],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { n, smaller, tokens, strategies } of curve) {
    table.push([
      smaller > 0 ? `≤ ${n}` : n,
      Math.round(tokens.solver + tokens.tool + tokens.reward),
      ...titledStrategies.map(([name]) => `${told(strategies[name])}${strategies[name] && partial[name] ? '*' : ''}`),
    ]);
  }
  const { pass, fail, unknown } = verdicts;
  const notAsked = skipped.tool > 0 ? `; it was not asked about ${skipped.tool} (skipped)` : '';
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const points = (share: number): string => (100 * share).toFixed(1);
  const against =
    t1OverMajority &&
    `T1 − majority: ${points(t1OverMajority.difference)} points [${points(t1OverMajority.low)}, ${points(t1OverMajority.high)}], paired.`;
  const own =
    asRun &&
    `This run answered ${percent(asRun.accuracy)} rightly with ${asRun.candidates.toFixed(1)} candidates for each problem.`;
  const saved =
    adaptive &&
    `Stopped where the candidates alone settle the answer, it would have been ${percent(adaptive.adaptive.accuracy.mean)} with ${adaptive.adaptive.candidates.mean.toFixed(1)} candidates.`;
  const lines = [
    ...[against, own, saved].flatMap((line) => line ?? []),
    `Accuracy in %, with 95 % intervals over problems; tokens generated for each problem. The tool refuted ${fail.wrong} wrong and ${fail.right} right candidates, passed ${pass.wrong} wrong and ${pass.right} right, could not say of ${unknown.wrong + unknown.right}${notAsked}.`,
    ...poolLines({ fewest, samples, skipped, partial, leftOut, solved: problems - failed }),
  ];
  if (failed > 0)
    lines.push(
      `${failed} ${failed === 1 ? 'problem' : 'problems'} failed: t1 runs show says why, t1 retry asks again.`,
    );
  if (undecided > 0)
    lines.push(`Of ${undecided} answers nobody could decide whether they are right; they count as wrong.`);
  return [table.toString(), ...lines, ...paperLines(task)].join('\n');
}

/** What figures of pools of unequal size, and of candidates that were not asked about, stand for. */
function poolLines({
  fewest,
  samples,
  skipped,
  partial,
  leftOut,
  solved,
}: Pick<RunSummary, 'fewest' | 'samples' | 'skipped' | 'partial' | 'leftOut'> & { readonly solved: number }): string[] {
  const titleOf = (name: StrategyName): string => strategyTitles[name];
  return [
    ...(fewest < samples
      ? [`Problems have ${fewest} to ${samples} candidates; ≤ N: of those with fewer than N, all are taken.`]
      : []),
    ...(skipped.reward > 0 ? [`The reward of ${skipped.reward} candidates was not asked for (skipped).`] : []),
    ...[partialInWords(partial, solved, titleOf)].flatMap((line) => line ?? []),
    ...Object.entries(leftOut).map(([name, why]) => `Left out: ${titleOf(name as StrategyName)}, because ${why}.`),
  ];
}

/** The paper's own figures, where it has the same task. */
function paperLines({ name }: RunSummary['manifest']['task']): string[] {
  const paper = paperFigures(name);
  if (!paper) return [];
  const table = new Table({
    head: ['the paper', '', ...paper.n.map((n) => `N=${n}`)],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { model, strategy, accuracy } of paper.rows)
    table.push([model, strategy, ...accuracy.map((share) => share.toFixed(1))]);
  return [table.toString(), `${paper.source}.`];
}

function claimsTable({ operands }: ClaimsSummary): string {
  const table = new Table({
    head: ['operands', 'claims', 'by thinking', 'by program', 'by both'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of operands)
    table.push([row.operands, row.claims, told(row.byThinking), told(row.byProgram), told(row.byBoth)]);
  return [table.toString(), 'Claims judged rightly in %, with 95 % intervals (arXiv 2504.04718, figure 1b).'].join(
    '\n',
  );
}

const told = (share: Share | undefined): string =>
  share
    ? `${(100 * share.accuracy).toFixed(1)} [${(100 * share.low).toFixed(1)}, ${(100 * share.high).toFixed(1)}]`
    : '–';
