/**
 * The retriever: quality over k1, b, stemming and stop words on questions about Wikipedia paragraphs, and time, size
 * and latency with a million generated passages, beside SQLite's FTS5 on a tenth of them. Needs the build (`npm run
 * build`).
 *
 *   node bench/retrieval.mjs [--passages 1000000] [--queries 500] [--xquad ../shared/data/xquad_en]
 */
import Database from 'better-sqlite3';
import Table from 'cli-table3';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { addToIndex } from '../dist/knowledge/add.js';
import { defaultAnalysis } from '../dist/knowledge/analysis.js';
import { defaultBm25, KnowledgeIndex } from '../dist/knowledge/knowledge-index.js';
import { englishStopWords } from '../dist/knowledge/stop-words.js';
import { record, root } from './lib/record.mjs';
import { bootstrap, median, randomOf } from './lib/statistics.mjs';
import { vocabulary, writePassages, zipf } from './lib/zipf-text.mjs';

const { values: flags } = parseArgs({
  options: {
    passages: { type: 'string', default: '1000000' },
    queries: { type: 'string', default: '500' },
    xquad: { type: 'string', default: join(root, '..', 'shared', 'data', 'xquad_en') },
  },
});
const K1 = [0.6, 0.9, 1.2, 1.5, 2];
const B = [0.2, 0.4, 0.6, 0.75, 0.9];
const ANALYSES = [true, false].flatMap((stemming) => [true, false].map((stopWords) => ({ stemming, stopWords })));
/** Rank beyond which a passage counts as not found. */
const DEPTH = 100;
const WORDS = 500_000;
/** FTS5 takes too long for more. */
const PEER_PASSAGES = 100_000;
/** Words of a short query, and of a problem with its solution. */
const QUERY_WORDS = { short: 10, long: 120 };

const folder = mkdtempSync(join(tmpdir(), 't1-retrieval-'));
const say = (text) => process.stderr.write(`${text}\n`);

async function measureQuality() {
  if (!existsSync(join(flags.xquad, 'passages.jsonl.gz'))) {
    say(`quality is skipped: no ${flags.xquad}/passages.jsonl.gz`);
    return { skipped: 'the data are not there' };
  }
  const lines = gunzipSync(readFileSync(join(flags.xquad, 'questions.jsonl.gz')))
    .toString('utf8')
    .trim()
    .split('\n');
  const questions = lines.map((line) => JSON.parse(line));
  const grid = [];
  const byAnalysis = new Map();
  for (const analysis of ANALYSES) {
    const name = JSON.stringify(analysis).replace(/\W+/g, '-').replace(/^-/, '');
    await addToIndex(name, [join(flags.xquad, 'passages.jsonl.gz')], { folder, analysis });
    const index = KnowledgeIndex.open(name, { folder });
    for (const k1 of K1)
      for (const b of B) grid.push({ ...analysis, k1, b, ...means(ranksOf(index, questions, { k1, b })) });
    byAnalysis.set(analysis, ranksOf(index, questions, defaultBm25));
    index.dispose();
  }
  const own = byAnalysis.get(ANALYSES.find((analysis) => same(analysis, defaultAnalysis)));
  const against = ANALYSES.filter((analysis) => !same(analysis, defaultAnalysis)).map((analysis) => ({
    ...analysis,
    ...defaultBm25,
    // What the default is better by, question by question, with a 95 % interval.
    defaultIsBetterBy: bootstrap(byAnalysis.get(analysis).map((rank, i) => ndcg(own[i]) - ndcg(rank))),
  }));
  const table = new Table({
    head: ['stemming', 'stop words', 'k1', 'b', 'recall@3', 'MRR', 'nDCG@10'],
    style: { head: [], border: [] },
  });
  const best = [...grid].sort((x, y) => y.ndcg10 - x.ndcg10);
  const isDefault = (row) => same(row, defaultAnalysis) && row.k1 === defaultBm25.k1 && row.b === defaultBm25.b;
  const perAnalysis = ANALYSES.map((analysis) => best.find((row) => same(row, analysis)));
  for (const row of [grid.find(isDefault), ...perAnalysis]) {
    table.push([
      row.stemming,
      row.stopWords,
      row.k1,
      row.b,
      ...[row.recall3, row.mrr, row.ndcg10].map((value) => value.toFixed(4)),
    ]);
  }
  say(
    `${questions.length} questions; first the default, then the best of the grid for each analysis\n${table.toString()}`,
  );
  return { data: 'xquad_en', questions: questions.length, passages: 240, default: grid.find(isDefault), against, grid };
}

const same = (a, b) => a.stemming === b.stemming && a.stopWords === b.stopWords;

/** @returns {number[]} rank of the question's paragraph from 1, Infinity where it is not found */
function ranksOf(index, questions, bm25) {
  return questions.map(({ question, relevant }) => {
    const at = index.search(question, DEPTH, bm25).findIndex(({ passage }) => relevant.includes(passage.id));
    return at < 0 ? Infinity : at + 1;
  });
}

/** One paragraph is relevant to each question, so the ideal gain is 1. */
const ndcg = (rank) => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const means = (ranks) => ({
  recall3: mean(ranks.map((rank) => (rank <= 3 ? 1 : 0))),
  mrr: mean(ranks.map((rank) => 1 / rank)),
  ndcg10: mean(ranks.map(ndcg)),
});

async function measureScale(passages) {
  const source = join(folder, 'generated.jsonl');
  say(`writing ${passages} passages`);
  const words = vocabulary(WORDS, 1);
  const texts = await writePassages(source, { passages, words, seed: 2, kept: 100 });
  const stages = {};
  const begin = performance.now();
  const { path } = await addToIndex('generated', [source], {
    folder,
    onProgress: ({ stage }) => (stages[stage] ??= performance.now()),
  });
  const end = performance.now();
  const index = KnowledgeIndex.open('generated', { folder });
  const result = {
    passages,
    wordsOfAPassage: [50, 100],
    vocabulary: WORDS,
    sourceBytes: statSync(source).size,
    indexBytes: statSync(path).size,
    seconds: { all: (end - begin) / 1000, merge: (end - stages.merge) / 1000 },
    passagesPerSecond: passages / ((end - begin) / 1000),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    openMs: elapsed(() => KnowledgeIndex.open('generated', { folder }).dispose()),
    latencyMs: latencies(index, words, texts),
  };
  index.dispose();
  const { seconds, indexBytes, sourceBytes, latencyMs } = result;
  say(
    `${passages} passages in ${seconds.all.toFixed(0)} s, ${(indexBytes / 1e6).toFixed(0)} MB (source: ${(sourceBytes / 1e6).toFixed(0)} MB)`,
  );
  const table = new Table({
    head: ['query', 'words', 'p50 ms', 'p95 ms', 'p99 ms', 'most'],
    style: { head: [], border: [] },
  });
  for (const { kind, words: count, p50, p95, p99, most } of latencyMs)
    table.push([kind, count, ...[p50, p95, p99, most].map((ms) => ms.toFixed(1))]);
  say(table.toString());
  return result;
}

/**
 * SQLite's own full-text search on the same passages: contentless, Porter's stemmer, the query's words without stop
 * words joined by OR.
 */
async function measurePeer(passages) {
  const source = join(folder, 'fewer.jsonl');
  const words = vocabulary(WORDS, 1);
  await writePassages(source, { passages, words, seed: 2 });
  await addToIndex('fewer', [source], { folder });
  const index = KnowledgeIndex.open('fewer', { folder });
  const database = new Database(join(folder, 'fts5.sqlite'));
  database.exec("CREATE VIRTUAL TABLE passage USING fts5(text, content='', tokenize='porter unicode61')");
  const insert = database.prepare('INSERT INTO passage (rowid, text) VALUES (?, ?)');
  database.transaction(() => {
    const lines = readFileSync(source, 'utf8').trim().split('\n');
    for (const [i, line] of lines.entries()) insert.run(i + 1, JSON.parse(line).text);
  })();
  const find = database.prepare('SELECT rowid, rank FROM passage WHERE passage MATCH ? ORDER BY rank LIMIT 10');
  const random = randomOf(4);
  const rank = zipf(words.length, random);
  const measured = Object.values(QUERY_WORDS).map((count) => {
    const queries = Array.from({ length: 60 }, () => Array.from({ length: count }, () => words[rank()]));
    const times = (search) => median(queries.map((query) => elapsed(() => search(query))).slice(10));
    const own = times((query) => index.search(query.join(' '), 10));
    const fts5 = times((query) =>
      find.all(
        [...new Set(query)]
          .filter((word) => !englishStopWords.has(word))
          .map((word) => `"${word}"`)
          .join(' OR '),
      ),
    );
    return { words: count, own, fts5, ratio: fts5 / own };
  });
  index.dispose();
  database.close();
  for (const { words: count, own, fts5, ratio } of measured)
    say(
      `${count} words, ${passages} passages: ${own.toFixed(1)} ms, FTS5 ${fts5.toFixed(1)} ms (${ratio.toFixed(1)} ×)`,
    );
  return { passages, medianMs: measured };
}

/** Queries of words drawn one by one, which share no topic, and queries from passages of the index. */
function latencies(index, words, texts) {
  const random = randomOf(3);
  const rank = zipf(words.length, random);
  const drawn = (count) => Array.from({ length: count }, () => words[rank()]).join(' ');
  const excerpt = (count) => {
    const parts = [];
    for (let left = count; left > 0; left -= 60)
      parts.push(...texts[Math.floor(random() * texts.length)].split(' ').slice(0, Math.min(left, 60)));
    return parts.join(' ');
  };
  const measured = [];
  for (const [kind, queryOf] of Object.entries({ drawn, excerpt })) {
    for (const count of Object.values(QUERY_WORDS)) {
      const queries = Array.from({ length: Number(flags.queries) + 50 }, () => queryOf(count));
      const times = queries
        .map((query) => elapsed(() => index.search(query, 10)))
        .slice(50)
        .sort((a, b) => a - b); // the first ones warm up
      const at = (share) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)];
      measured.push({
        kind,
        words: count,
        k: 10,
        queries: times.length,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        most: times.at(-1),
      });
    }
  }
  return measured;
}

function elapsed(work) {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}

try {
  const quality = await measureQuality();
  const peer = await measurePeer(Math.min(PEER_PASSAGES, Number(flags.passages)));
  const scale = await measureScale(Number(flags.passages));
  process.stdout.write(
    `${record('retrieval', { defaults: { ...defaultBm25, ...defaultAnalysis }, quality, peer, scale })}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
