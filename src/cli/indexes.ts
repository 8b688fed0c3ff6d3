/** `t1 index`: indexes of passages, made from files and searched by words. */
import Table from 'cli-table3';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { addToIndex } from '../knowledge/add.js';
import { indexNames, removeIndex, shippedIndex, summarize, type IndexSummary } from '../knowledge/folder.js';
import type { Bm25, KnowledgeIndex } from '../knowledge/knowledge-index.js';
import { jsonlQueries } from '../knowledge/readers/jsonl.js';
import { contentOf } from '../knowledge/readers/source.js';
import { ensureShipped, openKnowledge } from '../knowledge/shipped.js';
import { IndexingBar } from './bar.js';
import type { NameOf } from '../message.js';
import { indexFolder } from '../paths.js';
import { indexingSettings, searchSettings } from '../settings/passages-settings.js';
import { indexFolderSettings } from '../settings/session-settings.js';
import type { Setting } from '../settings/setting.js';
import { command, type CommandEntry } from './command.js';
import { jsonFlag } from './flags.js';
import { argumentText, isStandardInput, sourceName } from './input.js';
import { jsonLine } from './json.js';
import { inCommands } from './remedies.js';

const indexName = { type: z.string(), group: 'Options', help: 'of the index' } satisfies Setting;

const addCommand = command({
  flags: { ...indexingSettings, ...indexFolderSettings, ...jsonFlag },
  words: {
    name: { ...indexName, help: 'of the index, made when there is none' },
    paths: {
      type: z.array(z.string()).min(1),
      group: 'Options',
      help: '.jsonl ({id, title?, text}), .md, .txt, MediaWiki .xml, each also .gz or .bz2; or folders of these',
    },
  },
  run: async ({ flags, words: { name, paths }, signal }) => {
    const { stemming, stopWords, passageWords, indexFolder: folder = indexFolder(), json } = flags;
    const bar = new IndexingBar();
    try {
      await ensureShipped(name, { folder, signal, onNote: (line) => bar.note(line) });
      const summary = await addToIndex(name, paths, {
        folder,
        signal,
        analysis: { stemming, stopWords },
        passageWords,
        onProgress: bar.show,
      });
      bar.stop();
      const { added, known, empty, files, unchangedFiles, passages } = summary;
      const details = [
        unchangedFiles > 0 && `${unchangedFiles} of ${files} files unchanged`,
        known > 0 && `${known} passages were there already`,
        empty > 0 && `${empty} without text left out`,
      ].filter(Boolean);
      process.stdout.write(
        json
          ? jsonLine('index add', summary)
          : `${name}: ${added} passages added${details.map((detail) => `, ${detail}`).join('')}; ${passages} in all\n`,
      );
    } finally {
      bar.stop();
    }
  },
});

const listCommand = command({
  flags: { ...indexFolderSettings, ...jsonFlag },
  words: {},
  run: ({ flags: { indexFolder: folder = indexFolder(), json }, nameOf }) => {
    const summaries = indexNames(folder).map((name) => summaryOrError(name, folder, nameOf));
    if (json) process.stdout.write(jsonLine('index list', { indexes: summaries }));
    else process.stdout.write(listTable(summaries));
  },
});

type Listed = IndexSummary | { readonly name: string; readonly error: string };

/** One that cannot be used is listed all the same: then it can be removed. */
function summaryOrError(name: string, folder: string, nameOf: NameOf): Listed {
  try {
    return summarize(name, folder);
  } catch (error) {
    if (error instanceof T1Error) return { name, error: `${error.code}: ${error.told(nameOf, inCommands)}` };
    throw error;
  }
}

function listTable(summaries: readonly Listed[]): string {
  const table = new Table({
    head: ['index', 'passages', 'files', 'MB', 'stemming', 'stop words', ''],
    style: { head: [], border: [] },
  });
  for (const summary of summaries) {
    if ('error' in summary) table.push([summary.name, { colSpan: 6, content: summary.error }]);
    else {
      const { name, passages, sources, bytes, stemming, stopWords, complete } = summary;
      const state = complete ? '' : 'unfinished: add again';
      table.push([
        name,
        passages,
        sources,
        (bytes / 1e6).toFixed(1),
        stemming ? 'yes' : 'no',
        stopWords ? 'left out' : 'kept',
        state,
      ]);
    }
  }
  const shipped = summaries.some(({ name }) => name === shippedIndex)
    ? ''
    : `${shippedIndex}: The World Factbook, ships with t1, indexed on its first use\n`;
  return (summaries.length > 0 ? `${table.toString()}\n` : '') + shipped;
}

const removeCommand = command({
  flags: indexFolderSettings,
  words: { name: { ...indexName, help: 'of the index; the files that it was made from stay' } },
  run: ({ flags: { indexFolder: folder = indexFolder() }, words: { name } }) => {
    process.stdout.write(`removed ${removeIndex(name, folder)}\n`);
  },
});

const searchCommand = command({
  flags: {
    ...searchSettings,
    queries: {
      type: z.string().min(1).optional(),
      group: 'Search',
      help: 'JSONL of {id, text}; prints a line {version, id, hits: [{id, score}]} for each',
    },
    ...indexFolderSettings,
    ...jsonFlag,
  },
  words: {
    name: { ...indexName, help: 'of the index, or path of its file' },
    query: { type: z.string().optional(), group: 'Options', help: 'any text; - reads standard input' },
  },
  text: 'query',
  run: async ({ flags, words, signal }) => {
    const { k, k1, b, queries, indexFolder: folder = indexFolder(), json } = flags;
    if (words.query !== undefined && queries !== undefined)
      throw new T1Error('USAGE', 'give a query or --queries FILE, not both');
    const query = queries === undefined ? await argumentText(words.query, 'query') : undefined;
    if (query?.trim() === '') throw new T1Error('INPUT', 'the query is empty: put some words into it');
    const note = (line: string) => process.stderr.write(`t1: ${line}\n`);
    const index = await openKnowledge(words.name, { folder, signal, onNote: note });
    try {
      if (!index.complete)
        note(
          `${words.name} is not complete, an interrupted t1 index add waits to be continued; searching what is there`,
        );
      if (query !== undefined) searchOne(index, query, k, { k1, b }, json);
      else await searchAll(index, queries ?? '-', k, { k1, b }, signal);
    } finally {
      index.dispose();
    }
  },
});

function searchOne(index: KnowledgeIndex, query: string, k: number, bm25: Bm25, json: boolean): void {
  const hits = index.search(query, k, bm25);
  if (json) {
    process.stdout.write(
      jsonLine('index search', { query, hits: hits.map(({ passage, score }) => ({ ...passage, score })) }),
    );
  } else if (hits.length === 0) process.stderr.write('t1: no passage has a word of the query\n');
  else {
    hits.forEach(({ passage: { id, title, text }, score }, i) => {
      process.stdout.write(
        `${i + 1}. ${score.toFixed(3)}  ${id}${title === null ? '' : `  ${title}`}\n   ${shortened(text)}\n`,
      );
    });
  }
}

const SHOWN_CHARACTERS = 200;

function shortened(text: string): string {
  const line = text.replace(/\s+/gu, ' ').trim();
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS).toWellFormed()}…`;
}

/** Queries between two looks for Ctrl-C. */
const QUERIES_PER_TURN = 16;

async function searchAll(
  index: KnowledgeIndex,
  path: string,
  k: number,
  bm25: Bm25,
  signal: AbortSignal,
): Promise<void> {
  const chunks = isStandardInput(path)
    ? (process.stdin as AsyncIterable<Buffer>)
    : contentOf({ path, name: path }, () => {});
  let count = 0;
  for await (const { id, text } of jsonlQueries(chunks, sourceName(path))) {
    const hits = index.search(text, k, bm25).map(({ passage, score }) => ({ id: passage.id, score }));
    if (!process.stdout.write(jsonLine('index search queries', { id, hits })))
      await once(process.stdout, 'drain', { signal });
    if (++count % QUERIES_PER_TURN === 0) await setImmediate();
    signal.throwIfAborted();
  }
}

export const indexActions: readonly CommandEntry[] = [
  {
    usage: 'add <name> <paths..>',
    describe: 'index files; an interrupted run continues with the same command',
    load: async () => addCommand,
  },
  { usage: 'list', describe: 'which indexes there are', load: async () => listCommand },
  { usage: 'remove <name>', describe: 'delete an index', load: async () => removeCommand },
  {
    usage: 'search <name> [query]',
    describe: 'the passages that share most with a text, by BM25',
    load: async () => searchCommand,
  },
];
