/** The token flow of T1, beside the same over llama-server's HTTP API with its prompt cache on. */
import { contest } from '../lib/contest.mjs';
import { inChild } from '../lib/child.mjs';
import { buildPeer } from '../lib/peers.mjs';
import { concat, randomTokens } from '../lib/tokens.mjs';

/**
 * Tokens of the problem, of what is asked about a candidate, and of what is generated: far shorter than the paper's
 * (574, 153, 554), so that it ends.
 */
export const sizes = {
  samples: 64,
  programs: 4,
  rationales: 8,
  problem: 200,
  question: 24,
  candidate: 48,
  program: 12,
  rationale: 20,
};
export const quick = { samples: 16, problem: 100, candidate: 16, program: 6, rationale: 8 };

export async function run({ model, sizes: size, rounds, threads, say }) {
  const binary = buildPeer('llama-server');
  const flows = flowsOf(size);
  const figures = {};
  const bars = [];
  const table = [
    ['', 't1, tokens/s', 'llama-server, tokens/s', 't1, prompt tokens', 'the least', 'llama-server, prompt tokens'],
  ];
  let ways = Object.keys(waysOf(size, 0));
  for (const [name, rationales] of Object.entries(flows)) {
    const contestants = contestantsOf({ model, size, rationales, threads, binary, ways });
    const { t1, 'llama-server': server } = await contest({
      rounds,
      contestants,
      say: (line) => say(`${name}: ${line} tokens/s`),
    });
    ways = [server.best]; // the longer flow only in the way that was best in the shorter one
    figures[name] = { t1, 'llama-server': server };
    bars.push(
      { name: `pipeline, ${name}: speed over llama-server`, value: t1.rate / server.rate, atLeast: 2 },
      {
        name: `pipeline, ${name}: prompt tokens over the least`,
        value: t1.last.usage.promptTokens / t1.last.leastPrefill,
        atMost: 1.05,
      },
    );
    table.push([
      name,
      t1.rate.toFixed(1),
      `${server.rate.toFixed(1)} ${server.best}`,
      ...[t1.last.usage.promptTokens, t1.last.leastPrefill, server.last.usage.promptTokens].map(String),
    ]);
  }
  return { figures, bars, table };
}

function inputOf({ model, sizes, threads }, rationales) {
  const { samples, programs, problem, question, candidate, program, rationale } = sizes;
  // Every question begins as the next turn of a chat does.
  const turn = randomTokens(model, 6, 1);
  const asked = (seed) => concat(turn, randomTokens(model, question - turn.length, seed));
  return {
    path: model.path,
    threads,
    temperature: model.temperature,
    problem: randomTokens(model, problem, 2),
    questions: { program: asked(3), rationale: asked(4), reward: asked(5) },
    samples,
    programs,
    rationales,
    lengths: { candidate, program, rationale },
    targets: Int32Array.of(model.lowestToken, model.lowestToken + 1), // stand for Yes and No
  };
}

const flowsOf = ({ rationales }) => ({ 'programs, reward': 0, 'programs, rationales, reward': rationales });

/** Our part alone, beside an older build. */
export const own = (bench) =>
  Object.fromEntries(
    Object.entries(flowsOf(bench.sizes)).map(([flow, rationales]) => [
      flow,
      { name: 'pipeline', input: inputOf(bench, rationales) },
    ]),
  );

function contestantsOf({ model, size, rationales, threads, binary, ways }) {
  const { problem, question, candidate, program, rationale } = size;
  const input = inputOf({ model, sizes: size, threads }, rationales);
  const child = (file, more) => () =>
    inChild(new URL(`../contestants/${file}.mjs`, import.meta.url), 'pipeline', { ...input, ...more });
  const slotTokens = problem + candidate + question + Math.max(program, rationale);
  const all = waysOf(size, rationales);
  const served = ([way, { slots, unified, ownSlots, more }]) => [
    way,
    child('llama-server', {
      ownSlots,
      server: { binary, path: model.path, threads, slots, slotTokens, unified, more },
    }),
  ];
  return {
    t1: { '': child('t1', {}) },
    'llama-server': Object.fromEntries(
      Object.entries(all)
        .filter(([way]) => ways.includes(way))
        .map(served),
    ),
  };
}

/** `more`: what the server does with idle slots would cost time where every candidate keeps its slot. */
function waysOf({ samples, programs }, rationales) {
  const together = Math.min(256, samples * Math.max(programs, rationales, 1));
  return Object.fromEntries(
    [false, true].flatMap((unified) => [
      [
        `${unified ? 'unified' : 'split'}, a slot for each candidate`,
        { slots: samples, unified, ownSlots: true, more: ['--cache-ram', '0'] },
      ],
      [`${unified ? 'unified' : 'split'}, n_cmpl`, { slots: together, unified, ownSlots: false, more: [] }],
    ]),
  );
}
