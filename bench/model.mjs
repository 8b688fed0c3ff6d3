/**
 * Everything the model card says of the shipped model, measured through the engine and the sandbox that ship.
 *
 *   npm run bench -- model [--problems 500] [--n-samples 16] [--seed N] [--model PATH]
 *                          [--adapter-tool PATH] [--adapter-reward PATH] [--only solving,steps,…]
 *
 * The seed draws the held-out problems and the samples; without one it is new every time and recorded. Needs python3
 * (standard library only) for the generator.
 */
import { readFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEngine, Sandbox, Store } from '../dist/index.js';
import { adapters } from './model/adapters.mjs';
import { arithmetic } from './model/arithmetic.mjs';
import { knowledge } from './model/knowledge.mjs';
import { families, plain, solving } from './model/solving.mjs';
import { steps } from './model/steps.mjs';
import { record, root } from './lib/record.mjs';

/** In this order: `steps` and `adapters` judge the solutions that `solving` sampled. */
const PARTS = { solving, steps, adapters, families, plain, knowledge, arithmetic };
const shipped = (name) => join(root, 'models', name);

const { values: flags } = parseArgs({
  options: {
    problems: { type: 'string', default: '500' },
    'n-samples': { type: 'string', default: '16' },
    seed: { type: 'string', default: String(randomInt(1_000_000, 1_000_000_000)) },
    model: { type: 'string', default: shipped('t1-tiny.gguf') },
    'adapter-tool': { type: 'string', default: shipped('t1-tiny-tool.gguf') },
    'adapter-reward': { type: 'string', default: shipped('t1-tiny-reward.gguf') },
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    out: { type: 'string', default: 'model' },
  },
});
const seed = Number(flags.seed);
if (seed < 1_000_000) throw new Error('--seed: seeds below 1000000 are the training data');
const wanted = flags.only.split(',');
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0)
  throw new Error(`--only: no part named ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
if (!wanted.includes('solving') && (wanted.includes('steps') || wanted.includes('adapters'))) {
  throw new Error('--only: steps and adapters judge what solving sampled, so name it too');
}

const start = performance.now();
const files = [
  { name: 'tool', path: flags['adapter-tool'] },
  { name: 'reward', path: flags['adapter-reward'] },
];
const engine = await loadEngine({ path: flags.model, adapters: files });
const sandbox = await Sandbox.start();
const store = Store.open(':memory:');
const bench = {
  engine,
  sandbox,
  store,
  seed,
  problems: Number(flags.problems),
  samples: Number(flags['n-samples']),
  plainFile: readFileSync(join(root, 'models', 'tiny', 'plain.jsonl'), 'utf8'),
  progress: (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`),
};
const results = {};
for (const [name, part] of Object.entries(PARTS)) {
  if (!wanted.includes(name)) continue;
  const begun = performance.now();
  results[name] = await part(bench);
  bench.progress('');
  console.log(
    `\n## ${name} (${((performance.now() - begun) / 1000).toFixed(0)} s)\n${JSON.stringify(results[name], rounded, 1)}`,
  );
}
store.close();
await sandbox.dispose();
await engine.dispose();
const seconds = (performance.now() - start) / 1000;
const file = record(flags.out, {
  model: { name: engine.model.name, bytes: engine.model.sizeBytes, build: engine.build },
  seed,
  problems: bench.problems,
  samples: bench.samples,
  temperature: 0.8,
  seconds,
  ...results,
});
console.log(`${file}, ${seconds.toFixed(0)} s`);

/** A figure with its interval on one line: "87.0 [82.5, 91.5]" per cent. */
function rounded(_, value) {
  if (typeof value === 'number' && !Number.isInteger(value)) return Number(value.toFixed(4));
  if (typeof value?.mean !== 'number') return value;
  const percent = (share) => (100 * share).toFixed(1);
  return `${percent(value.mean)} [${percent(value.low)}, ${percent(value.high)}]`;
}
