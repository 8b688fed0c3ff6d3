/**
 * The engine beside its peers, which are built from the same llama.cpp: all in one run, in turn, several rounds; ratios
 * of medians, and whether they reach the bars. What each case measures: bench/README.md and the heads of engine/*.mjs.
 *
 *   npm run bench -- engine [--cases one-prompt,…] [--models smol-q8,…|all] [--rounds 3] [--quick] [--threads CORES]
 *                           [--set CASE.SIZE=VALUE …] [--out FOLDER]
 *
 * --quick: small sizes, one round, results in build/bench instead of bench/results: whether it runs, not how fast.
 * --set: a size of a case, for example --set one-prompt.samples=8,64 --set pipeline.rationale=64
 */
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEngine } from '../dist/index.js';
import { BenchError } from './lib/bench-error.mjs';
import { drawChart } from './lib/chart.mjs';
import { MODEL_NAMES, prepareModel } from './lib/models.mjs';
import { recordModel, root } from './lib/record.mjs';
import * as accepted from './engine/accepted.mjs';
import * as latency from './engine/latency.mjs';
import * as manyProblems from './engine/many-problems.mjs';
import * as memory from './engine/memory.mjs';
import * as onePrompt from './engine/one-prompt.mjs';
import * as pipeline from './engine/pipeline.mjs';
import * as scoring from './engine/scoring.mjs';

/** Each has `sizes`, those that are smaller in a `quick` run, and `run`. */
const CASES = { 'one-prompt': onePrompt, 'many-problems': manyProblems, pipeline, scoring, latency, memory, accepted };

/** A case that uses the model that ships, whatever `--models` says. */
const OWN_MODEL = { accepted: 'tiny' };

function settings() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: Object.keys(CASES).join(',') },
      models: { type: 'string', default: 'smol-q8' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      threads: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
    },
  });
  const cases = values.cases.split(',');
  const unknown = cases.filter((name) => !Object.hasOwn(CASES, name));
  if (unknown.length > 0)
    throw new BenchError(`--cases: no case named '${unknown.join(', ')}'; there are ${Object.keys(CASES).join(', ')}`);
  const models = values.models === 'all' ? MODEL_NAMES : values.models.split(',');
  const nameless = models.filter((name) => !MODEL_NAMES.includes(name));
  if (nameless.length > 0)
    throw new BenchError(
      `--models: no model named '${nameless.join(', ')}'; there are ${MODEL_NAMES.join(', ')}, and all`,
    );
  const own = sizesOf(values.set);
  const unused = Object.keys(own).filter((name) => !cases.includes(name));
  if (unused.length > 0) throw new BenchError(`--set: case '${unused.join(', ')}' does not run`);
  return {
    cases,
    models,
    own,
    quick: values.quick,
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : '3')),
    threads: values.threads === undefined ? undefined : wholeNumber('--threads', values.threads),
    out:
      values.out === undefined
        ? join(...(values.quick ? ['build', 'bench'] : ['bench', 'results']))
        : relative(root, values.out),
  };
}

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
  const { cases, models, own, quick, rounds, threads, out } = settings();
  const begun = performance.now();
  const engine = await engineBuild();
  const bars = [];
  for (const name of cases) {
    const { sizes, quick: smaller, run } = CASES[name];
    for (const modelName of OWN_MODEL[name] ? [OWN_MODEL[name]] : models) {
      const model = prepareModel(modelName);
      const started = performance.now();
      const bench = {
        model,
        sizes: { ...sizes, ...(quick ? smaller : {}), ...own[name] },
        rounds,
        threads: threads ?? model.threads ?? cpus().length,
        say: (line) => process.stderr.write(`${name}, ${modelName}: ${line}\n`),
      };
      const { figures, bars: reached, table } = await run(bench);
      const judged = reached.map((bar) => ({ ...bar, met: met(bar) }));
      const took = (performance.now() - started) / 1000;
      const file = recordModel(out, `engine-${name}`, modelName, {
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
      bars.push(...judged.map((bar) => ({ ...bar, model: modelName })));
      console.log(`\n## ${name}, ${modelName} (${took.toFixed(0)} s, ${file})\n${columns(table)}`);
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
  console.log(`\n${drawChart(out)}, ${((performance.now() - begun) / 60_000).toFixed(1)} minutes`);
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

try {
  await main();
} catch (error) {
  const usage = error instanceof BenchError || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(usage ? `bench engine: ${error.message.split('\n')[0]}` : error);
  process.exit(usage ? 2 : 1);
}
