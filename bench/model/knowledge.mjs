/** Questions about countries that the verifier never saw: answers sampled from memory, checked against passages. */
import { extractAnswer } from '../../dist/grade/extract.js';
import { profileFor } from '../../dist/prompt/profile.js';
import { renderPrompt } from '../../dist/prompt/prompt.js';
import { auc } from '../lib/auc.mjs';
import { bm25 } from '../lib/bm25.mjs';
import { generate } from '../lib/generator.mjs';
import { bootstrap } from '../lib/statistics.mjs';

const QUESTIONS = 200;
const PASSAGES = 3;

export async function knowledge(bench) {
  const { engine, samples: count, seed } = bench;
  const { roles } = profileFor(engine.model);
  const questions = generate('knowledge', '--count', QUESTIONS, '--seed', seed);
  const search = bm25(generate('knowledge', '--passages').map(({ text }) => text));
  const seeds = Array.from({ length: count }, (_, i) => (seed + i) % 2 ** 31);
  const prompts = questions.map(({ problem }) => ({ tokens: renderPrompt(engine, roles.solve, { problem }).tokens, seeds }));
  const { samples } = await engine.sample({ prompts, sampler: { temperature: 0.8, topK: 0, topP: 1, minP: 0 }, maxTokens: 48 });
  const claims = questions.map(() => new Map());
  for (const { prompt, text } of samples) {
    const answer = extractAnswer(text);
    if (answer === null) continue;
    const known = claims[prompt].get(text);
    if (known) known.votes++;
    else claims[prompt].set(text, { text, answer, votes: 1, right: questions[prompt].answers.includes(answer) });
  }
  const flat = claims.flatMap((map, i) => [...map.values()].map((claim) => ({ ...claim, question: i })));
  const supported = await support(engine, roles.fact, flat.map(({ text, question }) => ({ problem: questions[question].problem, solution: text })), search);
  flat.forEach((claim, i) => (claim.support = supported[i]));

  const outcomes = { majority: [], t1: [], oracle: [] };
  questions.forEach((_, i) => {
    const mine = flat.filter(({ question }) => question === i);
    const passing = mine.filter(({ support: p }) => p > 0.5);
    outcomes.majority.push(best(mine, ({ votes }) => votes));
    // Tool × reward: what fails counts nothing; the share of Yes is the weight. If nothing passes, it alone decides.
    outcomes.t1.push(best(passing.length > 0 ? passing : mine, ({ votes, support: p }) => votes * p));
    outcomes.oracle.push(Number(mine.some(({ right }) => right)));
  });
  const scoresOf = (right) => flat.filter((claim) => claim.right === right).map(({ support: p }) => p);
  return {
    questions: questions.length,
    accuracy: Object.fromEntries(Object.entries(outcomes).map(([name, values]) => [name, bootstrap(values)])),
    't1 - majority': bootstrap(outcomes.t1.map((value, i) => value - outcomes.majority[i])),
    claims: {
      right: { claims: scoresOf(true).length, passed: bootstrap(scoresOf(true).map((p) => Number(p > 0.5))) },
      wrong: { claims: scoresOf(false).length, passed: bootstrap(scoresOf(false).map((p) => Number(p > 0.5))) },
    },
    area: auc(scoresOf(true), scoresOf(false)),
  };
}

/** P(Yes) against P(No) for each claim, given the passages that its own question and answer find. */
async function support(engine, role, claims, search) {
  const [good, bad] = [role.good, role.bad].map(([word]) => engine.tokenize(word, { special: false })[0]);
  const sequences = claims.map(({ problem, solution }) => {
    const passages = search(`${problem} ${solution}`, PASSAGES);
    const { tokens } = renderPrompt(engine, role, { problem, solution, passages });
    return { tokens, positions: Int32Array.of(tokens.length - 1) };
  });
  const { logprobs } = await engine.score({ sequences, targets: Int32Array.of(good, bad) });
  return logprobs.map(([yes, no]) => 1 / (1 + Math.exp(no - yes)));
}

/** 1 if the answer of the greatest total weight is right. */
function best(claims, weight) {
  const totals = new Map();
  for (const claim of claims) {
    const entry = totals.get(claim.answer) ?? { total: 0, right: claim.right };
    totals.set(claim.answer, { ...entry, total: entry.total + weight(claim) });
  }
  const [first] = [...totals.values()].sort((a, b) => b.total - a.total);
  return Number(first?.right ?? false);
}
