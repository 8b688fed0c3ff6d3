/** `t1 index`: indexes of passages, made from files and searched by words. */
import Table from 'cli-table3';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Argv, CommandModule } from 'yargs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { addToIndex } from '../knowledge/add.js';
import { indexNames, removeIndex, shippedIndex, summarize, type IndexSummary } from '../knowledge/folder.js';
import { defaultBm25, type Bm25, type KnowledgeIndex } from '../knowledge/knowledge-index.js';
import { openKnowledge } from '../knowledge/shipped.js';
import { jsonlQueries } from '../knowledge/readers/jsonl.js';
import { contentOf } from '../knowledge/readers/source.js';
import { PASSAGE_WORDS } from '../knowledge/readers/split-passage.js';
import { ensureShipped } from '../knowledge/shipped.js';
import { IndexingBar } from './bar.js';
import { withIndexFolder, withJson } from './flags.js';
import { argumentText, isStandardInput, sourceName } from './input.js';

export const indexCommand = (signal: AbortSignal): CommandModule => ({
  command: 'index',
  describe: 'indexes of passages: add files, list, remove, search',
  builder: (yargs) =>
    yargs
      .command(addCommand(signal))
      .command(listCommand)
      .command(removeCommand)
      .command(searchCommand(signal))
      .demandCommand(1, 'name an action: add, list, remove or search') as never,
  handler: () => {},
});

const addBuilder = (yargs: Argv) =>
  withJson(withIndexFolder(yargs))
    .positional('name', { type: 'string', demandOption: true, describe: 'of the index, made when there is none' })
    .positional('paths', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: '.jsonl ({id, title?, text}), .md, .txt, MediaWiki .xml, each also .gz or .bz2; or folders of these',
    })
    .option('stemming', {
      type: 'boolean',
      describe: "Porter's stemmer; --no-stemming for a new index without (default: on)",
    })
    .option('stop-words', {
      type: 'boolean',
      describe: 'leave out English stop words; --no-stop-words for a new index with them (default: leave out)',
    })
    .option('passage-words', {
      type: 'number',
      default: PASSAGE_WORDS,
      requiresArg: true,
      describe: 'most words of a passage of Markdown, text or a wiki',
    });

type AddArguments = Awaited<ReturnType<typeof addBuilder>['argv']>;

const passageWords = z.int().min(10).max(100_000);

const addCommand = (signal: AbortSignal): CommandModule<object, AddArguments> => ({
  command: 'add <name> <paths..>',
  describe: 'index files; an interrupted run continues with the same command',
  builder: (yargs) => addBuilder(yargs as Argv) as never,
  handler: async ({ name, paths, indexDir: folder, stemming, stopWords, passageWords: words, json }) => {
    if (!passageWords.safeParse(words).success)
      throw new T1Error('USAGE', '--passage-words: a whole number from 10 to 100000');
    const bar = new IndexingBar();
    try {
      await ensureShipped(name, { folder, signal, onNote: (line) => bar.note(line) });
      const summary = await addToIndex(name, paths, {
        folder,
        signal,
        analysis: { stemming, stopWords },
        passageWords: words,
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
          ? `${JSON.stringify(summary)}\n`
          : `${name}: ${added} passages added${details.map((detail) => `, ${detail}`).join('')}; ${passages} in all\n`,
      );
    } finally {
      bar.stop();
    }
  },
});

const listBuilder = (yargs: Argv) => withJson(withIndexFolder(yargs));

const listCommand: CommandModule<object, Awaited<ReturnType<typeof listBuilder>['argv']>> = {
  command: 'list',
  describe: 'which indexes there are',
  builder: (yargs) => listBuilder(yargs as Argv) as never,
  handler: ({ indexDir: folder, json }) => {
    const summaries = indexNames(folder).map((name) => summaryOrError(name, folder));
    if (json) process.stdout.write(`${JSON.stringify(summaries)}\n`);
    else process.stdout.write(listTable(summaries));
  },
};

type Listed = IndexSummary | { readonly name: string; readonly error: string };

/** One that cannot be used is listed all the same: then it can be removed. */
function summaryOrError(name: string, folder: string): Listed {
  try {
    return summarize(name, folder);
  } catch (error) {
    if (error instanceof T1Error) return { name, error: `${error.code}: ${error.message}` };
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

const removeBuilder = (yargs: Argv) =>
  withIndexFolder(yargs).positional('name', {
    type: 'string',
    demandOption: true,
    describe: 'of the index; the files that it was made from stay',
  });

const removeCommand: CommandModule<object, Awaited<ReturnType<typeof removeBuilder>['argv']>> = {
  command: 'remove <name>',
  describe: 'delete an index',
  builder: (yargs) => removeBuilder(yargs as Argv) as never,
  handler: ({ name, indexDir: folder }) => {
    process.stdout.write(`removed ${removeIndex(name, folder)}\n`);
  },
};

const searchBuilder = (yargs: Argv) =>
  withJson(withIndexFolder(yargs))
    .positional('name', { type: 'string', demandOption: true, describe: 'of the index, or path of its file' })
    .positional('query', { type: 'string', describe: 'any text; - reads standard input' })
    .option('k', { type: 'number', default: 10, requiresArg: true, describe: 'most hits' })
    .option('k1', {
      type: 'number',
      default: defaultBm25.k1,
      requiresArg: true,
      describe: 'BM25: how long more of the same word counts',
    })
    .option('b', {
      type: 'number',
      default: defaultBm25.b,
      requiresArg: true,
      describe: 'BM25: how much long passages are held back, 0 to 1',
    })
    .option('queries', {
      type: 'string',
      requiresArg: true,
      describe: 'JSONL of {id, text}; prints a line {id, hits: [{id, score}]} for each',
    });

type SearchArguments = Awaited<ReturnType<typeof searchBuilder>['argv']>;

const searchFlags = z.object({
  k: z.int().min(1).max(1_000_000),
  k1: z.number().min(0).max(1000),
  b: z.number().min(0).max(1),
});

const searchCommand = (signal: AbortSignal): CommandModule<object, SearchArguments> => ({
  command: 'search <name> [query]',
  describe: 'the passages that share most with a text, by BM25',
  builder: (yargs) => searchBuilder(yargs as Argv) as never,
  handler: async (args) => {
    const parsed = searchFlags.safeParse(args);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const flag = String(issue?.path[0]);
      throw new T1Error('USAGE', `${flag.length === 1 ? '-' : '--'}${flag}: ${issue?.message ?? 'not usable'}`);
    }
    if (args.query !== undefined && args.queries !== undefined)
      throw new T1Error('USAGE', 'give a query or --queries FILE, not both');
    const { k, ...bm25 } = parsed.data;
    const query = args.queries === undefined ? await argumentText(args.query, 'query') : undefined;
    if (query?.trim() === '') throw new T1Error('INPUT', 'the query is empty: put some words into it');
    const note = (line: string) => process.stderr.write(`t1: ${line}\n`);
    const index = await openKnowledge(args.name, { folder: args.indexDir, signal, onNote: note });
    try {
      if (!index.complete)
        note(
          `${args.name} is not complete, an interrupted t1 index add waits to be continued; searching what is there`,
        );
      if (query !== undefined) searchOne(index, query, k, bm25, args.json);
      else await searchAll(index, args.queries ?? '-', k, bm25, signal);
    } finally {
      index.dispose();
    }
  },
});

function searchOne(index: KnowledgeIndex, query: string, k: number, bm25: Bm25, json: boolean): void {
  const hits = index.search(query, k, bm25);
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ query, hits: hits.map(({ passage, score }) => ({ ...passage, score })) })}\n`,
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
    if (!process.stdout.write(`${JSON.stringify({ id, hits })}\n`)) await once(process.stdout, 'drain', { signal });
    if (++count % QUERIES_PER_TURN === 0) await setImmediate();
    signal.throwIfAborted();
  }
}
