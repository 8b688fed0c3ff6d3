/**
 * How long the command line takes where it has nothing to compute, over `node -e 0`: `t1 --version`, `t1 solve` of a
 * problem that the database answers, and for comparison `t1 --help`. All in turn, round by round. Needs the build (`npm
 * run build`).
 *
 *   node bench/startup.mjs [--rounds 21] [--samples 16]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { record, root } from './lib/record.mjs';
import { median } from './lib/statistics.mjs';

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, samples: { type: 'string', default: '16' } },
});
const BARS = { version: 5, solve: 10 };
const PROBLEM = 'Mia has 94 stamps. Leo gives Mia 78 more. How many stamps does Mia have?';

const folder = mkdtempSync(join(tmpdir(), 't1-startup-'));
const t1 = (...args) => [join(root, 'dist', 'cli.js'), ...args];
const contestants = {
  node: ['-e', '0'],
  version: t1('--version'),
  help: t1('--help'),
  solve: t1('solve', PROBLEM, '--db', join(folder, 'results.sqlite'), '-n', flags.samples),
};

/** @returns {{ ms: number, stdout: string }} wall time from spawn to exit */
function run(args) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const ms = performance.now() - begin;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { ms, stdout };
}

try {
  run(contestants.solve); // now the database has it
  const { stdout } = run([...contestants.solve, '--json']);
  const { usage, cache } = JSON.parse(stdout);
  if (usage.decodedTokens !== 0) throw new Error(`not all was cached: ${JSON.stringify({ usage, cache })}`);
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < Number(flags.rounds); round++)
    for (const [name, args] of Object.entries(contestants)) times[name].push(run(args).ms);
  const measured = Object.fromEntries(
    Object.entries(times)
      .filter(([name]) => name !== 'node')
      .map(([name, ms]) => {
        const ratios = ms.map((each, round) => each / times.node[round]);
        return [name, { ms: median(ms), ratio: median(ratios), ratios, bar: BARS[name] }];
      }),
  );
  for (const [name, { ms, ratio, bar }] of Object.entries(measured))
    process.stderr.write(
      `${name}: ${ms.toFixed(0)} ms, ${ratio.toFixed(2)} × node -e 0${bar === undefined ? '' : ` (bar: ${bar})`}\n`,
    );
  const file = record('startup', {
    rounds: Number(flags.rounds),
    samples: Number(flags.samples),
    nodeMs: median(times.node),
    commands: measured,
  });
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
