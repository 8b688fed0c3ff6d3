/**
 * One prompt, N samples: our engine beside llama-batched-bench (which samples nothing: the limit) and node-llama-cpp.
 * All run in turn, several rounds, on the same file; ratios of medians.
 *
 *   node bench/engine.mjs [--n 64] [--prompt 200] [--new 64] [--rounds 3] [--threads CORES]
 */
import { existsSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPeer, peerSource, run } from './lib/peers.mjs';
import { SMOL_SHAPE, writeRandomModel } from './lib/random-model.mjs';
import { record, root } from './lib/record.mjs';
import { median } from './lib/statistics.mjs';

const { values: flags } = parseArgs({
  options: {
    n: { type: 'string', default: '64' },
    prompt: { type: 'string', default: '200' },
    new: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(cpus().length) },
  },
});
const { n, prompt, new: fresh, threads } = flags;
const total = Number(n) * Number(fresh);

const batchedBench = buildPeer('llama-batched-bench');
const model = join(root, 'build', 'peers', 'random-135m-q8_0.gguf');
if (!existsSync(model)) writeRandomModel(model, join(peerSource, 'models', 'ggml-vocab-llama-bpe.gguf'), SMOL_SHAPE);

/** Generated tokens per second, prefill included. */
const contestants = {
  t1: () => rate(run(process.execPath, [join(root, 'bench', 'lib', 'engine-t1.mjs'), model, n, prompt, fresh, threads])),
  'llama-batched-bench, split': () => batched([]),
  'llama-batched-bench, unified': () => batched(['-kvu']),
  'node-llama-cpp': () => rate(run(process.execPath, [join(root, 'bench', 'lib', 'engine-node-llama-cpp.mjs'), model, n, prompt, fresh, threads])),
};

function rate(output) {
  const { seconds, tokens } = JSON.parse(output.trim().split('\n').at(-1));
  return tokens / seconds;
}

function batched(extra) {
  const cells = String(Number(n) * (Number(prompt) + Number(fresh) + 8));
  const output = run(batchedBench, ['-m', model, '-c', cells, '-b', '2048', '-ub', '512', '-npp', prompt, '-ntg', fresh, '-npl', n, '-pps', '-t', threads, '--output-format', 'jsonl', ...extra]);
  const line = output.split('\n').find((text) => text.startsWith('{'));
  const { t_pp: prefill, t_tg: decode } = JSON.parse(line);
  return total / (prefill + decode);
}

const rates = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const [name, measure] of Object.entries(contestants)) {
    const value = measure();
    rates[name].push(value);
    process.stderr.write(`round ${round + 1}: ${name} ${value.toFixed(1)} tokens/s\n`);
  }
}
const medians = Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, median(values)]));
const limit = Math.max(medians['llama-batched-bench, split'], medians['llama-batched-bench, unified']);
const ratios = { 'llama-batched-bench, best': medians.t1 / limit, 'node-llama-cpp': medians.t1 / medians['node-llama-cpp'] };
const file = record('engine', {
  model: { shape: SMOL_SHAPE, bytes: statSync(model).size, type: 'Q8_0', vocabulary: 'llama-bpe' },
  samples: Number(n),
  promptTokens: Number(prompt),
  newTokens: Number(fresh),
  threads: Number(threads),
  tokensPerSecond: rates,
  medians,
  t1Over: ratios,
});
console.log(`generated tokens/s, prefill included, N=${n}, prompt ${prompt}, ${fresh} new tokens, median of ${flags.rounds}`);
for (const [name, value] of Object.entries(medians)) console.log(`${name.padEnd(30)} ${value.toFixed(1)}`);
for (const [name, value] of Object.entries(ratios)) console.log(`t1 / ${name.padEnd(25)} ${value.toFixed(2)}`);
console.log(file);
