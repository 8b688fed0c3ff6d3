/** Questions about countries that the verifier never saw: answers sampled from memory, checked against passages. */
import { extractBoxed } from '../../dist/grade/extract.js';
import { profileFor } from '../../dist/prompt/profile.js';
import { renderPrompt } from '../../dist/prompt/prompt.js';
import { bm25 } from '../lib/bm25.mjs';
import { generate } from '../lib/generator.mjs';
import { bootstrap } from '../lib/statistics.mjs';

const QUESTIONS = 200;
const PASSAGES = 3;
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0 };

export async function knowledge(bench) {
  const { engine, samples: count, seed } = bench;
  const { roles } = profileFor(engine.model);
  const questions = generate('knowledge', '--count', QUESTIONS, '--seed', seed);
  const search = bm25(generate('knowledge', '--passages').map(({ text }) => text));
  const seeds = Array.from({ length: count }, (_, i) => (seed + i) % 2 ** 31);
  const rendered = questions.map(({ problem }) => renderPrompt(engine, roles.solve, { problem }));
  const prompts = (await Promise.all(rendered)).map(({ tokens }) => ({ tokens, seeds }));
  const { samples } = await engine.sample({
    prompts,
    sampler: { temperature: 0.8, topK: 0, topP: 1, minP: 0 },
    maxTokens: 48,
  });
  const claims = questions.map(() => new Map());
  for (const { prompt, text } of samples) {
    const answer = extractBoxed(text);
    if (answer === null) continue;
    const known = claims[prompt].get(text);
    if (known) known.votes++;
    else claims[prompt].set(text, { text, answer, votes: 1, right: questions[prompt].answers.includes(answer) });
  }
  const flat = claims.flatMap((map, i) => [...map.values()].map((claim) => ({ ...claim, question: i })));
  const asked = flat.map(({ text, question }) => ({ problem: questions[question].problem, solution: text }));
  return {
    questions: questions.length,
    byPrompt: judged(claims, flat, await passes(engine, roles.fact, asked, search)),
    throughTheToolAdapter: judged(claims, flat, await passes(engine, roles.fact, asked, search, 'tool')),
  };
}

function judged(claims, flat, verdicts) {
  const outcomes = { majority: [], t1: [], oracle: [] };
  claims.forEach((_, i) => {
    const mine = flat.map((claim, c) => ({ ...claim, passed: verdicts[c] })).filter(({ question }) => question === i);
    const passing = mine.filter(({ passed }) => passed);
    outcomes.majority.push(best(mine));
    // This model has no reward for facts: tool × 1, and if nothing passes, the majority decides.
    outcomes.t1.push(best(passing.length > 0 ? passing : mine));
    outcomes.oracle.push(Number(mine.some(({ right }) => right)));
  });
  const passed = (right) => bootstrap(flat.flatMap((claim, c) => (claim.right === right ? [Number(verdicts[c])] : [])));
  return {
    accuracy: Object.fromEntries(Object.entries(outcomes).map(([name, values]) => [name, bootstrap(values)])),
    't1 - majority': bootstrap(outcomes.t1.map((value, i) => value - outcomes.majority[i])),
    claims: { right: flat.filter(({ right }) => right).length, wrong: flat.filter(({ right }) => !right).length },
    passed: { right: passed(true), wrong: passed(false) },
  };
}

/** Whether one greedy check of each claim, given the passages that its own question and answer find, ends in Yes. */
async function passes(engine, role, claims, search, adapter) {
  const rendered = claims.map(({ problem, solution }) => {
    const passages = search(`${problem} ${solution}`, PASSAGES);
    return renderPrompt(engine, role, { problem, solution, passages });
  });
  const prompts = (await Promise.all(rendered)).map(({ tokens }) => ({ tokens, seeds: [0] }));
  const { samples } = await engine.sample({ prompts, sampler: GREEDY, maxTokens: 80, adapter });
  return samples.map(({ text }) => role.good.includes(text.trim().split('\n').at(-1)));
}

/** 1 if the answer of the greatest total weight is right. */
function best(claims) {
  const totals = new Map();
  for (const claim of claims) {
    const entry = totals.get(claim.answer) ?? { total: 0, right: claim.right };
    totals.set(claim.answer, { ...entry, total: entry.total + claim.votes });
  }
  const [first] = [...totals.values()].sort((a, b) => b.total - a.total);
  return Number(first?.right ?? false);
}
