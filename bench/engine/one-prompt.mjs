/**
 * One prompt, N samples: beside llama-batched-bench (the limit), llama-server's `n_cmpl`, and node-llama-cpp's
 * sequences.
 */
import { contest } from '../lib/contest.mjs';
import { inChild } from '../lib/child.mjs';
import { buildPeer } from '../lib/peers.mjs';
import { randomTokens } from '../lib/tokens.mjs';

/**
 * `sequences`: numbers of samples that node-llama-cpp takes part in; it is slow. `barAt`: the number that is judged, in
 * all rounds; the others show how it grows.
 */
export const sizes = { samples: [1, 8, 32, 64, 128], prompt: 200, new: 64, sequences: [64], barAt: 64 };
export const quick = { samples: [1, 8, 64], prompt: 100, new: 8 };

/** A layout this far behind with so many samples is not tried with more: what it lacks grows with their number. */
const HOPELESS = { share: 0.65, samples: 32 };

const jobOf = ({ model, sizes: { prompt, new: maxTokens }, threads }, samples) => ({
  path: model.path,
  threads,
  temperature: model.temperature,
  jobs: [{ tokens: randomTokens(model, prompt, 1), samples, maxTokens }],
});

/** Our part alone, beside an older build. */
export const own = (bench) =>
  Object.fromEntries(bench.sizes.samples.map((n) => [`N=${n}`, { name: 'jobs', input: jobOf(bench, n) }]));

export async function run({
  model,
  sizes: { samples, prompt, new: maxTokens, sequences, barAt },
  rounds,
  threads,
  say,
}) {
  const binaries = { bench: buildPeer('llama-batched-bench'), server: buildPeer('llama-server') };
  const tokens = randomTokens(model, prompt, 1);
  const hopeless = new Set();
  const perN = {};
  for (const n of [...samples].sort((a, b) => a - b)) {
    const common = { path: model.path, threads, temperature: model.temperature, tokens, samples: n, maxTokens };
    const contestants = contestantsOf(common, binaries);
    if (!sequences.includes(n)) delete contestants['node-llama-cpp'];
    for (const [name, variants] of Object.entries(contestants))
      for (const variant of Object.keys(variants)) if (hopeless.has(`${name} ${variant}`)) delete variants[variant];
    const results = await contest({
      rounds: n === barAt ? rounds : Math.max(1, rounds - 1),
      contestants,
      say: (line) => say(`N=${n} ${line} tokens/s`),
    });
    if (results.t1.last.usage.promptTokens !== prompt)
      throw new Error(`the engine read ${results.t1.last.usage.promptTokens} prompt tokens, not ${prompt}`);
    for (const [name, { variants, rate }] of Object.entries(results)) {
      for (const [variant, rates] of Object.entries(variants))
        if (n >= HOPELESS.samples && rates[0] < HOPELESS.share * rate) hopeless.add(`${name} ${variant}`);
    }
    perN[n] = results;
  }
  return { figures: { tokensPerSecond: perN }, bars: barsOf(perN[barAt], barAt), table: tableOf(perN) };
}

function contestantsOf(common, binaries) {
  const slotTokens = common.tokens.length + common.maxTokens;
  const server = (unified) => ({
    binary: binaries.server,
    path: common.path,
    threads: common.threads,
    slots: common.samples,
    slotTokens,
    unified,
    more: ['--cache-ram', '0'],
  });
  const of = (file, name, more) => () =>
    inChild(new URL(`../contestants/${file}.mjs`, import.meta.url), name, { ...common, ...more });
  const { tokens, samples, maxTokens } = common;
  const limit = (unified) =>
    of('llama-batched-bench', 'decoding', { binary: binaries.bench, unified, promptTokens: tokens.length });
  return {
    t1: { '': of('t1', 'jobs', { jobs: [{ tokens, samples, maxTokens }] }) },
    'llama-batched-bench': { split: limit(false), unified: limit(true) },
    'llama-server': {
      split: of('llama-server', 'samples', { server: server(false) }),
      unified: of('llama-server', 'samples', { server: server(true) }),
    },
    'node-llama-cpp': { '': of('node-llama-cpp', 'samples', {}) },
  };
}

function barsOf(results, n) {
  if (!results) return [];
  const least = { 'llama-batched-bench': 0.95, 'llama-server': 1.2, 'node-llama-cpp': 5 };
  return Object.entries(least)
    .filter(([name]) => results[name])
    .map(([name, bar]) => ({
      name: `N=${n}: speed over ${name}`,
      value: results.t1.rate / results[name].rate,
      atLeast: bar,
    }));
}

function tableOf(perN) {
  const names = [...new Set(Object.values(perN).flatMap((results) => Object.keys(results)))];
  const head = ['tokens/s, prefill included', ...Object.keys(perN).map((n) => `N=${n}`)];
  return [
    head,
    ...names.map((name) => [
      name,
      ...Object.values(perN).map((results) =>
        results[name] ? `${results[name].rate.toFixed(1)} ${results[name].best}`.trim() : '-',
      ),
    ]),
  ];
}
