/** Process reward: does the first step of wrong logic get the lowest score? And the programs that check each step. */
import { profileFor } from '../../dist/prompt/profile.js';
import { renderPrompt } from '../../dist/prompt/prompt.js';
import { extractCode } from '../../dist/verify/extract-code.js';
import { auc } from '../lib/auc.mjs';
import { bootstrap } from '../lib/statistics.mjs';
import { labelled } from './solving.mjs';

const SEQUENCES_AT_ONCE = 200;
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0 };

export async function steps(bench) {
  const solutions = labelled(bench.pools);
  const scored = await stepScores(bench, solutions);
  const faulty = scored.filter(({ faults }) => faults.logic && faults.steps.includes(false) && faults.steps.length > 1);
  const found = faulty.map(({ faults, scores }) =>
    Number(scores.indexOf(Math.min(...scores.slice(0, -1))) === faults.steps.indexOf(false)),
  );
  const ofSteps = (wanted) =>
    scored.flatMap(({ faults, scores }) => faults.steps.flatMap((sound, i) => (sound === wanted ? [scores[i]] : [])));
  const last = (wanted) => scored.filter(({ faults }) => faults.logic === wanted).map(({ scores }) => scores.at(-1));
  return {
    firstWrongStepIsLowest: bootstrap(found),
    solutions: faulty.length,
    areaOverSteps: auc(ofSteps(true), ofSteps(false)),
    areaOfTheLastScore: auc(last(false), last(true)),
    programOfEachStep: await stepPrograms(bench, solutions),
  };
}

/** P(+) against P(−) at the end of every line of every solution; all of a chunk in one job over shared prefixes. */
async function stepScores({ engine }, solutions, adapter) {
  const { process: role, solve } = profileFor(engine.model).roles;
  const tokenOf = async ([word]) => (await engine.tokenize(word, { special: false }))[0];
  const [good, bad] = [await tokenOf(role.good), await tokenOf(role.bad)];
  const result = [];
  for (let from = 0; from < solutions.length; from += SEQUENCES_AT_ONCE) {
    const chunk = solutions.slice(from, from + SEQUENCES_AT_ONCE);
    const sequences = [];
    for (const { problem, candidate } of chunk) {
      const tokens = [...(await renderPrompt(engine, solve, { problem })).tokens];
      const positions = [];
      for (const line of candidate.text.split(/(?<=\n)/)) {
        for (const token of await engine.tokenize(line, { special: false })) tokens.push(token);
        positions.push(tokens.length - 1);
      }
      sequences.push({ tokens: Int32Array.from(tokens), positions: Int32Array.from(positions) });
    }
    const { logprobs } = await engine.score({ sequences, targets: Int32Array.of(good, bad), adapter });
    chunk.forEach((solution, i) => {
      const pairs = Array.from({ length: sequences[i].positions.length }, (_, p) => [
        logprobs[i][2 * p],
        logprobs[i][2 * p + 1],
      ]);
      result.push({ ...solution, scores: pairs.map(([plus, minus]) => 1 / (1 + Math.exp(minus - plus))) });
    });
  }
  return result;
}

/** Verdicts of the programs that check each stated sum, run in the sandbox. */
async function stepPrograms({ engine, sandbox }, solutions) {
  const role = profileFor(engine.model).roles.steps;
  const judged = { right: [], 'wrong sum only': [] };
  const asked = solutions.filter(({ faults }) => !faults.logic).slice(0, 1000);
  const rendered = asked.map(({ problem, candidate }) =>
    renderPrompt(engine, role, { problem, solution: candidate.text }),
  );
  const prompts = (await Promise.all(rendered)).map(({ tokens }) => ({ tokens, seeds: [0] }));
  const { samples } = await engine.sample({ prompts, sampler: GREEDY, maxTokens: 160 });
  await Promise.all(
    samples.map(async ({ text, prompt }) => {
      const code = extractCode(text);
      const { status, stdout } = code
        ? await sandbox.run({ code, timeoutMs: 2000 })
        : { status: 'missing', stdout: '' };
      const { faults } = asked[prompt];
      judged[faults.correct && !faults.sums ? 'right' : 'wrong sum only'].push(
        Number(status === 'ok' && stdout.trim() === 'False'),
      );
    }),
  );
  return Object.fromEntries(
    Object.entries(judged).map(([kind, refuted]) => [kind, { solutions: refuted.length, refuted: bootstrap(refuted) }]),
  );
}
