/** Contestants in turn, several rounds, so that what else the machine does meets all of them alike. */
import { median } from './statistics.mjs';

/**
 * @param {object} options
 * @param {number} options.rounds
 * @param {Record<string, Record<string, () => Promise<{ rate: number }>>>} options.contestants each with variants (a KV
 *   layout, a number of slots); the best variant counts. `rate` is better when larger.
 * @param {number} [options.keep] after the first round, variants below this share of their contestant's best are
 *   dropped
 * @param {(line: string) => void} options.say
 * @returns {Promise<Record<string, { best: string, rate: number, last: object, variants: Record<string, number[]> }>>}
 *   `rate`: median of the best variant; `last`: what it measured in its last round; `variants`: all rates
 */
export async function contest({ rounds, contestants, keep = 0.8, say }) {
  const entries = Object.entries(contestants).flatMap(([name, variants]) =>
    Object.entries(variants).map(([variant, run]) => ({ name, variant, run, rates: [], last: undefined })),
  );
  const of = (name) => entries.filter((entry) => entry.name === name);
  const bestOf = (name) => of(name).reduce((best, entry) => (median(entry.rates) > median(best.rates) ? entry : best));
  for (let round = 0; round < rounds; round++) {
    // Those that were dropped have fewer rates. Forth and back, so that nobody always comes after the same one.
    const open = entries.filter(
      ({ name, rates }) =>
        round === 0 ||
        (rates.length === round && rates[0] >= keep * Math.max(...of(name).map((each) => each.rates[0]))),
    );
    for (const entry of round % 2 === 0 ? open : open.reverse()) {
      entry.last = await entry.run();
      entry.rates.push(entry.last.rate);
      say(
        `round ${round + 1}: ${[entry.name, entry.variant].filter(Boolean).join(', ')} ${entry.last.rate.toFixed(1)}`,
      );
    }
  }
  return Object.fromEntries(
    Object.keys(contestants).map((name) => {
      const { variant, rates, last } = bestOf(name);
      return [
        name,
        {
          best: variant,
          rate: median(rates),
          last,
          variants: Object.fromEntries(of(name).map((entry) => [entry.variant, entry.rates])),
        },
      ];
    }),
  );
}
