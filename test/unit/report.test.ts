/** What pages say of a run: the same as the strategies themselves, and nothing that data could turn into markup. */
import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { syntheticEffort, syntheticManifest, syntheticRecords } from '../support/synthetic-run.mjs';
import type { RunRecord, SolvedRecord } from '../../src/runs/record.js';
import { paperFigures } from '../../src/runs/paper-figures.js';
import { decisionOf, summaryOfRecords, type RunSummary } from '../../src/runs/run-summary.js';
import type { VerifierQuality } from '../../src/statistics/verifier-quality.js';
import { normalizeAnswer } from '../../src/grade/normalize.js';
import { problemOf, rowOf, STRATEGIES, type ProblemData } from '../../src/report/data.js';
import { html, inertJson } from '../../src/report/html.js';
import { overviewOf } from '../../src/report/overview.js';
import { livePage, pageScript, reportFile } from '../../src/report/page.js';
import { qualityOf } from '../../src/report/quality.js';
import { thinned } from '../../src/report/rates.js';
import { points } from '../../src/report/tables.js';
import { selectors, type SelectorName } from '../../src/select/select.js';
import { matches, EVERYTHING, shownRows } from '../../src/report/browser/filter.mjs';

const records = [...syntheticRecords({ problems: 40, samples: 8, seed: 5, failed: 2 })];
const solved = records.filter((record): record is SolvedRecord => record.outcome === 'solved');
const manifest = syntheticManifest(40, 8);
const names = Object.keys(selectors) as SelectorName[];

const summarized = async (all: readonly RunRecord[] = records): Promise<RunSummary> => {
  const summary = await summaryOfRecords(manifest, all);
  if (summary.kind !== 'problems') throw new Error('these are problems');
  return summary;
};

/** What a table of the page says, cell by cell. */
const cellsOf = (markup: string, caption: string): string[][] => {
  const [body = ''] = markup.split(`<table aria-label="${caption}`)[1]?.split('</table>') ?? [];
  return [...body.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, text = '']) => text.replace(/<[^>]*>/g, '').trim()),
  );
};

const whole = async (all: readonly RunRecord[]): Promise<string> => {
  let text = '';
  for await (const part of reportFile({ manifest, effort: syntheticEffort }, all)) text += part;
  return text;
};

describe('page data', () => {
  test.each(names)('%s: the largest of the sums that are shown is of the answer that the strategy chooses', (name) => {
    for (const record of solved) {
      const decision = problemOf(record, manifest.configuration).decisions.find(
        (each) => each.name === STRATEGIES[name],
      );
      const selection = decisionOf(record.candidates, name);
      expect(decision?.chosen).toBe(selection.chosen);
      expect(decision?.weights).toEqual(selection.weights);
      expect(decision?.tallies.filter(({ decided }) => decided)).toHaveLength(selection.answer === null ? 0 : 1);
      expect(normalizeAnswer(decision?.tallies[0]?.answer ?? '')).toBe(normalizeAnswer(selection.answer ?? ''));
    }
  });

  test('a sum is that of the candidates named beside it', () => {
    for (const record of solved) {
      for (const { combine, tallies, weights } of problemOf(record, manifest.configuration).decisions) {
        for (const { total, candidates } of tallies) {
          const own = candidates.map((index) => weights[index] ?? 0);
          expect(combine === 'sum' ? own.reduce((sum, weight) => sum + weight, 0) : Math.max(0, ...own)).toBeCloseTo(
            total,
            12,
          );
        }
      }
    }
  });

  test('how the run itself decided is shown with its own weights, under its own rule', () => {
    const [first] = solved;
    const [asRun] = first ? problemOf(first, { select: 'best-of-n' }).decisions : [];
    expect(asRun).toMatchObject({ name: 'as run', answer: first?.answer, chosen: first?.chosen, combine: 'max' });
    expect(asRun?.fallback).toBe(first?.candidates.some(({ tool }) => tool.verdict === 'pass') ? null : 'reward');
    expect(asRun?.weights).toEqual(first?.candidates.map(({ weight }) => weight));
  });

  test('rows add up to the accuracy of the table', async () => {
    const summary = await summarized();
    for (const name of [...names, 'oracle'] as const) {
      const right = records.map(rowOf).filter((row) => row.right[name] === 1).length;
      expect(right / solved.length).toBeCloseTo(summary.strategies[name]?.accuracy ?? -1, 12);
    }
  });

  test('an answer of which nobody could say whether it is right is neither', () => {
    const [first] = solved;
    if (!first) throw new Error('no record');
    const undecided = { ...first, candidates: first.candidates.map((candidate) => ({ ...candidate, correct: null })) };
    expect(rowOf(undecided).right).toMatchObject({ weighted: null, oracle: 0 });
  });

  test('a claim is judged as in the figures: by both, when neither refutes it', () => {
    const claim: RunRecord = {
      outcome: 'claim',
      id: 'c',
      seed: 0,
      problem: '1 + 1 = 3',
      gold: 'False',
      category: '2',
      byThinking: true,
      byProgram: false,
      thought: '',
      program: '',
      printed: '',
      tokens: 1,
      toolTokens: 1,
    };
    expect(rowOf(claim).right).toEqual({ thinking: 0, program: 1, both: 1 });
  });
});

describe('filters', () => {
  const rows = records.map(rowOf);
  const filter = (part: Partial<typeof EVERYTHING>) =>
    shownRows(rows, { ...EVERYTHING, ...part }, null).map((place) => rows[place]);

  test('right by one and not by another, both ways, without those that failed', () => {
    const found = [
      filter({ rightBy: 'weighted', wrongBy: 'majority' }),
      filter({ rightBy: 'majority', wrongBy: 'weighted' }),
    ];
    expect(found[0]?.length).toBeGreaterThan(0);
    for (const row of found[0] ?? []) expect(row?.right).toMatchObject({ weighted: 1, majority: 0 });
    for (const row of found[1] ?? []) expect(row?.right).toMatchObject({ weighted: 0, majority: 1 });
    expect(filter({ wrongBy: 'oracle' }).every((row) => row?.outcome === 'solved')).toBe(true);
  });

  test('text, category and failed', () => {
    expect(filter({ text: 'MADE-7' }).map((row) => row?.id)).toEqual(['made-7']);
    expect(filter({ category: 'Geometry' }).length).toBe(
      solved.filter(({ category }) => category === 'Geometry').length,
    );
    expect(filter({ outcome: 'failed' }).map((row) => row?.id)).toEqual(['made-0', 'made-1']);
    expect(rows.every((row) => matches(row, EVERYTHING))).toBe(true);
  });

  test('numbers in names sort as numbers', () => {
    const ids = shownRows(rows, EVERYTHING, { column: 'id', descending: true }).map((place) => rows[place]?.id);
    expect(ids.slice(0, 2)).toEqual(['made-39', 'made-38']);
  });
});

describe('verifier quality', () => {
  const qualityIn = async (): Promise<VerifierQuality> => {
    const { quality } = await summarized();
    if (!quality) throw new Error('the run has verdicts and rewards');
    return quality;
  };
  const pathIn = (markup: string, id: string, key: string): string =>
    markup
      .split(`aria-labelledby="${id}-wide-title`)[1]
      ?.split('</svg>')[0]
      ?.match(new RegExp(`class="s-${key}"><path class="line" d="([^"]+)"`))?.[1] ?? '';

  /** Of a drawn line, as a share of the chart. */
  const areaUnder = (path: string): number => {
    const places = path
      .slice(1)
      .split('L')
      .map((place) => place.split(',').map(Number));
    return places.reduce((sum, [x = 0, y = 0], i) => {
      const [before = x, above = y] = places[i - 1] ?? [];
      return sum + ((x - before) * (318 - (y + above) / 2)) / (342 * 308);
    }, 0);
  };

  test('each judge with precision, recall, F1, their intervals, and what they are made of', async () => {
    const quality = await qualityIn();
    const [, tool, reward, both] = cellsOf(qualityOf(quality).text, `Of ${quality.candidates} candidates`);
    const candidates = solved.flatMap((record) => record.candidates);
    const passed = candidates.filter(({ tool: { verdict } }) => verdict === 'pass');
    const [right, wrong] = [
      passed.filter(({ correct }) => correct).length,
      passed.filter(({ correct }) => !correct).length,
    ];
    expect(tool?.slice(0, 2)).toEqual([
      'tool',
      expect.stringMatching(new RegExp(`^${((100 * right) / passed.length).toFixed(1)} \\[[\\d.]+, [\\d.]+\\]$`)),
    ]);
    expect(tool?.slice(5, 7)).toEqual([String(right), String(wrong)]);
    expect(tool?.slice(5).reduce((sum, count) => sum + Number(count), 0)).toBe(candidates.length);
    expect(tool?.[3]).toContain(
      ((200 * right) / (passed.length + candidates.filter(({ correct }) => correct).length)).toFixed(1),
    );
    expect([reward?.[0], both?.[0]]).toEqual(['reward', 'tool and reward']);
  });

  test('the curves are those of the rewards: from corner to corner, and down to the share of right ones', async () => {
    const quality = await qualityIn();
    const markup = qualityOf(quality).text;
    expect(pathIn(markup, 'roc', 'reward')).toMatch(/^M44,318L.*L386,10$/);
    const level = (318 - (308 * quality.right) / quality.candidates).toFixed(1).replace('.0', '');
    expect(pathIn(markup, 'precision-recall', 'chance')).toBe(`M44,${level}L386,${level}`);
    expect(pathIn(markup, 'precision-recall', 'reward')).toMatch(new RegExp(`L386,${level}$`));
    for (const [id, area] of [
      ['roc', quality.reward?.rocArea?.mean],
      ['precision-recall', quality.reward?.averagePrecision?.mean],
    ] as const) {
      expect(Math.abs(areaUnder(pathIn(markup, id, 'reward')) - (area ?? NaN))).toBeLessThan(0.005); // thinned
      expect(markup).toContain(area?.toFixed(3));
    }
  });

  test('the tool is a point where its verdicts are', async () => {
    const quality = await qualityIn();
    const { truePositives = 0, falseNegatives = 0, falsePositives = 0, trueNegatives = 0 } = quality.judges.tool ?? {};
    const x = 44 + (342 * falsePositives) / (falsePositives + trueNegatives);
    const y = 318 - (308 * truePositives) / (truePositives + falseNegatives);
    expect(qualityOf(quality).text).toContain(
      `<g class="s-tool"><path class="mark" transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"`,
    );
  });

  test('the table beside the curves holds for every threshold that it names', async () => {
    // two digits: thresholds are as they are written, and many candidates share one
    const rounded = solved.map((record) => ({
      ...record,
      candidates: record.candidates.map((candidate) => ({
        ...candidate,
        reward: Math.round(100 * Number(candidate.reward)) / 100,
      })),
    }));
    const { quality } = await summarized(rounded);
    const rows = cellsOf(quality ? qualityOf(quality).text : '', 'Candidates accepted by their reward').slice(1);
    const candidates = rounded.flatMap((record) => record.candidates);
    const right = candidates.filter(({ correct }) => correct).length;
    expect(rows).toHaveLength(10);
    for (const [threshold, recall, falses, precision] of rows) {
      const accepted = candidates.filter(({ reward }) => reward >= Number(threshold));
      const trues = accepted.filter(({ correct }) => correct).length;
      const shares = [trues / right, (accepted.length - trues) / (candidates.length - right), trues / accepted.length];
      expect([recall, falses, precision]).toEqual(shares.map((share) => (100 * share).toFixed(1)));
    }
  });

  test('bins hold every candidate once, and empty ones are in the table but not in the chart', async () => {
    const quality = await qualityIn();
    const rows = cellsOf(qualityOf(quality).text, 'Rewards in bins').slice(1);
    expect(rows.reduce((sum, [, candidates]) => sum + Number(candidates), 0)).toBe(quality.reward?.scored);
    const calibration = quality.reward?.calibration;
    if (!quality.reward || !calibration) throw new Error('there are rewards');
    const bins = calibration.bins.map((bin, i) =>
      i < 7 ? { ...bin, candidates: 0, meanScore: null, shareRight: null } : bin,
    );
    const markup = qualityOf({ ...quality, reward: { ...quality.reward, calibration: { ...calibration, bins } } }).text;
    expect(cellsOf(markup, 'Rewards in bins')[1]).toEqual(['0.0 to 0.1', '0', '–', '–']);
    expect(markup.match(/<title>rewards 0\.\d/g)).toHaveLength(2 * 3); // two sizes
  });

  test('kinds of error in a table, as text, and no table without any', async () => {
    const quality = await qualityIn();
    const rejected = { tool: { mean: 0.9, low: 0.8, high: 0.95 } };
    const markup = qualityOf({ ...quality, kinds: { '<img>': { candidates: 3, rejected, rocArea: null } } }).text;
    expect(cellsOf(markup, 'Wrong candidates by their kind of error')[1]).toEqual([
      '&lt;img&gt;',
      '3',
      '90.0 [80.0, 95.0]',
      '–',
      '–',
      '–',
    ]);
    expect(qualityOf(quality).text).not.toContain('By kind of error');
  });

  test('what is not known has no chart, no interval, no section', async () => {
    const summary = await summarized();
    const quality = await qualityIn();
    const { tool } = quality.judges;
    if (!quality.reward || !tool) throw new Error('the run has verdicts and rewards');
    expect(overviewOf(summary).text).toContain('Verifier quality');
    expect(overviewOf({ ...summary, quality: null }).text).not.toContain('Verifier quality');
    expect(qualityOf({ ...quality, judges: { tool }, reward: null }).text).not.toContain('<svg');
    const empty = {
      scored: 4,
      skipped: 0,
      rocArea: null,
      roc: [],
      averagePrecision: null,
      precisionRecall: [],
      calibration: null,
    };
    const bare = qualityOf({
      ...quality,
      judges: { tool: { ...tool, precision: null, f1: { mean: 0.5, low: NaN, high: NaN } } },
      reward: empty,
    }).text;
    expect(bare).not.toMatch(/NaN|<svg|undefined/);
    expect(cellsOf(bare, 'Of ')[1]?.slice(1, 4)).toEqual(['–', expect.stringContaining('['), '50.0']);
  });

  test('each chart has a title and a description of its own, and axes with names', async () => {
    const markup = qualityOf(await qualityIn()).text;
    const ids = [...markup.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ['roc', 'precision-recall', 'calibration']) {
      for (const size of ['wide', 'narrow'])
        expect(ids).toEqual(expect.arrayContaining([`${id}-${size}-title`, `${id}-${size}-text`]));
    }
    for (const axis of [
      'false positive rate, %',
      'true positive rate, %',
      'recall, %',
      'precision, %',
      'mean reward, %',
      'right, %',
    ])
      expect(markup).toContain(`>${axis}</text>`);
  });

  test('a curve of many steps is thinned by less than can be seen, and keeps its ends', () => {
    const steps = Array.from({ length: 20_000 }, (_, i) => ({ x: i / 19_999, y: Math.sqrt(i / 19_999) }));
    const kept = thinned(steps);
    expect(kept.length).toBeLessThan(700);
    expect([kept[0], kept.at(-1)]).toEqual([steps[0], steps.at(-1)]);
    for (const step of steps)
      expect(kept.some(({ x, y }) => Math.abs(x - step.x) <= 1 / 300 && Math.abs(y - step.y) <= 1 / 300)).toBe(true);
  });
});

describe('what the terminal says, the report says', () => {
  test('as run, T1 − majority and what stopping early would have saved, with intervals', async () => {
    const summary = await summarized();
    const { asRun, adaptive, t1OverMajority } = summary;
    if (!asRun || !adaptive || !t1OverMajority) throw new Error('problems are solved');
    const said = overviewOf(summary).text;
    const share = (value: number): string => (100 * value).toFixed(1);
    expect(said).toContain(
      `${share(asRun.accuracy)} % [${share(asRun.low)}, ${share(asRun.high)}] right, with 8.0 candidates`,
    );
    expect(said).toContain(
      `${points(t1OverMajority.difference)} points [${points(t1OverMajority.low)}, ${points(t1OverMajority.high)}], paired over problems`,
    );
    expect(said).toContain(`${share(adaptive.adaptive.accuracy.mean)} % [`);
    expect(said).toContain(`right with ${adaptive.adaptive.candidates.mean.toFixed(1)} of 8.0 candidates [`);
    expect(said).toContain(`${points(adaptive.difference.difference)} points [`);
  });

  test('what the run took, and how many records it is to have', async () => {
    const summary = await summarized();
    const text = overviewOf({
      ...summary,
      problems: 10,
      effort: { starts: 2, seconds: 25, joules: 400, generatedTokens: 1234 },
    }).text;
    expect(text).toContain(
      '25.0 s (2.50 s each), 400 J of the processors (40.0 J each); 1234 tokens were generated in that time',
    );
    expect(
      overviewOf({ ...summary, effort: { starts: 1, seconds: 5, joules: null, generatedTokens: 1 } }).text,
    ).not.toContain(' J ');
    expect(overviewOf(summary).text).not.toContain('<dt>Took</dt>');
    const seeds = { ...manifest, configuration: { ...manifest.configuration, seeds: 3 } };
    expect(overviewOf({ ...summary, manifest: seeds }).text).toContain(
      `${summary.problems} of ${3 * manifest.task.problems} problems, a problem once for each seed`,
    );
  });

  test('a difference has its sign, and nothing has none', () => {
    expect([points(0.0123), points(-0.2), points(-0.0001)]).toEqual(['+1.2', '−20.0', '0.0']);
  });

  test("the paper's figures under the run's own, where the task is the same", async () => {
    const summary = await summarized();
    const paper = paperFigures('gsm8k');
    const curve = summary.curve.filter(({ n }) => n !== 4);
    const said = overviewOf({
      ...summary,
      curve,
      manifest: { ...manifest, task: { ...manifest.task, name: 'gsm8k' } },
    }).text;
    const [head = [], ...rows] = cellsOf(said, 'Right in %. First this run');
    expect(rows.map(([model, strategy]) => [model, strategy])).toEqual([
      ...['majority', 'reward only', 'T1'].map((name) => ['no model', name]),
      ...(paper?.rows ?? []).map(({ model, strategy }) => [model, strategy]),
    ]);
    const at = head.indexOf('N = 8');
    const t1 = summary.curve.find(({ n }) => n === 8)?.strategies.weighted;
    expect(rows[2]?.[at]).toContain(((t1?.accuracy ?? NaN) * 100).toFixed(1));
    expect([rows[2]?.[head.indexOf('N = 4')], rows[2]?.[head.indexOf('N = 16')]]).toEqual(['–', '–']); // eight were sampled
    expect(rows[3]?.[at]).toBe(paper?.rows[0]?.accuracy[paper.n.indexOf(8)]?.toFixed(1));
    expect(overviewOf(summary).text).not.toContain('Beside the paper');
  });
});

const HOSTILE = `</script><img src=x onerror="document.title='owned'"><!--<script>&lt;</style>`;

describe('what models and data wrote is text', () => {
  const hostile = solved.slice(0, 2).map(
    (record): SolvedRecord => ({
      ...record,
      problem: HOSTILE,
      id: `${record.id}${HOSTILE}`,
      gold: HOSTILE,
      category: HOSTILE,
      level: HOSTILE,
      candidates: record.candidates.map((candidate) => ({ ...candidate, text: HOSTILE, answer: HOSTILE })),
    }),
  );

  test('nothing of it is markup, anywhere in the file', async () => {
    const evil = {
      ...manifest,
      task: { ...manifest.task, title: HOSTILE },
      model: { ...manifest.model, name: HOSTILE },
      command: [HOSTILE],
    };
    let page = '';
    for await (const part of reportFile({ manifest: evil, effort: syntheticEffort }, hostile)) page += part;
    expect(page).not.toMatch(/<img/i);
    expect(page.match(/<\/script>/g)).toHaveLength(page.match(/<script[ >]/g)?.length ?? -1);
    expect(livePage(evil)).not.toMatch(/<img/i);
  });

  test('a problem comes out of the file as it was recorded', async () => {
    const page = await whole(hostile);
    const [, packed = ''] = page.match(/id="problem-1">([^<]*)</) ?? [];
    const { record } = JSON.parse(inflateRawSync(Buffer.from(packed, 'base64')).toString()) as ProblemData;
    expect(record).toEqual(hostile[1]);
  });

  test('the helpers themselves', () => {
    expect(html`<b title="${'"\''}">${'<i>&'}</b>`.text).toBe('<b title="&quot;&#39;">&lt;i&gt;&amp;</b>');
    expect(inertJson({ a: HOSTILE }).text).not.toContain('<');
  });
});

describe('the file', () => {
  test('may ask nobody for anything, and names no address but inside text', async () => {
    const page = await whole(records);
    expect(page).toContain("default-src 'none'; script-src 'sha256-");
    expect(page).not.toMatch(/(src|href)="(?!#)/);
    expect(page).not.toMatch(/@import|url\(/);
  });

  test('its script is one that compiles: no name twice, no import left', () => {
    expect(() => new Function(pageScript())).not.toThrow();
    expect(pageScript()).not.toMatch(/^(import|export) /m);
  });

  test('no path of the machine that the model lay on', async () => {
    const page = await whole(records.slice(0, 1));
    expect(page).not.toContain('/none.gguf');
  });
});
