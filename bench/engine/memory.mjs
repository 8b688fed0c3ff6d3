/** Peak memory of a process that samples, beside weights and KV cache. Linux only. */
import { inChild } from '../lib/child.mjs';
import { BenchError } from '../lib/bench-error.mjs';
import { randomTokens } from '../lib/tokens.mjs';

export const sizes = { samples: 64, prompt: 200, new: 56 };
export const quick = { new: 8 };

export async function run({ model, sizes: { samples, prompt, new: maxTokens }, threads, say }) {
  if (process.platform !== 'linux')
    throw new BenchError('memory: reads /proc, so it runs on Linux only; leave it out with --cases');
  if (model.kvBytes === undefined)
    throw new BenchError('memory: what a token of this model takes is not known here; leave it out with --cases');
  say(`${samples} samples`);
  const input = {
    path: model.path,
    threads,
    temperature: model.temperature,
    tokens: randomTokens(model, prompt, 1),
    samples,
    maxTokens,
  };
  const measured = await inChild(new URL('../contestants/t1.mjs', import.meta.url), 'memory', input);
  const taken = measured.peak - measured.base;
  // As llama.cpp rounds a sequence. What the engine plans is more than that: room for the roles that come next.
  const needed = samples * Math.ceil((prompt + maxTokens) / 256) * 256 * model.kvBytes;
  const planned = measured.kvBytes === null ? null : model.bytes + measured.kvBytes;
  const mebibytes = (bytes) => (bytes === null ? '-' : (bytes / 2 ** 20).toFixed(0));
  return {
    figures: { ...measured, taken, weights: model.bytes, neededKv: needed, planned },
    // Null: this engine does not tell what it plans.
    bars: [
      {
        name: 'peak memory over weights and planned KV',
        value: planned === null ? null : taken / planned,
        atMost: 1.1,
      },
    ],
    table: [
      ['MiB', 'peak', 'weights', 'KV planned', 'KV these samples need', 'process before'],
      ['t1', ...[taken, model.bytes, measured.kvBytes, needed, measured.base].map(mebibytes)],
    ],
  };
}
