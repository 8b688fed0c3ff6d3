/**
 * What a session spares and what a run gives: the second problem beside parts that were shared by hand; and of a
 * benchmark run, when its first problem is done, and its speed beside the same lengths submitted at once. With the model
 * that ships. Needs python3.
 */
import { inChild } from '../lib/child.mjs';
import { generate } from '../lib/generator.mjs';
import { median } from '../lib/statistics.mjs';
import { concat, randomTokens } from '../lib/tokens.mjs';

/** `twice`: rounds of two problems in a new process. `question`: tokens that a program or score is asked with. */
export const sizes = { problems: 64, samples: 16, seed: 4_500_001, question: 17, twice: 9 };
export const quick = { problems: 8, twice: 1 };

const ours = new URL('../contestants/t1.mjs', import.meta.url);

export async function run(bench) {
  const { model, sizes: size, rounds, say } = bench;
  const problems = generate('problems', '--seed', size.seed, '--count', size.problems);
  const common = { path: model.path, samples: size.samples, seed: size.seed % 2 ** 31 };
  const seconds = { solver: [], byHand: [] };
  for (let round = 0; round < size.twice; round++)
    for (const way of round % 2 === 0 ? ['solver', 'byHand'] : ['byHand', 'solver']) {
      const times = await inChild(ours, 'twoProblems', { ...common, way, problems: problems.slice(0, 2) });
      seconds[way].push(times);
      say(`round ${round + 1}: ${way}, ${times.map((time) => time.toFixed(3)).join(', ')} s`);
    }
  const evaluations = [];
  const atOnce = [];
  for (let round = 0; round < rounds; round++) {
    evaluations.push(await inChild(ours, 'evaluation', { ...common, problems }));
    const { lengths } = evaluations.at(-1);
    const { rate } = await inChild(ours, 'atOnce', {
      path: model.path,
      temperature: model.temperature,
      ...jobsOf(bench, lengths),
    });
    atOnce.push(rate);
    const { first, seconds: all, rate: own } = evaluations.at(-1);
    say(
      `round ${round + 1}: first of ${all.toFixed(1)} s after ${first.toFixed(1)} s; ${own.toFixed(0)}, ${rate.toFixed(0)} tokens/s`,
    );
  }
  const second = (way) => median(seconds[way].map(([, time]) => time));
  const first = median(evaluations.map((each) => each.first / each.seconds));
  const rate = median(evaluations.map((each, round) => each.rate / atOnce[round]));
  return {
    figures: {
      seconds,
      evaluations: evaluations.map(({ lengths: _, ...rest }) => rest),
      tokensPerSecondAtOnce: atOnce,
    },
    bars: [
      {
        name: 'second problem of a session, over parts shared by hand',
        value: second('solver') / second('byHand'),
        atMost: 1.1,
      },
      { name: `first of ${size.problems} × ${size.samples} done, of the run`, value: first, atMost: 0.25 },
      { name: 'speed of the run over the same lengths at once', value: rate, atLeast: 0.9 },
    ],
    table: [
      ['seconds, median', 'first problem', 'second problem'],
      ...Object.entries(seconds).map(([way, times]) => [
        way,
        ...[0, 1].map((i) => median(times.map((each) => each[i])).toFixed(3)),
      ]),
    ],
  };
}

/**
 * The samples of a run as jobs of their own, with prompts of the same sizes that share the same: a program continues its
 * problem, as it does in the run, where what its candidate adds is there already.
 */
function jobsOf({ model, sizes: { question } }, lengths) {
  const asked = randomTokens(model, question, 7);
  const scored = randomTokens(model, question, 8);
  const jobs = [];
  const scores = [];
  lengths.forEach(({ prompt, candidates, programs, scores: count }, i) => {
    const tokens = randomTokens(model, prompt, 100 + i);
    jobs.push(...candidates.map((maxTokens) => ({ tokens, maxTokens })));
    jobs.push(...programs.map((maxTokens) => ({ tokens: concat(tokens, asked), maxTokens })));
    // Each with an end of its own: the same would be read once.
    for (let j = 0; j < count; j++) scores.push(concat(tokens, randomTokens(model, 1, 1000 * i + j), scored));
  });
  return { jobs, scores };
}
