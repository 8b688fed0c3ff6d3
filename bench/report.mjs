/**
 * The report of a large run in Chromium: size of the file, first paint, table of problems, one problem opened.
 * The run is made up (test/support/synthetic-run.mjs). Needs the build (`npm run build`) and Chromium.
 *
 *   node bench/report.mjs [--problems 500] [--samples 64] [--rounds 5]
 */
import { mkdtempSync, rmSync, statSync, createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { reportFile } from '../dist/report/page.js';
import { syntheticEffort, syntheticManifest, syntheticRecords } from '../test/support/synthetic-run.mjs';
import { chromiumPath, launch } from './lib/chromium.mjs';
import { record } from './lib/record.mjs';
import { median } from './lib/statistics.mjs';

const { values: flags } = parseArgs({
  options: {
    problems: { type: 'string', default: '500' },
    samples: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '5' },
  },
});
const [problems, samples, rounds] = [flags.problems, flags.samples, flags.rounds].map(Number);

const path = chromiumPath();
if (path === null) {
  console.error('bench report: no Chromium on the path; T1_CHROMIUM=FILE names one');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 't1-bench-'));
const file = join(folder, 'report.html');

/** Milliseconds from the start of the navigation; a new browser each time, so nothing is in its memory. */
async function measure() {
  const browser = await launch(path);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
  const times = await page.evaluate(() => ({
    firstPaintMs: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    tableMs: performance.getEntriesByName('t1-table')[0].startTime,
    loadedMs: performance.getEntriesByType('navigation')[0].loadEventStart,
  }));
  const problemMs = await page.evaluate(async () => {
    const begin = performance.now();
    location.hash = 'problem=7';
    while (performance.getEntriesByName('t1-problem').length === 0) await new Promise(requestAnimationFrame);
    return performance.now() - begin;
  });
  const version = browser.version();
  await browser.close();
  return { ...times, problemMs, version };
}

try {
  const records = [...syntheticRecords({ problems, samples })];
  const begin = performance.now();
  await pipeline(
    Readable.from(reportFile({ manifest: syntheticManifest(problems, samples), effort: syntheticEffort }, records)),
    createWriteStream(file),
  );
  const makeMs = performance.now() - begin;
  const bytes = statSync(file).size;
  const all = [];
  for (let i = 0; i < rounds; i++) all.push(await measure());
  const of = (name) => ({ median: median(all.map((each) => each[name])), rounds: all.map((each) => each[name]) });
  const result = {
    problems,
    samples,
    chromium: all[0].version,
    fileBytes: bytes,
    recordBytes: records.reduce((sum, each) => sum + Buffer.byteLength(JSON.stringify(each)), 0),
    makeMs,
    firstPaintMs: of('firstPaintMs'),
    tableMs: of('tableMs'),
    loadedMs: of('loadedMs'),
    problemMs: of('problemMs'),
  };
  const seconds = (name) => `${(result[name].median / 1000).toFixed(2)} s`;
  process.stderr.write(
    `${problems} × ${samples}: ${(bytes / 2 ** 20).toFixed(1)} MiB; first paint ${seconds('firstPaintMs')}, table ${seconds('tableMs')}, loaded ${seconds('loadedMs')}, a problem ${seconds('problemMs')}\n`,
  );
  process.stdout.write(`${record('report', result)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
