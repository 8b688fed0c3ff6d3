/**
 * Many problems, several samples of each, every one of its own length from a long-tailed distribution: continuous
 * batching. A length is forced by the most new tokens of a job (ours) or request (llama-server). `n_cmpl` cannot take
 * part: its samples all have the same limit.
 */
import { contest } from '../lib/contest.mjs';
import { inChild } from '../lib/child.mjs';
import { buildPeer } from '../lib/peers.mjs';
import { longTailed, randomTokens } from '../lib/tokens.mjs';

/** `slots`: llama-server's numbers of sequences; a pilot with every `pilot`th problem's samples chooses among them. */
export const sizes = { problems: 64, samples: 16, median: 12, sigma: 1, longest: 192, slots: [64, 128], pilot: 4 };
export const quick = { problems: 8, samples: 8, median: 6, longest: 48, slots: [32], pilot: 2 };

function problemsOf({ model, sizes: { problems: count, samples, median, sigma, longest } }) {
  const prompts = longTailed({ count, median: 150, sigma: 0.3, least: 100, most: 300, seed: 1 });
  const lengths = longTailed({ count: count * samples, median, sigma, least: 2, most: longest, seed: 2 });
  return prompts.map((length, i) => ({
    tokens: randomTokens(model, length, 100 + i),
    lengths: lengths.slice(i * samples, (i + 1) * samples),
  }));
}

/** A sample each. */
const jobsOf = (problems) =>
  problems.flatMap(({ tokens, lengths }) => lengths.map((maxTokens) => ({ tokens, samples: 1, maxTokens })));

/** Our part alone, beside an older build. */
export const own = (bench) => ({
  'many problems': {
    name: 'jobs',
    input: {
      path: bench.model.path,
      threads: bench.threads,
      temperature: bench.model.temperature,
      jobs: jobsOf(problemsOf(bench)),
    },
  },
});

export async function run({ model, sizes: size, rounds, threads, say }) {
  const { problems: count, samples, longest, slots, pilot } = size;
  const problems = problemsOf({ model, sizes: size });
  const prompts = problems.map(({ tokens }) => tokens.length);
  const lengths = problems.flatMap((each) => each.lengths);
  const fewer = problems.map(({ tokens, lengths: all }) => ({
    tokens,
    lengths: all.slice(0, Math.ceil(all.length / pilot)),
  }));
  const binary = buildPeer('llama-server');
  const slotTokens = Math.max(...prompts) + longest;
  const common = { path: model.path, threads, temperature: model.temperature };
  const child = (file, name, input) =>
    inChild(new URL(`../contestants/${file}.mjs`, import.meta.url), name, { ...common, ...input });

  const ways = waysOf(slots);
  const served = (way, list) => {
    const { slots: number, unified, ownSlots } = ways[way];
    // Its cache of prompts beside the slots only costs time here: every problem keeps its slots.
    const server = {
      binary,
      path: model.path,
      threads,
      slots: number,
      slotTokens,
      unified,
      more: ['--cache-ram', '0'],
    };
    return child('llama-server', 'requests', { server, problems: list, ownSlots });
  };
  const trial = await contest({
    rounds: 1,
    contestants: {
      'llama-server': Object.fromEntries(Object.keys(ways).map((way) => [way, () => served(way, fewer)])),
    },
    say: (line) => say(`pilot, ${line} tokens/s`),
  });
  const best = trial['llama-server'].best;
  const jobs = jobsOf(problems);
  const results = await contest({
    rounds,
    contestants: {
      t1: { '': () => child('t1', 'jobs', { jobs }) },
      'llama-server': { [best]: () => served(best, problems) },
    },
    say: (line) => say(`${line} tokens/s`),
  });
  const { usage, decoding } = results.t1.last;
  const bars = [
    {
      name: `${count} problems × ${samples}: speed over llama-server`,
      value: results.t1.rate / results['llama-server'].rate,
      atLeast: 1.3,
    },
    // Null: this engine does not count its decodes.
    {
      name: `${count} problems × ${samples}: rows per decode of the possible`,
      value: decoding?.share ?? null,
      atLeast: 0.9,
    },
  ];
  return {
    figures: {
      results,
      pilot: trial['llama-server'].variants,
      promptTokens: prompts.reduce((a, b) => a + b, 0),
      newTokens: lengths.reduce((a, b) => a + b, 0),
      longestOfAll: Math.max(...lengths),
    },
    bars,
    table: [
      ['', 'tokens/s', 'prompt tokens read'],
      ['t1', results.t1.rate.toFixed(1), String(usage.promptTokens)],
      [
        `llama-server, ${best}`,
        results['llama-server'].rate.toFixed(1),
        String(results['llama-server'].last.usage.promptTokens),
      ],
      ...(decoding ? [['t1, rows per decode', decoding.rowsPerDecode.toFixed(1), `${decoding.decodes} decodes`]] : []),
    ],
  };
}

function waysOf(slots) {
  const ways = {};
  for (const unified of [false, true]) {
    const layout = unified ? 'unified' : 'split';
    for (const number of slots) ways[`${layout}, ${number} slots`] = { slots: number, unified, ownSlots: true };
    ways[`${layout}, ${slots[0]} slots that the server chooses`] = { slots: slots[0], unified, ownSlots: false };
  }
  return ways;
}
