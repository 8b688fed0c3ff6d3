/**
 * Runs that stopped early: pools of unequal size, candidates that were not asked about; in figures, tables, pages and
 * comparisons.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { selectTable } from '../../src/cli/select-table.js';
import { solveTable } from '../../src/cli/solve-table.js';
import { summaryTable } from '../../src/cli/eval-table.js';
import { candidateCard } from '../../src/report/browser/candidate.mjs';
import { problemOf, rowOf } from '../../src/report/data.js';
import { overviewOf } from '../../src/report/overview.js';
import { pageDataOf } from '../../src/report/page.js';
import { compareRuns } from '../../src/runs/compare-runs.js';
import { recordSchema, type RunRecord, type SolvedRecord } from '../../src/runs/record.js';
import { summaryOfRecords, toPool, type RunSummary } from '../../src/runs/run-summary.js';
import type { SolveResult } from '../../src/types.js';
import { syntheticEffort, syntheticManifest, syntheticRecords } from '../support/synthetic-run.mjs';

const manifest = syntheticManifest(24, 8);
const whole = [...syntheticRecords({ problems: 24, samples: 8, seed: 7 })].filter(
  (record): record is SolvedRecord => record.outcome === 'solved',
);

type Candidate = SolvedRecord['candidates'][number];
const withCandidates = (record: SolvedRecord, of: (candidate: Candidate) => Candidate): SolvedRecord => ({
  ...record,
  candidates: record.candidates.map(of),
});
const unasked = (candidate: Candidate): Candidate => ({
  ...candidate,
  tool: { verdict: 'skipped', programs: [] },
  toolTokens: 0,
  weight: 0,
});
/** As a run with an adaptive budget leaves them: pools of 2, 4 and 8, and late candidates that nobody asked about. */
const early = whole.map((record, i) =>
  withCandidates({ ...record, candidates: record.candidates.slice(0, [2, 4, 8][i % 3]) }, (candidate) =>
    i % 3 === 1 && candidate.index > 2 ? unasked(candidate) : candidate,
  ),
);

const summarized = async (records: readonly RunRecord[]): Promise<RunSummary> => {
  const summary = await summaryOfRecords(manifest, records);
  if (summary.kind !== 'problems') throw new Error('these are problems');
  return summary;
};
const textOf = (markup: string): string => markup.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe('records', () => {
  test('of 0.1.0 are read as they are', () => {
    // written by 0.1.0, with its longer texts cut
    const written =
      '{"id":"gsm8k-3","seed":0,"problem":"How many?","gold":"540","outcome":"solved","answer":"540","correct":true,"verified":true,"chosen":0,"candidates":[{"index":0,"text":"\\\\boxed{540}","finish":"eog","answer":"540","group":0,"correct":true,"reward":0.8125,"weight":0.8125,"tokens":9,"toolTokens":31,"rewardTokens":0,"tool":{"verdict":"pass","programs":[{"code":"print(True)","status":"ok","stdout":"True\\n","ms":3.5}]}},{"index":1,"text":"none","finish":"length","answer":null,"group":null,"kind":"no answer","correct":false,"reward":null,"weight":0,"tokens":4,"toolTokens":0,"rewardTokens":0,"tool":{"verdict":"unknown","programs":[]}}],"greedy":{"answer":"540","correct":true},"milliseconds":1201.5}';
    expect(JSON.stringify(recordSchema.parse(JSON.parse(written)))).toBe(written);
  });

  test('keep the word for what was not asked; an opinion is never skipped', () => {
    const [record] = early.slice(1);
    if (!record) throw new Error('no record');
    const skipped = withCandidates(record, (candidate) => ({ ...candidate, reward: 'skipped' }));
    expect(recordSchema.parse(skipped)).toEqual(skipped);
    const wrong = withCandidates(record, (candidate) => ({
      ...candidate,
      tool: { ...candidate.tool, checks: [{ text: '', verdict: 'skipped' as 'unknown' }] },
    }));
    expect(recordSchema.safeParse(wrong).success).toBe(false);
  });
});

describe('figures', () => {
  test('of a run whose problems got the same are those that they were', async () => {
    const { fewest, samples, skipped, partial, leftOut, curve, adaptive, verdicts } = await summarized(whole);
    expect({ fewest, samples, skipped, partial, leftOut }).toEqual({
      fewest: 8,
      samples: 8,
      skipped: { tool: 0, reward: 0 },
      partial: {},
      leftOut: {},
    });
    expect(curve.map(({ smaller }) => smaller)).toEqual([0, 0, 0, 0]);
    expect(adaptive).not.toBeNull();
    expect(verdicts.skipped).toEqual({ right: 0, wrong: 0 });
    const all = whole.flatMap(({ candidates }) => candidates);
    expect(curve[1]?.tokens.tool).toBeCloseTo(
      (2 * all.reduce((sum, each) => sum + each.toolTokens, 0)) / all.length,
      9,
    );
  });

  test('of a run that stopped early', async () => {
    const summary = await summarized(early);
    expect([summary.fewest, summary.samples]).toEqual([2, 8]);
    expect(summary.curve.map(({ n, smaller }) => [n, smaller])).toEqual([
      [1, 0],
      [2, 0],
      [4, 8],
      [8, 16],
    ]);
    const skipped = early.flatMap(({ candidates }) => candidates.filter(({ tool }) => tool.verdict === 'skipped'));
    expect(skipped).toHaveLength(8);
    expect(summary.skipped).toEqual({ tool: 8, reward: 0 });
    expect(summary.verdicts.skipped.right + summary.verdicts.skipped.wrong).toBe(8);
    expect(summary.verdicts.unknown).toEqual({ right: 0, wrong: 0 });
    expect(summary.quality?.judges.tool?.skipped).toBe(8);
    expect(summary.partial.weighted).toBe(8);
    expect(summary.partial.majority).toBeUndefined();
    // of an N that cuts a pool with a gap there is no figure; from 4 on, those are whole
    expect(summary.curve.map(({ strategies }) => strategies.weighted !== undefined)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(summary.curve.every(({ strategies }) => strategies.majority !== undefined)).toBe(true);
    expect(summary.adaptive).toBeNull(); // what was not asked cannot be played
    expect(summary.asRun?.candidates).toBeCloseTo((2 + 4 + 8) / 3, 12);
    expect(summary.asRun?.accuracy).toBe(early.filter(({ correct }) => correct).length / 24);
    expect(summary.curve.at(-1)?.tokens.solver).toBeCloseTo((574 * (2 + 4 + 8)) / 3, 9);
    const rows = early.map(rowOf);
    for (const name of ['weighted', 'majority', 'reward', 'tool', 'best-of-n', 'oracle'] as const) {
      const right = rows.filter((row) => row.right[name] === 1).length;
      expect(right / 24, name).toBeCloseTo(summary.strategies[name]?.accuracy ?? -1, 12);
    }
  });

  test('without any verdict the strategies that need one are left out, and nothing is compared with them', async () => {
    const bare = whole.map((record) => withCandidates(record, unasked));
    const summary = await summarized(bare);
    expect(Object.keys(summary.leftOut).sort()).toEqual(['best-of-n', 'tool', 'weighted']);
    expect([summary.t1OverMajority, summary.adaptive, summary.strategies.weighted]).toEqual([null, null, undefined]);
    expect(summary.strategies.majority).toEqual((await summarized(whole)).strategies.majority);
    const { strategies } = await pageDataOf({ manifest, effort: syntheticEffort }, bare);
    expect(Object.keys(strategies)).toEqual(['majority', 'reward', 'oracle']);
    expect(Object.keys((await pageDataOf({ manifest, effort: syntheticEffort }, [])).strategies)).toHaveLength(6);
  });

  test('looks of the tool are kept, so that a policy can be played', () => {
    const program = (stdout: string, status = 'ok') => ({ code: '', status, stdout });
    const [record] = whole;
    if (!record) throw new Error('no record');
    const programs = [program('True\n'), program('maybe'), program('True', 'error'), program('False')];
    const [candidate] = toPool(
      withCandidates(record, (each) => ({ ...each, tool: { verdict: 'pass', programs } })),
    ).candidates;
    expect(candidate).toMatchObject({
      opinions: ['pass', 'unknown', 'unknown', 'fail'],
      toolTokens: 611,
      rewardTokens: 0,
    });
    const [bare] = toPool(withCandidates(record, unasked)).candidates;
    expect([bare?.opinions, bare?.tool]).toEqual([undefined, 'skipped']);
  });
});

describe('tables for people', () => {
  test('of a run', async () => {
    const text = summaryTable(await summarized(early), 'runs/x');
    expect(text).toMatch(/│ 2 +│/);
    expect(text).toMatch(/│ ≤ 4 +│/);
    expect(text).toContain('Problems have 2 to 8 candidates; ≤ N: of those with fewer than N, all are taken.');
    expect(text).toContain('it was not asked about 8 (skipped)');
    expect(text).toMatch(/\]\* /);
    expect(text).toContain('* partial: something that the strategy looks at was skipped (');
    expect(text).toMatch(/T1 in 8.* of 24 pools/);
    expect(text).toContain('This run answered');
    const plain = summaryTable(await summarized(whole), 'runs/x');
    expect(plain).not.toMatch(/skipped|partial|≤|\*/);
  });

  test('of a problem', () => {
    const [, record] = early;
    if (!record) throw new Error('no record');
    const { candidates, answer, chosen, verified, problem } = record;
    const result = {
      problem,
      answer,
      chosen,
      verified,
      select: 'weighted',
      fallback: null,
      candidates: candidates.map((each, i) => ({
        ...each,
        reward: i === 0 ? 'skipped' : each.reward,
        generatedTokens: 1,
      })),
      missingModules: {},
      usage: { generatedTokens: 1, decodedTokens: 1 },
      cache: { hits: 0, misses: 0 },
      timing: { total: 1 },
    } as unknown as SolveResult;
    const text = solveTable(result);
    expect(text).toMatch(/of 4 candidates passed the tool, 1 was not asked about \(skipped\)/);
    expect(text.match(/│ skipped/g)).toHaveLength(2); // a verdict and a reward
    expect(text).not.toContain('NaN');
  });

  test('of t1 select', () => {
    const accuracy = { accuracy: 0.5, low: 0.25, high: 0.75 };
    const text = selectTable({
      n: 8,
      smaller: 3,
      problems: 5,
      seeds: 2,
      skipped: { tool: 4, reward: 2 },
      partial: { weighted: 3 },
      strategies: { majority: accuracy, weighted: accuracy },
      leftOut: { greedy: 'not every problem has a greedy answer' },
      fallback: 'reward',
      unknown: 'fail',
      subsets: 200,
      interval: { level: 0.95, method: 'bootstrap', resamples: 10, seed: 0 },
      curve: [
        { n: 1, smaller: 0, strategies: { majority: accuracy }, costs: {} },
        { n: 8, smaller: 3, strategies: { majority: accuracy, weighted: accuracy }, costs: {} },
      ],
    });
    expect(text).toMatch(/^5 problems × 2 seeds, N ≤ 8;/);
    expect(text).toMatch(/│ weighted\* +│ +– │ 50\.0/);
    expect(text).toContain('3 of 10 pools have fewer than 8 candidates: all of theirs are taken');
    expect(text).toContain('skipped: the tool was not asked about 4 candidates with an answer, the reward about 2');
    expect(text).toContain('weighted in 3 of 10 pools');
  });
});

describe('pages', () => {
  test('say skipped in a word of its own, and mark what is partial', async () => {
    const markup = overviewOf(await summarized(early)).text;
    expect(markup).toContain('<span class="verdict skipped">skipped</span>');
    const text = textOf(markup);
    expect(text).toContain('2 to 8 candidates of each problem');
    expect(text).toContain('the tool was not asked about 8 candidates, the reward about 0 (skipped)');
    expect(text).toMatch(/T1\* \d/);
    expect(text).toContain('of 24 with fewer');
    expect(text).toContain('not asked');
    expect(textOf(overviewOf(await summarized(whole)).text)).not.toMatch(/\*|with fewer|not asked about/);
  });

  test('a problem says of each strategy whether it chose with what there is', () => {
    const [full, partly] = early;
    if (!full || !partly) throw new Error('no records');
    const of = (record: RunRecord) =>
      Object.fromEntries(
        problemOf(record, manifest.configuration).decisions.map(({ name, partial }) => [name, partial]),
      );
    expect(Object.values(of(full))).toEqual([false, false, false, false, false, false]);
    expect(of(partly)).toMatchObject({
      'as run': true,
      T1: true,
      'tool only': true,
      majority: false,
      'reward only': false,
    });
  });
});

describe('comparisons', () => {
  const run = (records: readonly RunRecord[]) => ({ manifest, records });

  test('say in how many records of either run a strategy chose with what there is', () => {
    const { strategies, asRun, leftOut } = compareRuns(run(early), run(whole));
    expect(strategies.weighted?.partial).toEqual({ a: 8, b: 0 });
    expect(strategies.majority?.partial).toEqual({ a: 0, b: 0 });
    expect([asRun.a, leftOut]).toEqual([early.filter(({ correct }) => correct).length / 24, {}]);
  });

  test('leave out what one run has no verdicts for', () => {
    const { strategies, leftOut } = compareRuns(
      run(whole),
      run(whole.map((record) => withCandidates(record, unasked))),
    );
    expect(Object.keys(strategies)).toEqual(['majority', 'reward']);
    expect(leftOut.weighted).toBe('of B no candidate has a verdict of the tool');
  });
});

describe('a card of the page', () => {
  /** As much of a document as cards need. */
  class Element {
    readonly attributes: Record<string, string> = {};
    readonly children: (Element | string)[] = [];
    readonly style = { setProperty: () => undefined };
    constructor(readonly tag: string) {}
    setAttribute(name: string, value: string): void {
      this.attributes[name] = value;
    }
    append(...children: (Element | string)[]): void {
      this.children.push(...children);
    }
    get text(): string {
      return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join('');
    }
    all(): Element[] {
      return [this, ...this.children.flatMap((child) => (typeof child === 'string' ? [] : child.all()))];
    }
  }

  afterEach(() => vi.unstubAllGlobals());

  test('says skipped with a sign of its own, for verdict and reward, and never a number', () => {
    vi.stubGlobal('document', { createElement: (tag: string) => new Element(tag) });
    const [, record] = early;
    const candidate = record?.candidates.at(-1);
    if (!candidate) throw new Error('no candidate');
    const signs = (of: Candidate) =>
      (candidateCard(of, 0, false) as unknown as Element)
        .all()
        .filter(({ attributes }) => attributes['class']?.startsWith('verdict '))
        .map(({ attributes, text }) => [attributes['class'], attributes['title'], text]);
    const sign = ['verdict skipped', 'it was not asked: the answer was settled without it', 'skipped'];
    expect(signs({ ...candidate, reward: 'skipped' })).toEqual([sign, sign]);
    expect(signs({ ...candidate, reward: 0.5, tool: { verdict: 'unknown', programs: [] } })).toEqual([
      ['verdict unknown', 'it was asked and could not say', 'unknown'],
    ]);
    expect((candidateCard({ ...candidate, reward: 'skipped' }, 0, false) as unknown as Element).text).not.toContain(
      'NaN',
    );
  });
});
