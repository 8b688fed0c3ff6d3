/**
 * Our engine. Each function runs in a process of its own (lib/child.mjs) and starts the clock when the weights and a
 * context are there.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSolver, loadEngine, Sandbox, Store } from '../../dist/index.js';
import { tokensOfCandidates } from '../../dist/runs/record.js';
import { RunFile } from '../../dist/runs/run-file.js';
import { sameAnswer } from '../../dist/grade/normalize.js';
import { concat, leastPrefill, withOtherStart } from '../lib/tokens.mjs';

const seconds = (start) => (performance.now() - start) / 1000;
const sampler = (temperature) => ({ temperature, topK: 0, topP: 1, minP: 0 });
const seeds = (count, first = 1) => Array.from({ length: count }, (_, i) => first + i);
/** An id that random prompts do not use. */
const OTHER = 299;

/**
 * Jobs at once.
 *
 * @param {{ path: string, threads: number, temperature: number, jobs: { tokens: Int32Array, samples: number, maxTokens:
 *   number }[] }} input
 * @returns tokens sampled a second, latencies of all samples since the jobs were handed over, and what the engine
 *   counted
 */
export async function jobs({ path, threads, temperature, jobs: list }) {
  const engine = await loadEngine({ path, threads, queueLimit: 4096 });
  await warmUp(engine, temperature, list);
  const before = engine.statistics?.();
  const latencies = [];
  const start = performance.now();
  const results = await Promise.all(
    list.map(({ tokens, samples, maxTokens }, i) =>
      engine.sample({
        prompts: [{ tokens, seeds: seeds(samples, 1 + 1000 * i) }],
        sampler: sampler(temperature),
        maxTokens,
        onSample: () => latencies.push(seconds(start)),
      }),
    ),
  );
  const took = seconds(start);
  const after = engine.statistics?.();
  const usage = total(results);
  await engine.dispose();
  return {
    rate: usage.generatedTokens / took,
    seconds: took,
    usage,
    decoding: decodingOf(before, after, usage),
    latencies,
  };
}

/**
 * The same jobs with other first tokens, until the first are being sampled: a context of their size, and nothing to
 * share.
 */
async function warmUp(engine, temperature, list) {
  const stop = new AbortController();
  await Promise.all(
    list.map(async ({ tokens, samples, maxTokens, reserve }) => {
      const prompts = [{ tokens: withOtherStart(tokens, OTHER), seeds: seeds(samples) }];
      try {
        await engine.sample({
          prompts,
          sampler: sampler(temperature),
          maxTokens,
          ...(reserve && { reserve }),
          signal: stop.signal,
          onProgress: ({ generatedTokens }) => generatedTokens > 0 && stop.abort(),
        });
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    }),
  );
}

/** Null where the engine does not count its decodes. */
function decodingOf(before, after, usage) {
  if (!before || !after) return null;
  const [decodes, rows, sequences, possible] = ['decodes', 'rows', 'sequences', 'possibleSequences'].map(
    (name) => after[name] - before[name],
  );
  return {
    decodes,
    rows,
    sequences,
    possible,
    rowsPerDecode: rows / decodes,
    share: sequences / possible,
    rowsOfUsage: usage.decodedTokens,
  };
}

function total(results) {
  const sum = { promptTokens: 0, sharedTokens: 0, generatedTokens: 0, decodedTokens: 0 };
  for (const { usage } of results) for (const name of Object.keys(sum)) sum[name] += usage[name];
  return sum;
}

/**
 * The token flow of T1: candidates; then for each of them programs, rationales and one reward read, all of which
 * continue the candidate's own tokens.
 */
export async function pipeline({
  path,
  threads,
  temperature,
  problem,
  questions,
  samples,
  programs,
  rationales,
  lengths,
  targets,
}) {
  const engine = await loadEngine({ path, threads });
  // What the verifiers will need, as `t1 solve` says it too.
  const reserve = {
    sequences: samples * Math.max(1, programs + rationales),
    tokens:
      problem.length + lengths.candidate + questions.program.length + Math.max(lengths.program, lengths.rationale),
  };
  await warmUp(engine, temperature, [{ tokens: problem, samples, maxTokens: lengths.candidate, reserve }]);
  const start = performance.now();
  const drawn = await engine.sample({
    prompts: [{ tokens: problem, seeds: seeds(samples) }],
    sampler: sampler(temperature),
    maxTokens: lengths.candidate,
    reserve,
  });
  const asked = (question) => drawn.samples.map(({ tokens }) => concat(problem, tokens, question));
  const continued = (question, count, maxTokens) =>
    count === 0
      ? []
      : [
          engine.sample({
            prompts: asked(question).map((tokens) => ({ tokens, seeds: seeds(count) })),
            sampler: sampler(temperature),
            maxTokens,
          }),
        ];
  const reward = engine.score({
    sequences: asked(questions.reward).map((tokens) => ({ tokens, positions: Int32Array.of(tokens.length - 1) })),
    targets,
  });
  const verified = await Promise.all([
    reward,
    ...continued(questions.program, programs, lengths.program),
    ...continued(questions.rationale, rationales, lengths.rationale),
  ]);
  const took = seconds(start);
  const usage = total([drawn, ...verified]);
  const used = [
    questions.reward,
    ...(programs > 0 ? [questions.program] : []),
    ...(rationales > 0 ? [questions.rationale] : []),
  ];
  const least = leastPrefill(
    [problem, ...used.flatMap(asked)],
    drawn.samples.map(({ tokens }) => ({ prompt: problem, tokens })),
  );
  await engine.dispose();
  return { rate: usage.generatedTokens / took, seconds: took, usage, leastPrefill: least };
}

/**
 * Scores candidates right after they were sampled, and reads the same from nothing in another engine, in turn.
 *
 * @returns seconds of each, and prompt tokens that each read
 */
export async function scoring({ path, threads, temperature, problem, samples, length, questions, targets }) {
  const engine = await loadEngine({ path, threads });
  const fresh = await loadEngine({ path, threads });
  const { samples: drawn } = await engine.sample({
    prompts: [{ tokens: problem, seeds: seeds(samples) }],
    sampler: sampler(temperature),
    maxTokens: length,
  });
  const read = async (by, sequences) => {
    const start = performance.now();
    const { usage } = await by.score({
      sequences: sequences.map((tokens) => ({ tokens, positions: Int32Array.of(tokens.length - 1) })),
      targets,
    });
    return { seconds: seconds(start), promptTokens: usage.promptTokens };
  };
  const asked = (question) => drawn.map(({ tokens }) => concat(problem, tokens, question));
  const [warm, ...timed] = questions;
  await read(fresh, asked(warm)); // weights and context
  const rounds = [];
  for (const [i, question] of timed.entries()) {
    const after = await read(engine, asked(question));
    // Another first token each time: what it has read before is of no use to it.
    const again = await read(
      fresh,
      asked(question).map((tokens) => withOtherStart(tokens, OTHER - i)),
    );
    rounds.push({ after, again });
  }
  const candidateTokens = drawn.reduce((sum, { tokens }) => sum + tokens.length, 0);
  await Promise.all([engine.dispose(), fresh.dispose()]);
  return { rounds, candidateTokens };
}

/** Interactive jobs, one after the other, while a sweep runs: decodes and seconds until each has its first token. */
export async function interactive({ path, threads, temperature, sweep, probes }) {
  const engine = await loadEngine({ path, threads });
  const stop = new AbortController();
  let running = true;
  let begun;
  const sampling = new Promise((resolve) => (begun = resolve));
  const job = engine
    .sample({
      prompts: [{ tokens: sweep.tokens, seeds: seeds(sweep.samples) }],
      sampler: sampler(temperature),
      maxTokens: sweep.maxTokens,
      signal: stop.signal,
      onProgress: ({ generatedTokens }) => generatedTokens > 0 && begun(),
    })
    .catch((error) => {
      if (!stop.signal.aborted) throw error;
    })
    .finally(() => {
      running = false;
      begun();
    });
  await sampling;
  const firsts = [];
  for (const tokens of probes) {
    const start = performance.now();
    const { firstTokenDecodes } = await engine.sample({
      prompts: [{ tokens, seeds: [1] }],
      sampler: sampler(temperature),
      maxTokens: 1,
      priority: 'interactive',
    });
    if (!running) throw new Error('the sweep ended before the last interactive job: make it longer');
    firsts.push({ decodes: firstTokenDecodes, seconds: seconds(start) });
  }
  stop.abort();
  await job;
  await engine.dispose();
  return firsts;
}

/** Peak memory of one job, bytes; `base` is this process with the vocabulary, before any weights. Linux only. */
export async function memory({ path, threads, temperature, tokens, samples, maxTokens }) {
  const engine = await loadEngine({ path, threads });
  const base = status('VmRSS');
  await engine.sample({ prompts: [{ tokens, seeds: seeds(samples) }], sampler: sampler(temperature), maxTokens });
  const [peak, anonymous, file] = ['VmHWM', 'RssAnon', 'RssFile'].map(status);
  const kvBytes = engine.statistics?.().kvBytes ?? null;
  await engine.dispose();
  return { base, peak, anonymous, file, kvBytes };
}

/** @param {string} field of /proc/self/status, kB there @returns {number} bytes */
function status(field) {
  const line = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`));
  return Number(line.split(/\s+/)[1]) * 1024;
}

/** Whole problems through `solve`: what each cost, and whether its answer was verified and right. */
export async function solving({ path, problems, samples, seed, atOnce }) {
  const solver = await createSolver({ model: path, database: false, samples, seed });
  await solver.solve('Tom has 2 pens and buys 3 more. How many pens does Tom have now?'); // weights, context, sandbox
  const outcomes = new Array(problems.length);
  let next = 0;
  const start = performance.now();
  const worker = async () => {
    for (let i = next++; i < problems.length; i = next++) {
      const { answer, verified, usage } = await solver.solve(problems[i].problem);
      outcomes[i] = { right: answer !== null && sameAnswer(answer, problems[i].answer), verified, usage };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const took = seconds(start);
  await solver.close();
  return { seconds: took, outcomes };
}

/**
 * Each problem with each budget, one at a time, whose turn is first changes; nothing is taken from the other's results.
 *
 * @param {{ path: string, problems: { problem: string, answer: string }[], samples: number, seed: number, settings?:
 *   object }} input
 * @returns [problems] of each budget seconds, tokens, whether it is right and verified, and whether the answers are the
 *   same
 */
export async function budgets({ path, problems, samples, seed, settings = {} }) {
  const of = (budget) => createSolver({ model: path, database: false, samples, seed, budget, ...settings });
  const solvers = { fixed: await of('fixed'), adaptive: await of('adaptive') };
  const warm = 'Tom has 2 pens and buys 3 more. How many pens does Tom have now?';
  for (const solver of Object.values(solvers)) await solver.solve(warm);
  const outcomes = [];
  for (const [i, { problem, answer: gold }] of problems.entries()) {
    const outcome = {};
    for (const budget of i % 2 === 0 ? ['fixed', 'adaptive'] : ['adaptive', 'fixed']) {
      const start = performance.now();
      const { answer, verified, usage, candidates } = await solvers[budget].solve(problem);
      outcome[budget] = {
        seconds: seconds(start),
        tokens: usage.generatedTokens,
        candidates: candidates.length,
        answer,
        right: answer !== null && sameAnswer(answer, gold),
        verified,
      };
    }
    outcomes.push(outcome);
  }
  for (const solver of Object.values(solvers)) await solver.close();
  return outcomes;
}

/**
 * Two problems in a process that has done nothing yet, by a solver, or by an engine, a sandbox and a store that are there
 * already and handed over with each problem.
 *
 * @param {{ path: string, way: 'solver' | 'byHand', problems: { problem: string }[], samples: number, seed: number }} input
 * @returns [problems] seconds; what is opened counts for the first
 */
export async function twoProblems({ path, way, problems, samples, seed }) {
  const times = [];
  let start = performance.now();
  const parts = way === 'byHand' ? await partsOf(path) : undefined;
  const shared = parts ? undefined : await createSolver({ model: path, database: false, samples, seed });
  for (const { problem } of problems) {
    const solver = shared ?? (await createSolver({ ...parts, samples, seed }));
    await solver.solve(problem);
    if (parts) await solver.close();
    times.push(seconds(start));
    start = performance.now();
  }
  await shared?.close();
  await parts?.sandbox.dispose();
  await parts?.engine.dispose();
  parts?.database.close();
  return times;
}

async function partsOf(path) {
  const [engine, sandbox] = await Promise.all([loadEngine({ path }), Sandbox.start({})]);
  return { engine, sandbox, database: Store.open(':memory:') };
}

/**
 * A benchmark run of these problems by a solver that is warm.
 *
 * @returns seconds until the first problem is done and until the report is written; tokens generated a second, as the run
 *   itself tells it, without the report; and of each problem the tokens of its prompt and of all that was generated for it
 */
export async function evaluation({ path, problems, samples, seed }) {
  const folder = mkdtempSync(join(tmpdir(), 't1-bench-'));
  try {
    const task = join(folder, 'task.jsonl');
    writeFileSync(task, problems.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const solver = await createSolver({ model: path, database: false, samples, seed });
    await solver.solve('Tom has 2 pens and buys 3 more. How many pens does Tom have now?'); // weights, context, sandbox
    const start = performance.now();
    let first;
    const onProgress = ({ finished }) => {
      if (finished > 0) first ??= seconds(start);
    };
    await solver.evaluate(task, { folder: join(folder, 'run'), onProgress });
    const took = seconds(start);
    await solver.close();
    const { lengths, effort } = await lengthsOf(join(folder, 'run'), path);
    return { first, seconds: took, rate: effort.generatedTokens / effort.seconds, lengths };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * What a run of such lengths asks of the engine, handed over all at once: nothing waits for a sandbox or a verdict.
 *
 * @param {{ path: string, temperature: number, jobs: { tokens: Int32Array, maxTokens: number }[], scores: Int32Array[] }}
 *   input scores: sequences whose last position is read
 * @returns tokens generated a second, all of it done
 */
export async function atOnce({ path, temperature, jobs: list, scores }) {
  const engine = await loadEngine({ path, queueLimit: 4096 });
  await warmUp(engine, temperature, [{ ...list[0], samples: 64 }]);
  const start = performance.now();
  const sampled = list.map(({ tokens, maxTokens }, i) =>
    engine.sample({ prompts: [{ tokens, seeds: [i] }], sampler: sampler(temperature), maxTokens }),
  );
  const scored = scores.map((tokens) =>
    engine.score({
      sequences: [{ tokens, positions: Int32Array.of(tokens.length - 1) }],
      targets: Int32Array.of(300, 301),
    }),
  );
  const results = await Promise.all(sampled);
  await Promise.all(scored);
  const took = seconds(start);
  await engine.dispose();
  return { rate: total(results).generatedTokens / took };
}

/** Tokens that a prompt has around its problem. */
const TURN = 4;

/**
 * Of a run: what was generated for each problem. A program of a solution that is there twice was written once; what no
 * record has (one greedy candidate each) is shared out among the problems.
 */
async function lengthsOf(folder, path) {
  const run = RunFile.open(folder);
  const records = [...run.records()];
  const { effort } = run;
  run[Symbol.dispose]();
  const engine = await loadEngine({ path });
  const lengths = [];
  for (const { problem, candidates } of records) {
    const { length } = await engine.tokenize(problem, { special: false, addBos: true });
    const tokens = tokensOfCandidates({ candidates });
    lengths.push({
      prompt: length + TURN,
      candidates: tokens.map(({ candidate }) => candidate),
      programs: tokens.map(({ checks }) => checks).filter((count) => count > 0),
      scores: new Set(candidates.filter(({ reward }) => typeof reward === 'number').map(({ text }) => text)).size,
    });
  }
  await engine.dispose();
  const told = lengths.flatMap(({ candidates, programs }) => [...candidates, ...programs]);
  const rest = effort.generatedTokens - told.reduce((sum, tokens) => sum + tokens, 0);
  for (const { candidates } of lengths) candidates.push(Math.max(1, Math.round(rest / lengths.length)));
  return { lengths, effort };
}
