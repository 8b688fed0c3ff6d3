/** The page in a real browser. Without one these tests are skipped, and say so. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launch } from '../../bench/lib/chromium.mjs';
import { RunFile } from '../../src/runs/run-file.js';
import type { SolvedRecord } from '../../src/runs/record.js';
import { reportFile } from '../../src/report/page.js';
import { viewServer } from '../../src/report/server.js';
import { syntheticEffort, syntheticManifest, syntheticRecords } from '../support/synthetic-run.mjs';
import { temporaryFolder } from '../support/t1.js';

const executable = chromiumPath();
if (executable === null)
  process.stderr.write('skipped: test/browser, since there is no Chromium on the path (T1_CHROMIUM=FILE names one)\n');

const HOSTILE = `</script><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
const manifest = syntheticManifest(30, 12);
const records = [...syntheticRecords({ problems: 30, samples: 12, seed: 3, failed: 1 })].map((record, i) =>
  i === 2 && record.outcome === 'solved' ? hostile(record) : record,
);

function hostile(record: SolvedRecord): SolvedRecord {
  const passages = [{ id: HOSTILE, title: HOSTILE, text: HOSTILE, score: 1 }];
  const programs = [{ code: HOSTILE, status: 'ok', stdout: HOSTILE }];
  const evidence = {
    verdict: 'pass' as const,
    programs,
    passages,
    checks: [{ text: HOSTILE, verdict: 'pass' as const }],
    steps: [{ step: HOSTILE, holds: false, value: HOSTILE }],
    note: HOSTILE,
  };
  return {
    ...record,
    problem: HOSTILE,
    candidates: record.candidates.map((candidate) => ({
      ...candidate,
      text: HOSTILE,
      answer: HOSTILE,
      tool: evidence,
      rationales: [{ text: HOSTILE, score: 0.5 }],
      stepScores: [{ text: HOSTILE, score: 0.2 }],
    })),
  };
}

/** Runs in the page: pairs of labels of a chart that lie on each other, and labels that stick out of it. */
const touching = `(chart) => {
  const frame = chart.getBoundingClientRect();
  const labels = [...chart.querySelectorAll('text')].map((each) => ({ text: each.textContent, box: each.getBoundingClientRect() }));
  const outside = labels.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
  const pairs = labels.flatMap((a, i) => labels.slice(i + 1).filter((b) => a.box.left < b.box.right && b.box.left < a.box.right && a.box.top < b.box.bottom && b.box.top < a.box.bottom).map((b) => a.text + ' on ' + b.text));
  return [...outside.map(({ text }) => text + ' outside'), ...pairs];
}`;

describe.skipIf(executable === null)('in Chromium', () => {
  const folder = temporaryFolder();
  const file = join(folder.path, 'page.html');
  let browser: Browser;
  const wrong: string[] = [];

  beforeAll(async () => {
    await pipeline(Readable.from(reportFile({ manifest, effort: syntheticEffort }, records)), createWriteStream(file));
    browser = await launch(executable ?? '');
  });
  afterAll(async () => {
    await browser.close();
    folder.remove();
  });

  const open = async (address: string, size = { width: 1280, height: 900 }): Promise<Page> => {
    const page = await browser.newPage({ viewport: size });
    page.on('pageerror', ({ message }) => wrong.push(message));
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on(
      'request',
      (request) =>
        new URL(request.url()).origin !== new URL(address).origin && wrong.push(`asked for ${request.url()}`),
    );
    await page.goto(address);
    return page;
  };
  const openFile = (hash = '', size?: { width: number; height: number }) =>
    open(`${pathToFileURL(file).href}${hash}`, size);
  const rows = (page: Page) => page.locator('table.problems tbody tr');

  test('filters, sorts, opens a problem and comes back, by keyboard alone', async () => {
    const page = await openFile();
    await expect.poll(() => rows(page).count()).toBe(30);
    await page.keyboard.press('/');
    await page.keyboard.type('made-17');
    expect(await rows(page).count()).toBe(1);
    await page.locator('table.problems a').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('article.card').count()).toBe(12);
    expect(await page.locator('#problem h2').textContent()).toContain('made-17');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('#summary').isVisible()).toBe(true);
    await page.getByRole('button', { name: 'T1 right, majority wrong' }).click();
    const shown = await rows(page).count();
    expect(shown).toBeGreaterThan(0);
    expect(shown).toBeLessThan(30);
    await page.locator('button[data-column="id"]').press('Enter');
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
    await page.close();
  });

  test('another strategy shows another sum', async () => {
    const page = await openFile('#problem=5');
    await page.locator('.strategy select').selectOption({ index: 2 });
    const [first] = await page.locator('table.sums tbody tr .number').allTextContents();
    expect(Number(first)).toBeGreaterThanOrEqual(1); // votes
    await page.close();
  });

  test('what a model wrote is shown as it is and does nothing', async () => {
    const page = await openFile('#problem=2');
    await expect.poll(() => page.locator('article.card').count()).toBe(12);
    await page.evaluate("document.querySelectorAll('details').forEach((each) => each.setAttribute('open', ''))");
    expect(await page.locator('article.card .step').first().textContent()).toBe(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).not.toBe('owned');
    await page.close();
  });

  test('nothing is wider than a telephone', async () => {
    for (const hash of ['', '#problem=2', '#problem=5']) {
      const page = await openFile(hash, { width: 375, height: 800 });
      await page.waitForTimeout(200);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375);
      await page.close();
    }
  });

  test('the charts of the verifiers fit, none of their labels touch, and their tables open by keyboard', async () => {
    for (const width of [375, 760, 1280]) {
      const page = await openFile('', { width, height: 900 });
      for (const id of ['roc', 'precision-recall', 'calibration']) {
        const chart = `svg[aria-labelledby^="${id}-${width < 720 ? 'narrow' : 'wide'}"]`;
        expect(await page.locator(chart).isVisible()).toBe(true);
        expect(await page.evaluate(`(${touching})(document.querySelector('${chart}'))`)).toEqual([]);
      }
      await page.locator('#thresholds > summary').press('Enter');
      expect(await page.locator('#thresholds table').isVisible()).toBe(true);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.close();
    }
  });

  test('every line and bar has a colour of the theme', async () => {
    const page = await openFile();
    const colours = await page.evaluate(
      "[...document.querySelectorAll('svg [class=fill], svg [class=mark]')].map((each) => getComputedStyle(each).fill)",
    );
    expect(colours).not.toEqual([]);
    expect(colours).not.toContain('rgb(0, 0, 0)'); // what SVG paints where no colour is given
    await page.close();
  });

  test('the theme can be chosen', async () => {
    const page = await openFile();
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await paper();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await paper()).not.toBe(light);
    await page.getByRole('button', { name: 'Theme' }).click(); // light
    expect(await paper()).toBe(light);
    await page.close();
  });

  test('live: grows while the run goes on', async () => {
    using run = RunFile.begin(join(folder.path, 'live'), manifest);
    using writer = RunFile.open(join(folder.path, 'live'));
    const server = viewServer(run).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const page = await open(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
    await expect.poll(() => page.locator('#overview').textContent()).toContain('No problem is done yet');
    for (const [ordinal, record] of records.slice(0, 4).entries()) writer.save(ordinal, record);
    await expect.poll(() => rows(page).count(), { timeout: 10_000 }).toBe(4);
    await page.locator('table.problems a').nth(3).click();
    await expect.poll(() => page.locator('article.card').count()).toBe(12);
    await page.close();
    server.closeAllConnections();
    server.close();
  });

  test('no error and no request to anybody in all of that', () => expect(wrong).toEqual([]));
});
