/**
 * Speed of the sandboxes: ten-line programs per second through the pool, time of one, and time to start. Rounds of the
 * backends take turns. cpython is left out, with the reason, where it cannot be had. Without SymPy.
 * Needs the build (`npm run build`).
 *
 *   node bench/sandbox.mjs [--workers CORES] [--programs 600] [--rounds 3] [--python PATH]
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
    python: { type: 'string' },
  },
});
const coreWorkers = Number(flags.workers);
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

const BACKENDS = ['pyodide', 'cpython'];
const start = (backend, workers) => Sandbox.start({ backend, workers, python: flags.python, systemSympy: false });

async function measureStart(backend) {
  const begin = performance.now();
  const sandbox = await start(backend, 1);
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

/** One backend over all rounds; `round` adds to its figures. */
async function contestant(backend) {
  const first = await measureStart(backend); // makes Pyodide's start image if there is none
  const [one, many] = [await start(backend, 1), await start(backend, coreWorkers)];
  const figures = { starts: [], one: [], many: [] };
  for (const sandbox of [one, many]) await measureThroughput(sandbox); // every worker is up and warm
  return {
    async round() {
      figures.one.push(await measureThroughput(one));
      figures.many.push(await measureThroughput(many));
      for (let i = 0; i < 3; i++) figures.starts.push(await measureStart(backend));
    },
    async finish() {
      const { version, description } = one;
      const rates = (rounds) => ({ median: median(rounds), rounds });
      const result = {
        version,
        isolation: / in (\w+)$/.exec(description)?.[1] ?? 'child process',
        programsPerSecond: { oneWorker: rates(figures.one), [`workers${coreWorkers}`]: rates(figures.many) },
        startMs: { ...rates(figures.starts), first },
        oneProgramMs: await measureEach(one, TEN_LINES, 200),
        loopOfAMillionMs: await measureEach(one, LOOP, 5),
      };
      await Promise.all([one.dispose(), many.dispose()]);
      return result;
    },
  };
}

const contestants = new Map();
const backends = {};
for (const backend of BACKENDS) {
  try {
    contestants.set(backend, await contestant(backend));
  } catch (error) {
    if (backend === 'pyodide') throw error;
    backends[backend] = { leftOut: error.message };
    process.stderr.write(`${backend} is left out: ${error.message}\n`);
  }
}
for (let i = 0; i < Number(flags.rounds); i++) for (const each of contestants.values()) await each.round();
for (const [backend, each] of contestants) {
  const result = await each.finish();
  backends[backend] = result;
  const rates = Object.entries(result.programsPerSecond).map(
    ([name, { median: rate }]) => `${rate.toFixed(0)}/s ${name}`,
  );
  process.stderr.write(
    `${backend}: ${rates.join(', ')}; start ${result.startMs.median.toFixed(0)} ms, one program ${result.oneProgramMs.toFixed(1)} ms\n`,
  );
}
process.stdout.write(`${record('sandbox', { workers: coreWorkers, programs: count, backends })}\n`);
