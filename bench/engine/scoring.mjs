/** Scoring candidates right after they were sampled, beside reading them again. */
import { inChild } from '../lib/child.mjs';
import { median } from '../lib/statistics.mjs';
import { randomTokens } from '../lib/tokens.mjs';

/** Tokens of the problem, of each candidate, and of the question whose last position is read. */
export const sizes = { samples: 64, problem: 200, candidate: 300, question: 20 };
export const quick = { samples: 16, problem: 100, candidate: 60, question: 4 };

const inputOf = ({ model, sizes: { samples, problem, candidate, question }, rounds, threads }) => ({
  path: model.path,
  threads,
  temperature: model.temperature,
  problem: randomTokens(model, problem, 1),
  samples,
  length: candidate,
  questions: Array.from({ length: rounds + 1 }, (_, i) => randomTokens(model, question, 10 + i)),
  targets: Int32Array.of(model.lowestToken, model.lowestToken + 1),
});

/** Our part alone, beside an older build. */
export const own = (bench) => {
  const input = inputOf({ ...bench, rounds: 3 });
  const perSecond = (name) => (measured) => 1 / median(measured.rounds.map((round) => round[name].seconds));
  return {
    'scores after sampling': { name: 'scoring', input, rate: perSecond('after') },
    'scores of what is read': { name: 'scoring', input, rate: perSecond('again') },
  };
};

export async function run(bench) {
  const { samples, candidate } = bench.sizes;
  bench.say(`sampling ${samples} candidates of ${candidate} tokens`);
  const measured = await inChild(new URL('../contestants/t1.mjs', import.meta.url), 'scoring', inputOf(bench));
  const of = (name, field) => median(measured.rounds.map((round) => round[name][field]));
  const row = (label, name) => [label, of(name, 'seconds').toFixed(2), of(name, 'promptTokens').toFixed(0)];
  return {
    figures: measured,
    bars: [
      {
        name: `scoring ${samples} candidates of ${candidate} tokens: times faster than reading them`,
        value: of('again', 'seconds') / of('after', 'seconds'),
        atLeast: 10,
      },
    ],
    table: [['', 'seconds', 'prompt tokens read'], row('after sampling', 'after'), row('read again', 'again')],
  };
}
