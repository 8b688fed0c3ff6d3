/**
 * What an adaptive budget spares with a model of one's own: the problems of a run with a fixed budget, solved again with
 * an adaptive one, one at a time, nothing taken from the cache. Goes on where it was interrupted.
 *
 *   npm run bench -- budgets --fixed FOLDER [--threads N] [--confidence 0.95]
 *
 * --fixed: folder of `t1 eval … --budget fixed`; model, problems and settings are those of that run. Its tokens are
 * counted from what it kept: every candidate, and the programs of every solution that is written differently.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { sameAnswer } from '../dist/grade/normalize.js';
import { createSolver } from '../dist/index.js';
import { tokensOfRecord } from '../dist/runs/record.js';
import { RunFile } from '../dist/runs/run-file.js';
import { ownValues } from '../dist/settings/setting.js';
import { solveSettings } from '../dist/settings/solve-settings.js';
import { bootstrapRatio, pairedBootstrap } from '../dist/statistics/bootstrap.js';
import { BenchError, benchmark } from './lib/bench-error.mjs';
import { recordModel } from './lib/record.mjs';

async function main() {
  const { values } = parseArgs({
    options: {
      fixed: { type: 'string' },
      threads: { type: 'string' },
      confidence: { type: 'string', default: '0.95' },
    },
  });
  if (values.fixed === undefined) throw new BenchError('--fixed: give the folder of a run with a fixed budget');
  const run = RunFile.open(values.fixed);
  const { configuration, model } = run.manifest;
  if (configuration.budget !== 'fixed') throw new BenchError(`--fixed: ${values.fixed} has an adaptive budget`);
  const records = [...run.records()].filter(({ outcome }) => outcome === 'solved');
  run[Symbol.dispose]();
  if (configuration.adapters?.length > 0 || configuration.rewardModel)
    throw new BenchError(
      `--fixed: ${values.fixed} has adapters or a reward model of its own, which it names by hash only`,
    );
  const { budget: _, confidence: __, ...settings } = ownValues(solveSettings, configuration);
  const confidence = Number(values.confidence);
  if (!(confidence >= 0.5 && confidence <= 1))
    throw new BenchError(`--confidence: '${values.confidence}' is not in [0.5, 1]`);
  const file = join(values.fixed, `adaptive-${confidence}.jsonl`);
  const done = new Map(
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map((line) => JSON.parse(line))
          .map((each) => [each.id, each])
      : [],
  );
  const open = records.filter(({ id }) => !done.has(id));
  if (open.length > 0) {
    const solver = await createSolver({
      model: model.path,
      database: false,
      ...(values.threads !== undefined && { threads: Number(values.threads) }),
      ...settings,
      budget: 'adaptive',
      confidence,
    });
    for (const { id, problem, gold } of open) {
      const start = performance.now();
      const { answer, verified, usage, candidates } = await solver.solve(problem);
      const each = {
        id,
        answer,
        verified,
        right: answer !== null && sameAnswer(answer, gold),
        tokens: usage.generatedTokens,
        candidates: candidates.length,
        seconds: (performance.now() - start) / 1000,
      };
      appendFileSync(file, `${JSON.stringify(each)}\n`);
      done.set(id, each);
      process.stderr.write(
        `${done.size} of ${records.length}: ${each.tokens} tokens, ${each.seconds.toFixed(0)} s, ${answer} (${gold})\n`,
      );
    }
    await solver.close();
  }
  report(records, done, { model, settings, confidence });
}

function report(records, done, { model, settings, confidence }) {
  const pairs = records.map((fixed) => ({ fixed, adaptive: done.get(fixed.id) }));
  const vector = (of) => Float64Array.from(pairs, of);
  const tokens = {
    fixed: vector(({ fixed }) => tokensOfRecord(fixed)),
    adaptive: vector(({ adaptive }) => adaptive.tokens),
  };
  const right = {
    fixed: vector(({ fixed }) => Number(fixed.correct === true)),
    adaptive: vector(({ adaptive }) => Number(adaptive.right)),
  };
  const shape = { problems: pairs.length, seeds: 1 };
  const ratio = bootstrapRatio(tokens.adaptive, tokens.fixed, shape, { seed: 1 });
  const difference = pairedBootstrap(right.adaptive, right.fixed, shape, { seed: 1 });
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const figures = {
    problems: pairs.length,
    settings,
    confidence,
    tokensRatio: ratio,
    tokens: { fixed: mean(tokens.fixed), adaptive: mean(tokens.adaptive) },
    accuracy: { fixed: mean(right.fixed), adaptive: mean(right.adaptive) },
    difference: { mean: difference.difference, low: difference.low, high: difference.high },
    sameAnswer: mean(vector(({ fixed, adaptive }) => Number(sameOrNone(fixed.answer, adaptive.answer)))),
    candidates: mean(vector(({ adaptive }) => adaptive.candidates)),
    seconds: mean(vector(({ adaptive }) => adaptive.seconds)),
  };
  const file = recordModel(join('bench', 'results'), 'budgets', model.name ?? basename(model.path), figures);
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  console.log(`\n## ${model.name}: ${pairs.length} problems (${file})`);
  console.log(`tokens, adaptive ÷ fixed: ${ratio.mean.toFixed(2)} [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`);
  console.log(
    `accuracy: fixed ${percent(figures.accuracy.fixed)}, adaptive ${percent(figures.accuracy.adaptive)}; difference ${percent(difference.difference)} [${percent(difference.low)}, ${percent(difference.high)}]`,
  );
  console.log(`same answer: ${percent(figures.sameAnswer)}; candidates: ${figures.candidates.toFixed(1)}`);
}

const sameOrNone = (one, other) => one === other || (one !== null && other !== null && sameAnswer(one, other));

await benchmark('budgets', main);
