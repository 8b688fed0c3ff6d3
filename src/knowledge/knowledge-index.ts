/** Passages that are found by their words: an index on disk, opened for searching. */
import type Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { T1Error } from '../errors.js';
import { parseSettings } from '../settings/parse-settings.js';
import { searchSettings } from '../settings/passages-settings.js';
import { contentKey } from '../store/key.js';
import { Analyzer, type Analysis } from './analysis.js';
import { guarded } from './errors.js';
import { FORMAT, openForReading, readState, type IndexState } from './file.js';
import { indexNotFound, indexPath } from './folder.js';
import { postingsOf } from './merge.js';
import type { Hit, Passage } from './passage.js';
import type { Postings } from './postings.js';
import { Scorer, type Bm25, type QueryTerm } from './search.js';

export { defaultBm25 } from '../settings/passages-settings.js';
export type { Bm25 } from './search.js';
export type { Hit, Passage } from './passage.js';

interface PostingRow {
  passages: number;
  blocks: Buffer;
  data: Buffer;
}

export class KnowledgeIndex implements Disposable {
  /** Of the analysis and of all passages in their order: the same content gives the same on every machine. Hex. */
  readonly fingerprint: string;
  readonly analysis: Analysis;
  /** How many there are. */
  readonly passages: number;
  /** False while an interrupted `t1 index add` waits to be continued; a search covers what is there. */
  readonly complete: boolean;
  private segments: readonly number[];
  /** SQLite's counter of commits by others. */
  private version: unknown;
  private readonly analyzer: Analyzer;
  private readonly scorer: Scorer;
  private readonly posting: Database.Statement<[number, string], PostingRow>;
  private readonly passage: Database.Statement<[number], Passage>;

  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
  ) {
    const { state, segments, lengths } = database.transaction(() => loaded(database))();
    this.version = this.dataVersion();
    this.analysis = state.analysis;
    this.passages = state.passages;
    this.fingerprint = fingerprintOf(state);
    this.complete = database.prepare('SELECT 1 FROM source WHERE complete = 0').get() === undefined;
    this.segments = segments;
    this.analyzer = new Analyzer(state.analysis);
    this.scorer = new Scorer(lengths, state.terms);
    this.posting = database.prepare('SELECT passages, blocks, data FROM posting WHERE segment = ? AND term = ?');
    this.passage = database.prepare('SELECT id, title, text FROM passage WHERE number = ?');
  }

  /**
   * @param nameOrPath of an index that exists; what has a slash or ends in .sqlite is a path
   * @param options.folder where names are looked for; by default the user's folder of indexes
   * @throws T1Error USAGE (no name), INDEX_NOT_FOUND, INDEX_UNAVAILABLE or INDEX_CORRUPT
   */
  static open(nameOrPath: string, { folder }: { readonly folder?: string | undefined } = {}): KnowledgeIndex {
    const path = indexPath(nameOrPath, folder);
    if (!existsSync(path)) throw indexNotFound(nameOrPath, folder);
    const database = openForReading(path);
    return guarded(path, () => {
      try {
        return new KnowledgeIndex(path, database);
      } catch (cause) {
        database.close();
        throw cause;
      }
    });
  }

  /**
   * @param query any text; its words are looked up, whatever their order
   * @param k most hits, 1 to a million
   * @returns best first, of equal ones who was added first; fewer than k, or none, where no more passages share a word
   * @throws T1Error USAGE for k, k1 or b out of range; INDEX_UNAVAILABLE when passages were added since it was opened;
   *   INDEX_CORRUPT
   */
  search(query: string, k: number, bm25: Partial<Bm25> = {}): Hit[] {
    const { k: wanted, ...settled } = parseSettings(searchSettings, { k, ...bm25 });
    const most = Math.min(wanted, Math.max(this.passages, 1));
    // All reads of a search see the same state of the file, whoever writes meanwhile.
    const find = this.database.transaction(() => {
      this.followMerge();
      return this.scorer
        .search(this.termsOf(query), most, settled)
        .map(({ passage, score }) => ({ passage: this.passageAt(passage), score }));
    });
    return guarded(this.path, () => find());
  }

  dispose(): void {
    this.database.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private passageAt(number: number): Passage {
    const passage = this.passage.get(number);
    if (!passage) throw new RangeError(`passage ${number} is missing`);
    return passage;
  }

  /** Another process may have put segments together, which changes no result; passages that came to it would. */
  private followMerge(): void {
    const version = this.dataVersion();
    if (version === this.version) return;
    const { state, segments } = loaded(this.database);
    if (fingerprintOf(state) !== this.fingerprint) {
      throw new T1Error('INDEX_UNAVAILABLE', `${this.path} got more passages while it was searched: start again`);
    }
    this.segments = segments;
    this.version = version;
  }

  private dataVersion(): unknown {
    return this.database.pragma('data_version', { simple: true });
  }

  /** Terms of the query that the index has, in the order in which they first come. */
  private termsOf(query: string): QueryTerm[] {
    const counts = new Map<string, number>();
    this.analyzer.eachTerm(query, ({ text }) => counts.set(text, (counts.get(text) ?? 0) + 1));
    const terms: QueryTerm[] = [];
    for (const [term, count] of counts) {
      const lists = this.segments.map((segment) => this.posting.get(segment, term)).filter((row) => row !== undefined);
      if (lists.length > 0) terms.push({ count, lists: lists.map((row): Postings => postingsOf(row)) });
    }
    return terms;
  }
}

interface Loaded {
  readonly state: IndexState;
  readonly segments: readonly number[];
  readonly lengths: Uint32Array;
}

function loaded(database: Database.Database): Loaded {
  const state = readState(database);
  const rows = database
    .prepare<[], { number: number; lengths: Buffer }>('SELECT number, lengths FROM segment ORDER BY number')
    .all();
  const lengths = joined(rows.map((row) => row.lengths));
  if (lengths.length !== state.passages)
    throw new RangeError(`${lengths.length} lengths of ${state.passages} passages`);
  return { state, segments: rows.map(({ number }) => number), lengths };
}

const fingerprintOf = ({ analysis, fingerprint }: IndexState): string =>
  contentKey('index', FORMAT, JSON.stringify(analysis), fingerprint).toString('hex');

function joined(lengths: readonly Buffer[]): Uint32Array {
  const bytes = Buffer.concat(lengths);
  const all = new Uint32Array(bytes.length >> 2);
  new Uint8Array(all.buffer).set(bytes.subarray(0, all.byteLength));
  return all;
}
