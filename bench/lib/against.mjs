/**
 * This build beside an older one (`--against DIR`), case by case, in turn: has something become slower? Of each case our
 * own contestant alone, in each tree with its own bench/contestants/t1.mjs.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BenchError } from './bench-error.mjs';
import { inChild } from './child.mjs';
import { contest } from './contest.mjs';
import { root } from './record.mjs';
import { median } from './statistics.mjs';

/** No case may fall below it. */
const LEAST = 0.97;

/** @param {string} folder of a built checkout @returns {string} its absolute path */
export function olderBuild(folder) {
  const path = resolve(folder);
  for (const file of ['dist/index.js', contestant('')])
    if (!existsSync(join(path, file)))
      throw new BenchError(
        `--against: ${join(folder, file)} is not there: give a checkout that is built (npm run build)`,
      );
  if (path === resolve(root)) throw new BenchError('--against: that is this build itself');
  return path;
}

const contestant = (folder) => join(folder, 'bench', 'contestants', 't1.mjs');

/**
 * @param {object} bench
 * @param {Record<string, { name: string, input: object, rate?: (result: any) => number }>} flows of a case: a function
 *   of the contestant, what it is given, and what is better when larger (its own `rate` when absent)
 * @param {string} older see `olderBuild`
 * @returns figures, bars and a table, as those of a case
 */
export async function against({ rounds, say }, flows, older) {
  const figures = {};
  for (const [flow, { name, input, rate = (result) => result.rate }] of Object.entries(flows)) {
    const of = (folder) => async () => ({
      rate: rate(await inChild(pathToFileURL(contestant(folder)), name, input)),
    });
    const results = await contest({
      rounds,
      contestants: { this: { '': of(root) }, older: { '': of(older) } },
      say: (line) => say(`${flow}, ${line}`),
    });
    const [mine, theirs] = [results.this.variants[''], results.older.variants['']];
    figures[flow] = { this: mine, older: theirs, ratio: median(mine.map((value, round) => value / theirs[round])) };
  }
  const each = Object.entries(figures);
  return {
    figures: { against: figures },
    bars: each.map(([flow, { ratio }]) => ({ name: `${flow}: over the older build`, value: ratio, atLeast: LEAST })),
    table: [
      ['median', 'this build', 'the older', 'ratio, median of rounds'],
      ...each.map(([flow, { this: mine, older: theirs, ratio }]) => [
        flow,
        median(mine).toFixed(1),
        median(theirs).toFixed(1),
        ratio.toFixed(3),
      ]),
    ],
  };
}
