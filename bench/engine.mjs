/**
 * The engine beside its peers, which are built from the same llama.cpp: all in one run, in turn, several rounds; ratios
 * of medians, and whether they reach the bars. What each case measures: bench/README.md and the heads of engine/*.mjs.
 *
 *   npm run bench -- engine [--cases one-prompt,…] [--models smol-q8,FILE.gguf,…|all] [--rounds 3] [--quick] [--threads CORES]
 *                           [--set CASE.SIZE=VALUE …] [--out FOLDER] [--against DIR]
 *
 * --quick: small sizes, one round, results in build/bench instead of bench/results: whether it runs, not how fast.
 * --against: instead of peers, an older checkout that is built: whether a case has become slower, 5 rounds in turn
 * --set: a size of a case, for example --set one-prompt.samples=8,64 --set pipeline.rationale=64
 */
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEngine } from '../dist/index.js';
import { against, olderBuild } from './lib/against.mjs';
import { BenchError, benchmark } from './lib/bench-error.mjs';
import { drawChart } from './lib/chart.mjs';
import { checkModel, MODEL_NAMES, prepareModel } from './lib/models.mjs';
import { recordModel, root } from './lib/record.mjs';
import * as accepted from './engine/accepted.mjs';
import * as latency from './engine/latency.mjs';
import * as manyProblems from './engine/many-problems.mjs';
import * as memory from './engine/memory.mjs';
import * as onePrompt from './engine/one-prompt.mjs';
import * as pipeline from './engine/pipeline.mjs';
import * as scoring from './engine/scoring.mjs';
import * as session from './engine/session.mjs';

/**
 * Each has `sizes`, those that are smaller in a `quick` run, and `run`; those with a speed `own`, what our engine alone
 * does in it.
 */
const CASES = {
  'one-prompt': onePrompt,
  'many-problems': manyProblems,
  pipeline,
  scoring,
  latency,
  memory,
  accepted,
  session,
};

/** A case that uses the model that ships, whatever `--models` says. */
const OWN_MODEL = { accepted: 'tiny', session: 'tiny' };

function settings() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      models: { type: 'string', default: 'smol-q8' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      threads: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
      against: { type: 'string' },
    },
  });
  const cases = (values.cases ?? standardCases(values.against !== undefined)).split(',');
  const unknown = cases.filter((name) => !Object.hasOwn(CASES, name));
  if (unknown.length > 0)
    throw new BenchError(`--cases: no case named '${unknown.join(', ')}'; there are ${Object.keys(CASES).join(', ')}`);
  const speedless = values.against === undefined ? [] : cases.filter((name) => !CASES[name].own);
  if (speedless.length > 0) throw new BenchError(`--against: '${speedless.join(', ')}' measures no speed`);
  const models = values.models === 'all' ? MODEL_NAMES : values.models.split(',');
  for (const name of models) checkModel(name);
  const own = sizesOf(values.set);
  const unused = Object.keys(own).filter((name) => !cases.includes(name));
  if (unused.length > 0) throw new BenchError(`--set: case '${unused.join(', ')}' does not run`);
  return {
    cases,
    models,
    own,
    quick: values.quick,
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : values.against === undefined ? '3' : '5')),
    threads: values.threads === undefined ? undefined : wholeNumber('--threads', values.threads),
    older: values.against === undefined ? undefined : olderBuild(values.against),
    out:
      values.out === undefined
        ? join(...(values.quick ? ['build', 'bench'] : ['bench', 'results']))
        : relative(root, values.out),
  };
}

const standardCases = (compared) =>
  Object.keys(CASES)
    .filter((name) => !compared || CASES[name].own)
    .join(',');

function wholeNumber(what, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new BenchError(`${what}: '${text}' is not a whole number above 0`);
  return Number(text);
}

/** @param {string[]} list of CASE.SIZE=VALUE @returns {Record<string, Record<string, number | number[]>>} */
function sizesOf(list) {
  const own = {};
  for (const text of list) {
    const [, name, size, value] = /^([^.]+)\.([^=]+)=(.+)$/.exec(text) ?? [];
    const standard = Object.hasOwn(CASES, name ?? '') ? CASES[name].sizes[size] : undefined;
    if (standard === undefined)
      throw new BenchError(`--set: '${text}' names no size of a case; for example one-prompt.samples=8,64`);
    const numbers = value.split(',').map(Number);
    if (numbers.some((number) => !(number >= 0)) || (!Array.isArray(standard) && numbers.length > 1))
      throw new BenchError(`--set: '${value}' is no value for ${name}.${size}`);
    (own[name] ??= {})[size] = Array.isArray(standard) ? numbers : numbers[0];
  }
  return own;
}

async function main() {
  const { cases, models, own, quick, rounds, threads, out, older } = settings();
  const begun = performance.now();
  const engine = await engineBuild();
  const bars = [];
  for (const name of cases) {
    const { sizes, quick: smaller, run, own: ours } = CASES[name];
    for (const modelName of OWN_MODEL[name] ? [OWN_MODEL[name]] : models) {
      const model = prepareModel(modelName);
      const started = performance.now();
      const bench = {
        model,
        sizes: { ...sizes, ...(quick ? smaller : {}), ...own[name] },
        rounds,
        threads: threads ?? model.threads ?? cpus().length,
        say: (line) => process.stderr.write(`${name}, ${model.name}: ${line}\n`),
      };
      const { figures, bars: reached, table } = older ? await against(bench, ours(bench), older) : await run(bench);
      const judged = reached.map((bar) => ({ ...bar, met: met(bar) }));
      const took = (performance.now() - started) / 1000;
      const [recorded, entry] = older ? ['against', `${name}, ${model.name}`] : [`engine-${name}`, model.name];
      const file = recordModel(out, recorded, entry, {
        engine,
        model: model.card,
        sizes: bench.sizes,
        rounds,
        threads: bench.threads,
        quick,
        seconds: took,
        bars: judged,
        ...figures,
      });
      bars.push(...judged.map((bar) => ({ ...bar, model: model.name })));
      console.log(`\n## ${name}, ${model.name} (${took.toFixed(0)} s, ${file})\n${columns(table)}`);
    }
  }
  const head = ['bar', 'model', 'value', 'wanted', ''];
  const rows = bars.map(({ name, model, value, atLeast, atMost, met: ok }) => [
    name,
    model,
    value === null ? '-' : value.toFixed(2),
    atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`,
    ok === null ? 'cannot be told' : ok ? 'met' : 'MISSED',
  ]);
  console.log(`\n## bars${quick ? ' (quick: the figures mean nothing)' : ''}\n${columns([head, ...rows])}`);
  console.log(`\n${older ? 'all' : drawChart(out)}, ${((performance.now() - begun) / 60_000).toFixed(1)} minutes`);
}

/** Release of llama.cpp, whether it was built here, and what decodes. */
async function engineBuild() {
  const engine = await loadEngine({ path: prepareModel('tiny').path });
  try {
    return engine.build;
  } finally {
    await engine.dispose();
  }
}

const met = ({ value, atLeast, atMost }) =>
  value === null ? null : atLeast === undefined ? value <= atMost : value >= atLeast;

function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

await benchmark('engine', main);
