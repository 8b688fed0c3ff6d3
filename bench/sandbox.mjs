/**
 * Speed of the sandbox: ten-line programs per second through the pool, time of one, and time to start.
 * Needs the build (`npm run build`).
 *
 *   node bench/sandbox.mjs [--workers CORES] [--programs 600] [--rounds 3]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Sandbox } from '../dist/sandbox/sandbox.js';
import { record } from './lib/record.mjs';
import { median } from './lib/statistics.mjs';

const { values: flags } = parseArgs({
  options: {
    workers: { type: 'string', default: String(availableParallelism()) },
    programs: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '3' },
  },
});
const workers = Number(flags.workers);
const count = Number(flags.programs);

const TEN_LINES = `
def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
total = 0
for i in range(1, 200):
    if i % 3 == 0 or i % 5 == 0:
        total += i
print(fib(50), total, f"{total/7:.3f}")
`.trim();
const PRINTS = '12586269025 9168 1309.714\n';
const LOOP = 'def f():\n    t = 0\n    for i in range(1000000):\n        t += i * i % 7\n    return t\nf()';

async function measureStart() {
  const begin = performance.now();
  const sandbox = await Sandbox.start({ workers: 1 });
  const ms = performance.now() - begin;
  await sandbox.dispose();
  return ms;
}

/** @returns {Promise<number>} programs per second */
async function measureThroughput(sandbox) {
  const programs = Array.from({ length: count }, (_, id) => ({ id, code: TEN_LINES }));
  const begin = performance.now();
  for await (const { result } of sandbox.runBatch(programs)) {
    if (result.status !== 'ok' || result.stdout !== PRINTS) throw new Error(`wrong result: ${JSON.stringify(result)}`);
  }
  return (count / (performance.now() - begin)) * 1000;
}

async function measureEach(sandbox, code, times) {
  const all = [];
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    await sandbox.run({ code, timeoutMs: 20_000 });
    all.push(performance.now() - begin);
  }
  return median(all);
}

const firstStart = await measureStart(); // makes the start image if there is none
const starts = [];
for (let i = 0; i < 2 * Number(flags.rounds) + 1; i++) starts.push(await measureStart());
const sandbox = await Sandbox.start({ workers });
await measureThroughput(sandbox); // every worker is up and warm
const rates = [];
for (let i = 0; i < Number(flags.rounds); i++) rates.push(await measureThroughput(sandbox));
const result = {
  workers,
  programs: count,
  programsPerSecond: { median: median(rates), rounds: rates },
  startMs: { median: median(starts), rounds: starts, first: firstStart },
  oneProgramMs: await measureEach(sandbox, TEN_LINES, 200),
  loopOfAMillionMs: await measureEach(sandbox, LOOP, 5),
};
await sandbox.dispose();
process.stderr.write(`${result.programsPerSecond.median.toFixed(0)} programs/s with ${workers} workers, start ${result.startMs.median.toFixed(0)} ms\n`);
process.stdout.write(`${record('sandbox', result)}\n`);
