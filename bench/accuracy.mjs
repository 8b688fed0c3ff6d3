/**
 * Accuracy of every strategy from one pool per problem, on held-out problems of the shipped model's generator.
 *
 *   node bench/accuracy.mjs [--problems 200] [--n-samples 16] [--seed 1] [--file models/tiny/heldout.jsonl] [--model PATH]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine, Sandbox, Store, select, selectors, solve } from '../dist/index.js';
import { sameAnswer } from '../dist/grade/normalize.js';
import { record, root } from './lib/record.mjs';
import { bootstrap } from './lib/statistics.mjs';

const { values: flags } = parseArgs({
  options: {
    problems: { type: 'string', default: '200' },
    'n-samples': { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    file: { type: 'string', default: join(root, 'models', 'tiny', 'heldout.jsonl') },
    model: { type: 'string', default: join(root, 'models', 't1-tiny.gguf') },
  },
});

const problems = readFileSync(flags.file, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .slice(0, Number(flags.problems))
  .map((line) => JSON.parse(line));
const samples = Number(flags['n-samples']);
const seed = Number(flags.seed);

const start = performance.now();
const engine = await Engine.load({ path: flags.model });
const sandbox = await Sandbox.start();
const store = Store.open(':memory:');

/** One row per problem: 1 or 0 for each strategy. @type {Record<string, number[]>} */
const outcomes = {};
const keep = (strategy, right) => (outcomes[strategy] ??= []).push(right ? 1 : 0);
const verdicts = { right: { pass: 0, fail: 0, unknown: 0 }, wrong: { pass: 0, fail: 0, unknown: 0 } };
const rewards = { right: [], wrong: [] };
let right = 0;
let total = 0;

for (const [done, { problem, answer: gold }] of problems.entries()) {
  const isRight = (answer) => answer !== null && sameAnswer(answer, gold);
  const greedy = await solve(problem, { engine, sandbox, store, samples: 1, temperature: 0, select: 'majority' }).result;
  keep('greedy', isRight(greedy.answer));
  const { candidates } = await solve(problem, { engine, sandbox, store, samples, seed }).result;
  for (const name of Object.keys(selectors)) keep(name, isRight(select(candidates, name, 'reward').answer));
  keep('oracle', candidates.some(({ answer }) => isRight(answer)));
  for (const { answer, tool, reward } of candidates) {
    const kind = isRight(answer) ? 'right' : 'wrong';
    verdicts[kind][tool.verdict]++;
    if (reward !== null) rewards[kind].push(reward);
    if (kind === 'right') right++;
    total++;
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${done + 1}/${problems.length}`);
}
const seconds = (performance.now() - start) / 1000;
await sandbox.dispose();
await engine.dispose();

const accuracy = Object.fromEntries(Object.entries(outcomes).map(([name, values]) => [name, bootstrap(values)]));
const minus = (a, b) => bootstrap(outcomes[a].map((value, i) => value - outcomes[b][i]));
const differences = {
  'weighted - majority': minus('weighted', 'majority'),
  'weighted - reward': minus('weighted', 'reward'),
  'weighted - tool': minus('weighted', 'tool'),
};
const file = record('accuracy', {
  model: { name: engine.model.name, bytes: engine.model.sizeBytes, build: engine.build },
  problems: problems.length,
  samples,
  seed,
  temperature: 0.8,
  seconds,
  accuracy,
  differences,
  sampleAccuracy: right / total,
  verdicts,
  rewardAuc: auc(rewards.right, rewards.wrong),
});

const percent = ({ mean, low, high }) => `${(100 * mean).toFixed(1)}% [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
console.log(`${problems.length} problems, N=${samples}, 95% bootstrap intervals`);
for (const [name, value] of Object.entries({ ...accuracy, ...differences })) console.log(`${name.padEnd(22)} ${percent(value)}`);
console.log(`verdicts of right candidates ${JSON.stringify(verdicts.right)}, of wrong ones ${JSON.stringify(verdicts.wrong)}`);
console.log(`${file}, ${seconds.toFixed(0)} s`);

/** Area under the ROC curve: how often a right candidate scores above a wrong one, ties half. */
function auc(positive, negative) {
  const sorted = Float64Array.from(negative).sort();
  const below = (value, orEqual) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (orEqual ? sorted[middle] <= value : sorted[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = positive.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0);
  return wins / (positive.length * negative.length);
}
