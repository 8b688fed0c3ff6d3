/** The figures of `t1 select` for people. */
import Table from 'cli-table3';
import type { Estimate } from '../statistics/bootstrap.js';
import type { Accuracies, Accuracy } from '../statistics/summary.js';
import { partialInWords, type StrategyName } from '../statistics/strategies.js';
import type { VerifierQuality } from '../statistics/verifier-quality.js';
import type { SelectResult } from '../output/select-result.js';

export function selectTable(result: SelectResult): string {
  const { n, smaller, problems, seeds, skipped, interval } = result;
  const runs = seeds > 1 ? ` × ${seeds} seeds` : '';
  const partial = partialInWords(result.partial, problems * seeds, (name) => name);
  return [
    `${problems} problem${problems === 1 ? '' : 's'}${runs}, N ${smaller > 0 ? '≤' : '='} ${n}; 95 % intervals: ${interval.method}, ${interval.resamples} resamples`,
    accuracies(result),
    ...(result.curve ? [curveTable(result.curve, result.partial)] : []),
    ...(result.compare ? [compared(result.compare)] : []),
    ...(result.by ? [partsTable(result.by)] : []),
    ...(result.verifier ? verifierTables(result.verifier) : []),
    ...(smaller > 0
      ? [`${smaller} of ${problems * seeds} pools have fewer than ${n} candidates: all of theirs are taken`]
      : []),
    ...(skipped.tool + skipped.reward > 0
      ? [
          `skipped: the tool was not asked about ${skipped.tool} candidates with an answer, the reward about ${skipped.reward}`,
        ]
      : []),
    ...(partial ? [partial] : []),
    ...Object.entries(result.leftOut).map(([name, why]) => `left out: ${name}, because ${why}`),
    '',
  ].join('\n');
}

const namesOf = (strategies: Accuracies): StrategyName[] => Object.keys(strategies) as StrategyName[];

/** First column to the left, figures to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
}

const percent = (share: number): string => (100 * share).toFixed(1);
const between = ({ low, high }: { readonly low: number; readonly high: number }): string =>
  `[${percent(low)}, ${percent(high)}]`;
const withInterval = (each: Accuracy | undefined): string =>
  each ? `${percent(each.accuracy)} ${between(each)}` : '–';

type PartialPools = SelectResult['partial'];

const accuracies = ({ strategies, partial }: Pick<SelectResult, 'strategies' | 'partial'>): string =>
  table(
    ['strategy', 'accuracy %', '95 %'],
    namesOf(strategies).map((name) => {
      const each = strategies[name];
      return [marked(name, partial), each ? percent(each.accuracy) : '–', each ? between(each) : '–'];
    }),
  );

const marked = (name: StrategyName, partial: PartialPools): string => `${name}${partial[name] ? '*' : ''}`;

/** A column for each N; of the largest, every strategy that has any figure has one. */
function curveTable(points: NonNullable<SelectResult['curve']>, partial: PartialPools): string {
  const names = namesOf(points.at(-1)?.strategies ?? {});
  const costs = Object.keys(points[0]?.costs ?? {}) as (keyof (typeof points)[number]['costs'])[];
  return table(
    ['accuracy % by N', ...points.map(({ n, smaller }) => `${smaller > 0 ? '≤ ' : ''}${n}`)],
    [
      ...names.map((name) => [
        marked(name, partial),
        ...points.map(({ strategies }) => withInterval(strategies[name])),
      ]),
      ...costs.map((name) => [COSTS[name], ...points.map((point) => (point.costs[name] ?? NaN).toFixed(1))]),
    ],
  );
}

const COSTS = {
  generatedTokens: 'generated tokens',
  verifierTokens: 'verifier tokens',
  seconds: 'seconds',
  joules: 'joules',
} as const;

function compared({ a, b, difference, low, high, p }: NonNullable<SelectResult['compare']>): string {
  const signed = `${difference >= 0 ? '+' : ''}${percent(difference)}`;
  return `${a} − ${b}: ${signed} points ${between({ low, high })}, p = ${p.toPrecision(2)}`;
}

/** A column for each strategy. */
function partsTable({ name, parts }: NonNullable<SelectResult['by']>): string {
  const names = namesOf(parts[0]?.strategies ?? {});
  return table(
    [name, 'problems', ...names],
    parts.map((part) => [
      part.name ?? '(none)',
      String(part.problems),
      ...names.map((each) => withInterval(part.strategies[each])),
    ]),
  );
}

const figure = (estimate: Estimate | null | undefined): string =>
  estimate ? `${estimate.mean.toFixed(3)} [${estimate.low.toFixed(3)}, ${estimate.high.toFixed(3)}]` : '–';

function verifierTables({ candidates, right, judges, reward, kinds }: VerifierQuality): string[] {
  const anySkipped = Object.values(judges).some(({ skipped }) => skipped > 0);
  const rows = Object.entries(judges).map(([name, judge]) => [
    name,
    ...(anySkipped ? [String(judge.skipped)] : []),
    figure(judge.precision),
    figure(judge.recall),
    figure(judge.f1),
    figure(judge.accuracy),
  ]);
  const kindRows = Object.entries(kinds).map(([kind, each]) => [
    kind,
    String(each.candidates),
    ...Object.keys(judges).map((name) => figure(each.rejected[name as keyof typeof judges])),
    figure(each.rocArea),
  ]);
  const calibration = reward?.calibration;
  return [
    `${candidates} candidates, ${right} right`,
    ...(rows.length > 0
      ? [table(['judge', ...(anySkipped ? ['skipped'] : []), 'precision', 'recall', 'F1', 'accuracy'], rows)]
      : []),
    ...(reward
      ? [`reward: ROC area ${figure(reward.rocArea)}, average precision ${figure(reward.averagePrecision)}`]
      : []),
    ...(calibration
      ? [
          `reward: expected calibration error ${calibration.expectedError.toFixed(3)}, Brier ${calibration.brier.toFixed(3)}`,
        ]
      : []),
    ...(kindRows.length > 0
      ? [
          table(
            ['kind of error', 'candidates', ...Object.keys(judges).map((name) => `rejected by ${name}`), 'ROC area'],
            kindRows,
          ),
        ]
      : []),
  ];
}
