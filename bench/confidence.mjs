/**
 * Does an adaptive budget keep the confidence that it states? Its decisions are played over recorded pools, candidate by
 * candidate and look by look, in random orders, looking after every event: how often it answers as the whole budget
 * does, by the confidence with which it stopped, and what it spares.
 *
 *   npm run bench -- confidence [--runs FOLDER,…] [--problems 500] [--orders 3] [--confidence 0.8,0.9,0.95,0.99]
 *
 * --runs: folders of `t1 eval` with a fixed budget; without any, a run of the model that ships on fresh problems is made
 * (python3; some minutes). Results: bench/results/confidence.json, one entry for each run, which the runs of other calls
 * keep.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { adaptivePolicy } from '../dist/budget/policy.js';
import { createSolver } from '../dist/index.js';
import { RunFile } from '../dist/runs/run-file.js';
import { toPool } from '../dist/runs/run-summary.js';
import { fallbackSelector, selectors } from '../dist/select/select.js';
import { poolsOf } from '../dist/statistics/pools.js';
import { simulatePolicy } from '../dist/statistics/simulate-policy.js';
import { BenchError, benchmark } from './lib/bench-error.mjs';
import { generate } from './lib/generator.mjs';
import { recordModel } from './lib/record.mjs';

/** Not those that the expectations were fitted to (5000001). */
const SEED = 6_000_001;
const OUT = join('bench', 'results');

async function main() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      problems: { type: 'string', default: '500' },
      orders: { type: 'string', default: '3' },
      confidence: { type: 'string', default: '0.8,0.9,0.95,0.99' },
    },
  });
  const confidences = values.confidence.split(',').map(Number);
  if (confidences.some((each) => !(each >= 0.5 && each < 1)))
    throw new BenchError(`--confidence: '${values.confidence}' are not numbers from 0.5 to below 1`);
  const orders = wholeNumber('--orders', values.orders);
  const own = values.runs === undefined ? mkdtempSync(join(tmpdir(), 't1-confidence-')) : undefined;
  try {
    const folders = own
      ? [await ownRun(own, wholeNumber('--problems', values.problems))]
      : (values.runs ?? '').split(',');
    for (const folder of folders) await play(folder, { orders, confidences });
  } finally {
    if (own) rmSync(own, { recursive: true });
  }
}

function wholeNumber(what, text) {
  if (!/^[1-9]\d*$/.test(text)) throw new BenchError(`${what}: '${text}' is not a whole number above 0`);
  return Number(text);
}

async function ownRun(folder, count) {
  const problems = generate('problems', '--seed', SEED, '--count', count);
  const task = join(folder, 'fresh.jsonl');
  writeFileSync(task, problems.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const solver = await createSolver({ database: false });
  process.stderr.write(`a run of ${count} fresh problems …\n`);
  await solver.evaluate(task, { samples: 16, folder: join(folder, 'fresh') });
  await solver.close();
  return join(folder, 'fresh');
}

async function play(folder, { orders, confidences }) {
  const run = RunFile.open(folder);
  const { model, configuration } = run.manifest;
  if (configuration.budget !== 'fixed') throw new BenchError(`--runs: ${folder} has an adaptive budget`);
  const records = [...run.records()].filter(({ outcome }) => outcome === 'solved');
  run[Symbol.dispose]();
  const pools = poolsOf(records.map(toPool));
  const looks = Math.max(
    ...pools.runs.flatMap(({ candidates }) => candidates.map(({ opinions }) => opinions?.length ?? 1)),
  );
  const { select, fallback, unknown, verifier, programRule, checkRule } = configuration;
  const rule = verifier === 'knowledge' ? checkRule : programRule;
  const plan = {
    candidates: pools.candidates,
    opinions: looks,
    rule,
    judgements: 1,
    strategy: selectors[select],
    otherwise: selectors[select].needsPass ? fallbackSelector(selectors[select], fallback) : null,
    unknown,
    reproducible: false,
  };
  const played = {};
  for (const confidence of confidences) {
    const policy = () => adaptivePolicy({ ...plan, confidence });
    played[confidence] = await simulatePolicy(pools, {
      strategy: select,
      fallback,
      unknown,
      rule,
      policy,
      orders,
    });
  }
  const name = `${model.name ?? basename(model.path)}, ${basename(folder)}`;
  const file = recordModel(OUT, 'confidence', name, {
    problems: records.length,
    candidates: pools.candidates,
    looks,
    orders,
    byConfidence: played,
  });
  console.log(`\n## ${name}: ${records.length} problems × ${pools.candidates}, ${looks} looks (${file})`);
  console.log('stated  same answer            tokens ÷ fixed         accuracy − fixed');
  for (const [confidence, { differs, tokensRatio, difference }] of Object.entries(played)) {
    const same = interval({ mean: 1 - differs.mean, low: 1 - differs.high, high: 1 - differs.low });
    console.log(
      [
        confidence.padEnd(7),
        same.padEnd(22),
        (tokensRatio ? interval(tokensRatio) : '-').padEnd(22),
        interval({ mean: difference.difference, ...difference }),
      ].join(' '),
    );
  }
}

const interval = ({ mean, value = mean, low, high }) => `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;

await benchmark('confidence', main);
