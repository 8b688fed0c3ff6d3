/** What an answer costs that was verified and is right: `solve` with the model that ships. Needs python3. */
import { inChild } from '../lib/child.mjs';
import { BenchError } from '../lib/bench-error.mjs';
import { generate } from '../lib/generator.mjs';

export const sizes = { problems: 20, samples: 16, seed: 4_000_001, atOnce: 3 };
export const quick = { problems: 6 };

export async function run({ model: { path }, sizes: { problems: count, samples, seed, atOnce }, say }) {
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
  return {
    figures: {
      problems: count,
      accepted,
      verified: outcomes.filter(({ verified }) => verified).length,
      right: outcomes.filter(({ right }) => right).length,
      seconds,
      tokens,
    },
    bars: [],
    table: [
      ['for each verified and right answer', 'seconds', 'tokens generated', 'prompt tokens read', 'spared by sharing'],
      [`${accepted} of ${count} problems`, per(seconds), per(tokens.generated), per(tokens.prompt), per(tokens.shared)],
    ],
  };
}
