/**
 * How well the tool's verdicts and the rewards judge single candidates: tables, and a chart of each trade they offer.
 */
import type { Calibration } from '../statistics/calibration.js';
import type { JudgeName, Judgement, RewardQuality, VerifierQuality } from '../statistics/verifier-quality.js';
import { html, type Html } from './html.js';
import { rateChartOf, type RateSeries } from './rates.js';
import { decimal, estimateCell, percent, table, valueCell } from './tables.js';

const NAMES = { tool: 'tool', reward: 'reward', both: 'tool and reward' } as const satisfies Record<JudgeName, string>;
type Judges = readonly (readonly [JudgeName, Judgement])[];

export function qualityOf(quality: VerifierQuality): Html {
  const judges = (Object.keys(NAMES) as JudgeName[]).flatMap((name) => {
    const judgement = quality.judges[name];
    return judgement ? [[name, judgement] as const] : [];
  });
  if (judges.length === 0 || quality.candidates === 0) return html``;
  return html`<section><h2>Verifier quality</h2>${judgeTable(quality, judges)}${quality.reward ? rewardFigures(quality.reward, judges) : ''}${kindTable(quality, judges)}</section>`;
}

function judgeTable({ candidates, right }: VerifierQuality, judges: Judges): Html {
  const anySkipped = judges.some(([, { skipped }]) => skipped > 0);
  const rows = judges.map(
    ([
      name,
      { precision, recall, f1, accuracy, truePositives, falsePositives, falseNegatives, trueNegatives, skipped },
    ]) => {
      const counts = [
        truePositives,
        falsePositives,
        falseNegatives,
        trueNegatives,
        ...(anySkipped ? [skipped] : []),
      ].map((count) => valueCell(count, String));
      return html`<tr><th scope="row" class="name">${NAMES[name]}</th>${[precision, recall, f1, accuracy].map((each) => estimateCell(each))}${counts}</tr>`;
    },
  );
  // 0.5 and no pass for unknown are what verifierQuality takes where nothing else is asked for
  const caption = `Of ${candidates} candidates ${right} are right. The tool accepts what passes, the reward what scores at least 0.5; a candidate without an answer is a wrong one that is not accepted${anySkipped ? '; candidates of which a judge was not asked are in none of its figures' : ''}. In %, with 95 % intervals over problems`;
  return table(
    caption,
    [
      'judge',
      'precision',
      'recall',
      'F1',
      'accuracy',
      'right accepted',
      'wrong accepted',
      'right rejected',
      'wrong rejected',
      ...(anySkipped ? ['not asked'] : []),
    ],
    rows,
  );
}

function rewardFigures(reward: RewardQuality, judges: Judges): Html {
  const { scored, skipped, rocArea, averagePrecision, calibration } = reward;
  const summary = html`<tr>${estimateCell(rocArea, decimal)}${estimateCell(averagePrecision, decimal)}${valueCell(calibration?.expectedError, decimal)}${valueCell(calibration?.brier, decimal)}</tr>`;
  const charts = [
    rocChart(reward, judges),
    precisionRecallChart(reward, judges),
    calibration ? calibrationChart(calibration) : html``,
  ];
  return html`<h3>The reward as a score</h3>${table(`Over the ${scored} candidates that have a reward${skipped > 0 ? ` (of ${skipped} more it was not asked for)` : ''}, with 95 % intervals over problems`, ['ROC area', 'average precision', 'expected calibration error', 'Brier score'], [summary])}
<div class="charts rates">${charts}</div>${thresholdTable(reward)}${calibration ? calibrationTable(calibration) : ''}`;
}

/** A verdict has no threshold: it is one point, over all candidates. */
const pointsOf = (
  judges: Judges,
  place: (judgement: Judgement) => { readonly x: number; readonly y: number } | null,
): RateSeries[] =>
  judges.flatMap(([key, judgement]) => {
    const at = key === 'reward' ? null : place(judgement);
    if (!at || !Number.isFinite(at.x) || !Number.isFinite(at.y)) return [];
    return [
      {
        key,
        name: NAMES[key],
        points: [],
        marks: [{ ...at, size: 90, title: `${NAMES[key]}: ${percent(at.x)} %, ${percent(at.y)} %` }],
      },
    ];
  });

function rocChart({ roc }: RewardQuality, judges: Judges): Html {
  if (roc.length === 0) return html``;
  const curve = [
    { x: 0, y: 0 },
    ...roc.map(({ falsePositiveRate, truePositiveRate }) => ({ x: falsePositiveRate, y: truePositiveRate })),
  ];
  const verdicts = pointsOf(judges, ({ truePositives, falsePositives, falseNegatives, trueNegatives }) => ({
    x: falsePositives / (falsePositives + trueNegatives),
    y: truePositives / (truePositives + falseNegatives),
  }));
  return rateChartOf({
    id: 'roc',
    title: 'ROC: right against wrong accepted',
    description:
      'Share of right candidates accepted over the share of wrong ones accepted, for every threshold of the reward; the verdicts of the tool are single points. Chance is the diagonal. Figures are in the table below.',
    xLabel: 'false positive rate, %',
    yLabel: 'true positive rate, %',
    series: [
      chance(
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        'chance',
      ),
      { key: 'reward', name: NAMES.reward, line: 'straight', points: curve },
      ...verdicts,
    ],
  });
}

function precisionRecallChart({ precisionRecall }: RewardQuality, judges: Judges): Html {
  const [first, last] = [precisionRecall[0], precisionRecall.at(-1)];
  if (!first || !last) return html``;
  const curve = [
    { x: 0, y: first.precision },
    ...precisionRecall.map(({ recall, precision }) => ({ x: recall, y: precision })),
  ];
  const verdicts = pointsOf(judges, ({ precision, recall }) =>
    precision && recall ? { x: recall.mean, y: precision.mean } : null,
  );
  return rateChartOf({
    id: 'precision-recall',
    title: 'Precision against recall',
    description:
      'Share of accepted candidates that are right over the share of right candidates accepted, for every threshold of the reward; the verdicts of the tool are single points. Accepting all is the level line. Figures are in the table below.',
    xLabel: 'recall, %',
    yLabel: 'precision, %',
    series: [
      chance(
        [
          { x: 0, y: last.precision },
          { x: 1, y: last.precision },
        ],
        'all accepted',
      ),
      { key: 'reward', name: NAMES.reward, line: 'steps', points: curve },
      ...verdicts,
    ],
  });
}

function calibrationChart({ bins }: Calibration): Html {
  const most = Math.max(...bins.map(({ candidates }) => candidates));
  const marks = bins.flatMap(({ from, to, candidates, meanScore, shareRight }) =>
    meanScore === null || shareRight === null
      ? []
      : [
          {
            x: meanScore,
            y: shareRight,
            size: 20 + (130 * candidates) / most,
            title: `rewards ${from.toFixed(1)} to ${to.toFixed(1)}: ${candidates} candidates, mean ${percent(meanScore)} %, right ${percent(shareRight)} %`,
          },
        ],
  );
  return rateChartOf({
    id: 'calibration',
    title: 'Calibration of the reward',
    description:
      'Of candidates with reward 0.8, are 80 % right? Share of right candidates over the mean reward, in ten bins of the reward; larger marks hold more candidates. On the diagonal rewards are probabilities. The same figures are in the table below.',
    xLabel: 'mean reward, %',
    yLabel: 'right, %',
    series: [
      chance(
        [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        'calibrated',
      ),
      { key: 'reward', name: 'reward (larger: more candidates)', line: 'straight', points: marks, marks },
    ],
  });
}

/** What a curve is to be compared with. */
const chance = (points: RateSeries['points'], name: string): RateSeries => ({
  key: 'chance',
  name,
  line: 'straight',
  points,
});

/**
 * Thresholds at which so much of what is right is accepted: rewards crowd near 0 and 1, so even thresholds would show
 * little.
 */
const RECALLS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

function thresholdTable({ roc, precisionRecall }: RewardQuality): Html {
  const places = new Set(RECALLS.map((least) => precisionRecall.findIndex(({ recall }) => recall >= least - 1e-12)));
  const rows = [...places].flatMap((place) => {
    const step = precisionRecall[place];
    return step
      ? [
          html`<tr><th scope="row">${step.threshold.toPrecision(4)}</th>${valueCell(step.recall)}${valueCell(roc[place]?.falsePositiveRate)}${valueCell(step.precision)}</tr>`,
        ]
      : [];
  });
  if (rows.length === 0) return html``;
  return html`<details id="thresholds"><summary>ROC and precision against recall as a table</summary>${table('Candidates accepted by their reward, in %', ['reward at least', 'true positive rate (recall)', 'false positive rate', 'precision'], rows)}</details>`;
}

function calibrationTable({ bins }: Calibration): Html {
  const rows = bins.map(
    ({ from, to, candidates, meanScore, shareRight }) =>
      html`<tr><th scope="row">${from.toFixed(1)} to ${to.toFixed(1)}</th>${valueCell(candidates, String)}${valueCell(meanScore)}${valueCell(shareRight)}</tr>`,
  );
  return html`<details id="bins"><summary>Calibration as a table</summary>${table('Rewards in bins: their mean and the candidates that are right, in %', ['reward', 'candidates', 'mean reward', 'right'], rows)}</details>`;
}

function kindTable({ kinds }: VerifierQuality, judges: Judges): Html {
  const rows = Object.entries(kinds).map(
    ([kind, { candidates, rejected, rocArea }]) =>
      html`<tr><th scope="row" class="name">${kind}</th>${valueCell(candidates, String)}${judges.map(([name]) => estimateCell(rejected[name]))}${estimateCell(rocArea, decimal)}</tr>`,
  );
  if (rows.length === 0) return html``;
  const caption =
    'Wrong candidates by their kind of error: how many of them each judge rejects in %, and the ROC area of the rewards of right candidates against these, with 95 % intervals over problems';
  return html`<h3>By kind of error</h3>${table(caption, ['kind', 'candidates', ...judges.map(([name]) => `rejected by ${NAMES[name]}`), 'ROC area'], rows)}`;
}
