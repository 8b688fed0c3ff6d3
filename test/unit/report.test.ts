/** What pages say of a run: the same as the strategies themselves, and nothing that data could turn into markup. */
import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { syntheticManifest, syntheticRecords } from '../support/synthetic-run.mjs';
import type { RunRecord, SolvedRecord } from '../../src/evaluate/record.js';
import { decisionOf, summaryOfRecords } from '../../src/evaluate/run-summary.js';
import { normalizeAnswer } from '../../src/grade/normalize.js';
import { problemOf, rowOf, STRATEGIES, type ProblemData } from '../../src/report/data.js';
import { html, inertJson } from '../../src/report/html.js';
import { livePage, pageScript, reportFile } from '../../src/report/page.js';
import { selectors, type SelectorName } from '../../src/select/select.js';
import { matches, EVERYTHING, shownRows } from '../../src/report/browser/filter.mjs';

const records = [...syntheticRecords({ problems: 40, samples: 8, seed: 5, failed: 2 })];
const solved = records.filter((record): record is SolvedRecord => record.outcome === 'solved');
const manifest = syntheticManifest(40, 8);
const names = Object.keys(selectors) as SelectorName[];

const whole = async (all: readonly RunRecord[]): Promise<string> => {
  let text = '';
  for await (const part of reportFile(manifest, all)) text += part;
  return text;
};

describe('page data', () => {
  test.each(names)('%s: the largest of the sums that are shown is of the answer that the strategy chooses', (name) => {
    for (const record of solved) {
      const decision = problemOf(record, manifest.configuration).decisions.find((each) => each.name === STRATEGIES[name]);
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
          expect(combine === 'sum' ? own.reduce((sum, weight) => sum + weight, 0) : Math.max(0, ...own)).toBeCloseTo(total, 12);
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
    const summary = await summaryOfRecords(manifest, records);
    if (summary.kind !== 'problems') throw new Error('these are problems');
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
    const claim: RunRecord = { outcome: 'claim', id: 'c', seed: 0, problem: '1 + 1 = 3', gold: 'False', category: '2', byThinking: true, byProgram: false, thought: '', program: '', printed: '', tokens: 1, toolTokens: 1 };
    expect(rowOf(claim).right).toEqual({ thinking: 0, program: 1, both: 1 });
  });
});

describe('filters', () => {
  const rows = records.map(rowOf);
  const filter = (part: Partial<typeof EVERYTHING>) => shownRows(rows, { ...EVERYTHING, ...part }, null).map((place) => rows[place]);

  test('right by one and not by another, both ways, without those that failed', () => {
    const found = [filter({ rightBy: 'weighted', wrongBy: 'majority' }), filter({ rightBy: 'majority', wrongBy: 'weighted' })];
    expect(found[0]?.length).toBeGreaterThan(0);
    for (const row of found[0] ?? []) expect(row?.right).toMatchObject({ weighted: 1, majority: 0 });
    for (const row of found[1] ?? []) expect(row?.right).toMatchObject({ weighted: 0, majority: 1 });
    expect(filter({ wrongBy: 'oracle' }).every((row) => row?.outcome === 'solved')).toBe(true);
  });

  test('text, category and failed', () => {
    expect(filter({ text: 'MADE-7' }).map((row) => row?.id)).toEqual(['made-7']);
    expect(filter({ category: 'Geometry' }).length).toBe(solved.filter(({ category }) => category === 'Geometry').length);
    expect(filter({ outcome: 'failed' }).map((row) => row?.id)).toEqual(['made-0', 'made-1']);
    expect(rows.every((row) => matches(row, EVERYTHING))).toBe(true);
  });

  test('numbers in names sort as numbers', () => {
    const ids = shownRows(rows, EVERYTHING, { column: 'id', descending: true }).map((place) => rows[place]?.id);
    expect(ids.slice(0, 2)).toEqual(['made-39', 'made-38']);
  });
});

const HOSTILE = `</script><img src=x onerror="document.title='owned'"><!--<script>&lt;</style>`;

describe('what models and data wrote is text', () => {
  const hostile = solved.slice(0, 2).map((record): SolvedRecord => ({
    ...record,
    problem: HOSTILE,
    id: `${record.id}${HOSTILE}`,
    gold: HOSTILE,
    category: HOSTILE,
    level: HOSTILE,
    candidates: record.candidates.map((candidate) => ({ ...candidate, text: HOSTILE, answer: HOSTILE })),
  }));

  test('nothing of it is markup, anywhere in the file', async () => {
    const evil = { ...manifest, task: { ...manifest.task, title: HOSTILE }, model: { ...manifest.model, name: HOSTILE }, command: [HOSTILE] };
    let page = '';
    for await (const part of reportFile(evil, hostile)) page += part;
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
