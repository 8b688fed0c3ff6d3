/** `t1 runs`: what has been run, with which figures, and how two runs differ; `t1 retry` goes on with one. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { compareRuns, type RunDifference, type StrategyDifference } from '../runs/compare-runs.js';
import { RUN_FILE, recordsOf, RunFile } from '../runs/run-file.js';
import { strategyTitles } from '../statistics/strategies.js';
import { summaryOf } from '../runs/run-summary.js';
import type { SelectorName } from '../select/select.js';
import { command } from './command.js';
import { summaryTable } from './eval-table.js';
import { jsonFlag } from './flags.js';
import { jsonLine } from './json.js';
import { RUNS_FOLDER } from '../evaluate.js';

export const runsCommand = command({
  flags: {
    folder: { type: z.string().min(1).default(RUNS_FOLDER), group: 'Options', help: 'where ls looks' },
    ...jsonFlag,
  },
  words: {
    what: { type: z.enum(['ls', 'show', 'compare', 'export']), group: 'Options', help: 'what to do' },
    runs: { type: z.array(z.string()).default([]), group: 'Options', help: 'folders of runs' },
  },
  run: async ({ flags: { folder, json }, words: { what, runs } }) => {
    if (what === 'ls') list(folder, json);
    else if (what === 'compare') compare(named(runs, 2), json);
    else if (what === 'show') await show(named(runs, 1)[0] ?? '', json);
    else exportRun(named(runs, 1)[0] ?? '');
  },
});

function named(runs: readonly string[], count: number): readonly string[] {
  if (runs.length === count) return runs;
  throw new T1Error('USAGE', `name ${count === 1 ? 'one run' : 'two runs'}: their folders`);
}

function list(folder: string, json: boolean): void {
  const folders = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => existsSync(join(folder, name, RUN_FILE)))
        .sort()
    : [];
  const rows = folders.map((name) => {
    using run = RunFile.open(join(folder, name));
    const { task, model, startedAt } = run.manifest;
    return {
      run: join(folder, name),
      task: task.name,
      model: model.name,
      problems: run.done(true).size,
      of: recordsOf(run.manifest),
      startedAt,
    };
  });
  if (json) return void process.stdout.write(jsonLine('runs ls', { runs: rows }));
  const table = new Table({ head: ['run', 'task', 'model', 'problems', 'started'], style: { head: [], border: [] } });
  for (const row of rows) table.push([row.run, row.task, row.model, `${row.problems}/${row.of}`, row.startedAt]);
  process.stdout.write(rows.length === 0 ? `no run in ${folder}: t1 eval makes one\n` : `${table.toString()}\n`);
}

async function show(folder: string, json: boolean): Promise<void> {
  using run = RunFile.open(folder);
  const summary = await summaryOf(run);
  if (json) return void process.stdout.write(jsonLine('runs show', summary));
  const { command, configuration, engine, hardware, packageVersion, startedAt, task, model } = summary.manifest;
  const failures = [...run.records()].flatMap((record) =>
    record.outcome === 'failed' ? [`  ${record.id}: ${record.code}: ${record.message}`] : [],
  );
  process.stdout.write(
    [
      summaryTable(summary, folder).trimEnd(),
      `Command: t1 ${command.join(' ')}`,
      `Configuration: ${JSON.stringify(configuration)}`,
      `Data: ${task.source} sha256 ${task.sha256}`,
      `Model: ${model.path}, sha256 ${model.sha256}`,
      `Engine: ${engine}; t1 ${packageVersion}; ${JSON.stringify(hardware)}; started ${startedAt}`,
      ...(failures.length > 0 ? ['Failed:', ...failures] : []),
      '',
    ].join('\n'),
  );
}

function compare(folders: readonly string[], json: boolean): void {
  const [a, b] = folders.map((folder) => {
    using run = RunFile.open(folder);
    return { folder, manifest: run.manifest, records: [...run.records()] };
  });
  if (!a || !b) return;
  const result = compareRuns(a, b);
  if (json) return void process.stdout.write(jsonLine('runs compare', result));
  const table = new Table({ head: ['right in %', 'A', 'B', 'A − B'], style: { head: [], border: [] } });
  const points = (share: number): string => (100 * share).toFixed(1);
  const row = (name: string, { a: one, b: other, difference, low, high }: RunDifference) =>
    table.push([name, points(one), points(other), `${points(difference)} [${points(low)}, ${points(high)}]`]);
  row('as run', result.asRun);
  const titleOf = (name: string): string => strategyTitles[name as SelectorName];
  const isPartial = ({ partial }: StrategyDifference): boolean => partial.a + partial.b > 0;
  const strategies = Object.entries(result.strategies);
  for (const [name, difference] of strategies) row(`${titleOf(name)}${isPartial(difference) ? '*' : ''}`, difference);
  const ids = (all: readonly string[]): string =>
    `${all.length}${all.length > 0 ? ` (${all.slice(0, 20).join(', ')}${all.length > 20 ? ', …' : ''})` : ''}`;
  process.stdout.write(
    [
      `A: ${a.folder}, ${a.manifest.model.name}`,
      `B: ${b.folder}, ${b.manifest.model.name}`,
      `${result.problems} problems in both; right in both: ${result.both}; only in A: ${ids(result.onlyA)}; only in B: ${ids(result.onlyB)}`,
      table.toString(),
      'With 95 % intervals of the difference, paired over problems.',
      ...(strategies.some(([, difference]) => isPartial(difference))
        ? ['* partial: something that the strategy looks at was skipped: it chose with what there is.']
        : []),
      ...Object.entries(result.leftOut).map(([name, why]) => `Left out: ${titleOf(name)}, because ${why}.`),
      '',
    ].join('\n'),
  );
}

function exportRun(folder: string): void {
  using run = RunFile.open(folder);
  for (const record of run.records()) process.stdout.write(jsonLine('runs export', record));
}
