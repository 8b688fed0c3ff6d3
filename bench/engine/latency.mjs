/**
 * When candidates come: the first one, and percentiles of all, as N and the prompt grow; lengths have a long tail. And
 * how long an interactive job waits for its first token while a sweep runs.
 */
import { inChild } from '../lib/child.mjs';
import { buildPeer } from '../lib/peers.mjs';
import { median } from '../lib/statistics.mjs';
import { longTailed, randomTokens } from '../lib/tokens.mjs';

export const sizes = {
  samples: [1, 16, 64],
  prompts: [50, 200, 400],
  median: 24,
  sigma: 0.8,
  longest: 128,
  sweep: 64,
  sweepTokens: 400,
  probes: 8,
  probe: 40,
};
export const quick = { samples: [8, 32], prompts: [50, 200], median: 8, longest: 32, sweepTokens: 300, probes: 3 };

/** Our part alone, beside an older build. */
export const own = (bench) => ({
  'interactive jobs during a sweep': {
    name: 'interactive',
    input: interactiveInput(bench),
    rate: (firsts) => 1 / median(firsts.map(({ seconds }) => seconds)),
  },
});

export async function run(bench) {
  const {
    sizes: { samples, prompts },
  } = bench;
  const most = Math.max(...samples);
  const middle = prompts[Math.floor(prompts.length / 2)];
  const points = [
    ...samples.map((n) => ({ n, prompt: middle })),
    ...prompts.filter((prompt) => prompt !== middle).map((prompt) => ({ n: most, prompt })),
  ];
  const rows = [];
  for (const point of points) rows.push({ ...point, ...(await latenciesOf(bench, point)) });
  const firsts = await interactive(bench);
  const decodes = firsts.map((first) => first.decodes);
  const text = ({ first, p50, p95, p99 }) => [first, p50, p95, p99].map((value) => value.toFixed(2)).join(' / ');
  return {
    figures: { samples: rows, interactive: firsts },
    bars: [
      {
        name: `decodes until an interactive job's first token, sweep of ${bench.sizes.sweep}`,
        value: Math.max(...decodes),
        atMost: 2,
      },
    ],
    table: [
      ['seconds: first / p50 / p95 / p99', 't1', 'llama-server'],
      ...rows.map(({ n, prompt, t1, 'llama-server': server }) => [`N=${n}, prompt ${prompt}`, text(t1), text(server)]),
      ['interactive, median seconds to the first token', median(firsts.map((first) => first.seconds)).toFixed(2), '-'],
    ],
  };
}

/** Medians over the rounds of each figure, for both contestants. */
async function latenciesOf({ model, sizes, rounds, threads, say }, { n, prompt }) {
  const lengths = longTailed({
    count: n,
    median: sizes.median,
    sigma: sizes.sigma,
    least: 2,
    most: sizes.longest,
    seed: 3,
  });
  const tokens = randomTokens(model, prompt, 1);
  const common = { path: model.path, threads, temperature: model.temperature };
  const server = {
    binary: buildPeer('llama-server'),
    path: model.path,
    threads,
    slots: n,
    slotTokens: prompt + sizes.longest,
    unified: false,
    more: ['--cache-ram', '0'],
  };
  const contestants = {
    t1: ['t1', 'jobs', { jobs: lengths.map((maxTokens) => ({ tokens, samples: 1, maxTokens })) }],
    'llama-server': ['llama-server', 'requests', { server, problems: [{ tokens, lengths }], ownSlots: false }],
  };
  const all = { t1: [], 'llama-server': [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, [file, task, input]] of Object.entries(contestants)) {
      const { latencies } = await inChild(new URL(`../contestants/${file}.mjs`, import.meta.url), task, {
        ...common,
        ...input,
      });
      all[name].push(percentiles(latencies));
      say(`N=${n}, prompt ${prompt}, round ${round + 1}: ${name}, first after ${all[name].at(-1).first.toFixed(2)} s`);
    }
  }
  const medians = (list) =>
    Object.fromEntries(Object.keys(list[0]).map((field) => [field, median(list.map((each) => each[field]))]));
  return Object.fromEntries(Object.entries(all).map(([name, list]) => [name, medians(list)]));
}

function percentiles(latencies) {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  return { first: sorted[0], p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

const interactiveInput = ({ model, sizes: { sweep, sweepTokens, probes, probe }, threads }) => ({
  path: model.path,
  threads,
  temperature: model.temperature,
  sweep: { tokens: randomTokens(model, 100, 4), samples: sweep, maxTokens: sweepTokens },
  probes: Array.from({ length: probes }, (_, i) => randomTokens(model, probe, 50 + i)),
});

async function interactive(bench) {
  bench.say(`${bench.sizes.probes} interactive jobs during a sweep of ${bench.sizes.sweep}`);
  return inChild(new URL('../contestants/t1.mjs', import.meta.url), 'interactive', interactiveInput(bench));
}
