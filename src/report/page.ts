/** The page: one HTML file that asks nobody for anything, or the same kept up to date by a server on this machine. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import type { RunRecord } from '../runs/record.js';
import type { RunFile, RunManifest } from '../runs/run-file.js';
import { summaryOfRecords, type RunSummary } from '../runs/run-summary.js';
import { packageRoot } from '../paths.js';
import { JUDGES, problemOf, rowOf, STRATEGIES, type ProblemData, type Row } from './data.js';
import { Html, html, inertJson } from './html.js';
import { overviewOf } from './overview.js';

/** Scripts of the page, each after those that it uses. */
const SCRIPTS = ['elements', 'theme', 'source', 'filter', 'table', 'evidence', 'candidate', 'problem', 'main'];
const folder = join(packageRoot, 'src', 'report', 'browser');

/** What the page's scripts need at once. */
export interface PageData {
  readonly overview: string;
  readonly rows: readonly Row[];
  readonly strategies: Readonly<Record<string, string>>;
}

/** What pages say of a run beside its records. */
export type About = Pick<RunFile, 'manifest' | 'effort'>;

export async function pageDataOf({ manifest, effort }: About, records: readonly RunRecord[]): Promise<PageData> {
  const summary = await summaryOfRecords(manifest, records, effort);
  return {
    overview: overviewOf(summary).text,
    rows: records.map(rowOf),
    strategies: summary.kind === 'claims' ? JUDGES : strategiesOf(summary),
  };
}

/** Those that have a figure; all while nothing is done. */
const strategiesOf = ({ leftOut }: Pick<RunSummary, 'leftOut'>): PageData['strategies'] =>
  Object.fromEntries(Object.entries(STRATEGIES).filter(([name]) => !Object.hasOwn(leftOut, name)));

/**
 * The parts of a file, in order; problems are packed one by one, so a run need not fit into one string, or into memory.
 *
 * @param wholeAt the record with its texts, where `records` come without
 */
export async function* reportFile(
  about: About,
  records: readonly RunRecord[],
  wholeAt = (record: RunRecord): RunRecord => record,
): AsyncGenerator<string> {
  const { manifest } = about;
  const { overview, rows, strategies } = await pageDataOf(about, records);
  yield head(titleOf(manifest), "default-src 'none'", 'file');
  yield body(
    manifest,
    new Html(overview),
    html`<script type="application/json" id="data">${inertJson({ rows, strategies })}</script>`,
  ).text;
  for (const [ordinal, record] of records.entries()) {
    yield `<script type="text/plain" id="problem-${ordinal}">${await packed(problemOf(wholeAt(record), manifest.configuration))}</script>\n`;
  }
  yield '</body></html>\n';
}

/** What the server sends first; figures and problems are asked for. */
export const livePage = (manifest: RunManifest): string =>
  `${head(titleOf(manifest), "default-src 'none'; connect-src 'self'", 'live')}${body(manifest, html`<p>Reading the run …</p>`, html``).text}</body></html>\n`;

const titleOf = ({ task, model }: RunManifest): string => `${task.title}, ${model.name}`;

const deflate = promisify(deflateRaw);

/** Base64 has no character that markup could mistake. */
const packed = async (problem: ProblemData): Promise<string> =>
  (await deflate(JSON.stringify(problem), { level: 9 })).toString('base64');

function head(title: string, sources: string, mode: 'file' | 'live'): string {
  const style = readFileSync(join(folder, 'style.css'), 'utf8');
  const policy = `${sources}; script-src ${hashOf(pageScript())}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<!-- Made by t1. The charts were drawn with d3-scale and d3-shape (Copyright Mike Bostock, ISC licence); no code of theirs is in this file. -->
<html lang="en" data-mode="${mode}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
${html`<title>${title} – t1</title>`.text}
<style>${style}</style></head>`;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function body(manifest: RunManifest, overview: Html, data: Html): Html {
  return html`<body>
<header><h1>${manifest.task.title} <small>${manifest.model.name}</small></h1><a href="#problems">Problems</a><span id="status" role="status"></span><button id="theme" type="button">Theme: auto</button></header>
<main id="summary" tabindex="-1"><div id="overview">${overview}</div><section id="problems" aria-label="Problems"></section></main>
<main id="problem" tabindex="-1" hidden></main>
<noscript><p>Problems and candidates need JavaScript; the figures above do not.</p></noscript>
${data}<script>${new Html(pageScript())}</script>
`;
}

/**
 * The page's modules as one script: each uses only names of those before it, so their import lines and the word export
 * go. No bundler is needed for that.
 */
export function pageScript(): string {
  const modules = SCRIPTS.map((name) =>
    readFileSync(join(folder, `${name}.mjs`), 'utf8')
      .replace(/^import .*\n/gm, '')
      .replace(/^export (?=(async )?(function|const|class) )/gm, ''),
  );
  return `(() => {\n'use strict';\n${modules.join('')}})();`;
}
