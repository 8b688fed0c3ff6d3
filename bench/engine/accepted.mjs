/**
 * What an answer costs that was verified and is right: `solve` with the model that ships, and what an adaptive budget
 * spares of it, one problem at a time. Needs python3.
 */
import { inChild } from '../lib/child.mjs';
import { BenchError } from '../lib/bench-error.mjs';
import { generate } from '../lib/generator.mjs';
import { pairedBootstrap } from '../../dist/index.js';

export const sizes = { problems: 20, samples: 16, seed: 4_000_001, atOnce: 3, budgets: 500 };
export const quick = { problems: 6, budgets: 12 };

/** Our part alone, beside an older build: whole problems with the fixed budget. */
export const own = ({ model: { path }, sizes: { problems: count, samples, seed, atOnce } }) => {
  const problems = generate('problems', '--seed', seed, '--count', 2 * count);
  return {
    'problems solved': {
      name: 'solving',
      input: { path, problems, samples, seed: seed % 2 ** 31, atOnce },
      rate: ({ seconds }) => problems.length / seconds,
    },
  };
};

export async function run({ model: { path }, sizes: { problems: count, samples, seed, atOnce, budgets: many }, say }) {
  if (seed < 1_000_000) throw new BenchError('accepted.seed: seeds below 1000000 are the training data');
  const problems = generate('problems', '--seed', seed, '--count', count);
  say(`${count} problems`);
  const { seconds, outcomes } = await inChild(new URL('../contestants/t1.mjs', import.meta.url), 'solving', {
    path,
    problems,
    samples,
    seed: seed % 2 ** 31,
    atOnce,
  });
  const accepted = outcomes.filter(({ right, verified }) => right && verified).length;
  const sum = (field) => outcomes.reduce((total, { usage }) => total + usage[field], 0);
  const tokens = { prompt: sum('promptTokens'), shared: sum('sharedTokens'), generated: sum('generatedTokens') };
  const per = (value) => (accepted === 0 ? '-' : (value / accepted).toFixed(value > 100 * accepted ? 0 : 2));
  const fresh = generate('problems', '--seed', seed + count, '--count', many);
  say(`${many} problems, each with both budgets`);
  const input = { path, problems: fresh, samples, seed: seed % 2 ** 31 };
  const both = await inChild(new URL('../contestants/t1.mjs', import.meta.url), 'budgets', input);
  const budgets = comparedBudgets(both);
  return {
    figures: {
      budgets,
      problems: count,
      accepted,
      verified: outcomes.filter(({ verified }) => verified).length,
      right: outcomes.filter(({ right }) => right).length,
      seconds,
      tokens,
    },
    bars: [
      { name: 'tokens, adaptive ÷ fixed', value: budgets.tokens, atMost: 0.4 },
      { name: 'seconds to the answer, adaptive ÷ fixed, median', value: budgets.seconds.median, atMost: 0.35 },
      { name: 'accuracy, adaptive − fixed, lower end', value: budgets.difference.low, atLeast: -0.03 },
    ],
    table: [
      ['for each verified and right answer', 'seconds', 'tokens generated', 'prompt tokens read', 'spared by sharing'],
      [`${accepted} of ${count} problems`, per(seconds), per(tokens.generated), per(tokens.prompt), per(tokens.shared)],
    ],
  };
}

/** @param outcomes [problems] see `budgets` of the contestant */
export function comparedBudgets(outcomes) {
  const total = (budget, field) => outcomes.reduce((sum, each) => sum + each[budget][field], 0);
  const ratios = outcomes.map(({ fixed, adaptive }) => adaptive.seconds / fixed.seconds).sort((a, b) => a - b);
  const right = (budget) => Float64Array.from(outcomes, (each) => Number(each[budget].right));
  const n = outcomes.length;
  const shape = { problems: n, seeds: 1 };
  const difference = pairedBootstrap(right('adaptive'), right('fixed'), shape, { seed: 1 });
  return {
    problems: n,
    tokens: total('adaptive', 'tokens') / total('fixed', 'tokens'),
    seconds: { median: ratios[Math.floor(n / 2)], total: total('adaptive', 'seconds') / total('fixed', 'seconds') },
    accuracy: { fixed: total('fixed', 'right') / n, adaptive: total('adaptive', 'right') / n },
    difference: { mean: difference.difference, low: difference.low, high: difference.high },
    sameAnswer: outcomes.filter(({ fixed, adaptive }) => fixed.answer === adaptive.answer).length / n,
    candidates: { fixed: total('fixed', 'candidates') / n, adaptive: total('adaptive', 'candidates') / n },
    verified: { fixed: total('fixed', 'verified') / n, adaptive: total('adaptive', 'verified') / n },
  };
}
