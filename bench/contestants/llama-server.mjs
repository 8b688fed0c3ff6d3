/**
 * llama-server, used as well as its HTTP API allows. The clock starts when the server is warm and ends with the last
 * answer. `server` is what lib/llama-server.mjs takes.
 */
import { startServer } from '../lib/llama-server.mjs';

const seconds = (start) => (performance.now() - start) / 1000;
const entries = (answer) => (Array.isArray(answer) ? answer : [answer]);

/** The chain of all contestants: temperature alone, over the whole vocabulary. */
function body(tokens, maxTokens, temperature, more) {
  return {
    prompt: [...tokens],
    n_predict: maxTokens,
    temperature,
    samplers: ['temperature'],
    ignore_eos: true,
    cache_prompt: true,
    seed: 1,
    ...more,
  };
}

async function withServer(server, use) {
  const { completion, stop } = await startServer(server);
  try {
    return await use(completion);
  } finally {
    await stop();
  }
}

function counter() {
  const usage = { promptTokens: 0, generatedTokens: 0 };
  const count = (answer) => {
    const all = entries(answer);
    usage.promptTokens += all[0].timings.prompt_n; // the others of n_cmpl copy the first one's
    for (const { tokens_predicted: sampled } of all) usage.generatedTokens += sampled;
    return all;
  };
  return { usage, count };
}

/** One prompt, all samples in one request with `n_cmpl`. */
export function samples({ server, temperature, tokens, samples: count, maxTokens }) {
  return withServer(server, async (completion) => {
    const { usage, count: add } = counter();
    const start = performance.now();
    const all = add(await completion(body(tokens, maxTokens, temperature, { n_cmpl: count })));
    const took = seconds(start);
    if (all.length !== count) throw new Error(`llama-server answered with ${all.length} of ${count} samples`);
    return { rate: usage.generatedTokens / took, seconds: took, usage };
  });
}

/**
 * One request for each sample, because each has its own length.
 *
 * With `ownSlots` a problem's samples go one after the other to slots of its own, two of them waiting at the server,
 * so that its prompt is in the cache and no place is ever empty; a slot whose problem is done helps the one that has
 * most left. Otherwise all go at once, in the order of problems, and the server chooses the slots.
 *
 * @param {{ problems: { tokens: Int32Array, lengths: number[] }[], ownSlots: boolean }} input
 */
export function requests({ server, temperature, problems, ownSlots }) {
  return withServer(server, async (completion) => {
    const { usage, count } = counter();
    const latencies = [];
    const start = performance.now();
    const ask = async (tokens, maxTokens, more) => {
      count(await completion(body(tokens, maxTokens, temperature, more)));
      latencies.push(seconds(start));
    };
    if (ownSlots) await inOwnSlots(problems, server.slots, ask);
    else await Promise.all(problems.flatMap(({ tokens, lengths }) => lengths.map((length) => ask(tokens, length, {}))));
    const took = seconds(start);
    return { rate: usage.generatedTokens / took, seconds: took, usage, latencies };
  });
}

async function inOwnSlots(problems, slots, ask) {
  const queues = problems.map(({ tokens, lengths }) => ({ tokens, left: [...lengths] }));
  const fullest = () => queues.reduce((most, queue) => (queue.left.length > most.left.length ? queue : most));
  const worker = async (slot) => {
    const own = queues[slot % queues.length];
    for (;;) {
      const queue = own.left.length > 0 ? own : fullest();
      const length = queue.left.shift();
      if (length === undefined) return;
      await ask(queue.tokens, length, { id_slot: slot });
    }
  };
  // Every slot's first request before any slot's second one.
  const all = [0, 1].flatMap(() => Array.from({ length: slots }, (_, slot) => slot));
  await Promise.all(all.map(worker));
}

/**
 * The token flow of T1, in one of two ways:
 * - `ownSlots`: every candidate, and then all that continues it, goes to a slot of its own: only the problem is read
 *   once for each
 * - otherwise one request with `n_cmpl` for all candidates, and one for each candidate's programs and rationales: what
 *   one request samples together shares its prompt, and the server finds the rest where it can
 */
export function pipeline(input) {
  return withServer(input.server, async (completion) => {
    const { usage, count } = counter();
    const ask = async (tokens, maxTokens, more) =>
      count(await completion(body(tokens, maxTokens, input.temperature, more)));
    const start = performance.now();
    await (input.ownSlots ? flowInSlots(input, ask) : flowTogether(input, ask));
    const took = seconds(start);
    return { rate: usage.generatedTokens / took, seconds: took, usage };
  });
}

/** Yes and No are read from the likeliest tokens, which is what the API offers. */
const READ = { n_probs: 20 };

async function flowInSlots({ problem, questions, samples: count, programs, rationales, lengths }, ask) {
  const flow = async (slot) => {
    const own = { id_slot: slot };
    const [{ tokens }] = await ask(problem, lengths.candidate, { ...own, seed: slot + 1, return_tokens: true });
    const asked = (question) => [...problem, ...tokens, ...question];
    const sampled = (question, times, length) =>
      Array.from({ length: times }, (_, seed) => () => ask(asked(question), length, { ...own, seed }));
    const left = [
      () => ask(asked(questions.reward), 1, { ...own, ...READ }),
      ...sampled(questions.program, programs, lengths.program),
      ...sampled(questions.rationale, rationales, lengths.rationale),
    ];
    // Two at the server: the next one waits there when one ends.
    const worker = async () => {
      for (let next = left.shift(); next; next = left.shift()) await next();
    };
    await Promise.all([worker(), worker()]);
  };
  await Promise.all(Array.from({ length: count }, (_, slot) => flow(slot)));
}

async function flowTogether({ problem, questions, samples: count, programs, rationales, lengths }, ask) {
  const candidates = await ask(problem, lengths.candidate, { n_cmpl: count, return_tokens: true });
  const asked = (tokens, question) => [...problem, ...tokens, ...question];
  await Promise.all(
    candidates.map(async ({ tokens }) => {
      if (programs > 0) await ask(asked(tokens, questions.program), lengths.program, { n_cmpl: programs });
      if (rationales > 0) await ask(asked(tokens, questions.rationale), lengths.rationale, { n_cmpl: rationales });
      await ask(asked(tokens, questions.reward), 1, READ);
    }),
  );
}
