/**
 * Adds passages to an index. What is added is in memory and in an open transaction until the segment is full or
 * `commit` is called; then it is on disk, all of it or none.
 */
import type Database from 'better-sqlite3';
import { dirname } from 'node:path';
import { T1Error } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { contentKey } from '../store/key.js';
import { Analyzer, searchedText, type Analysis } from './analysis.js';
import { guarded, indexError } from './errors.js';
import { openForWriting, readState, type IndexState } from './file.js';
import { bytesOf, mergeSegments, type MergeProgress } from './merge.js';
import type { Passage } from './passage.js';
import { MOST_PASSAGES } from './postings.js';
import { Segment, SEGMENT_POSTINGS } from './segment.js';

export interface SourceRow {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly modified_ns: string;
  readonly settings: string;
  readonly complete: number;
}

/** What became of a passage: indexed; there already, the same; there already, another; nothing to index in it. */
export type Added = 'added' | 'known' | 'conflict' | 'empty';

type Statement<Values extends unknown[], Row = unknown> = Database.Statement<Values, Row>;

export class IndexBuilder implements Disposable {
  private readonly analyzer: Analyzer;
  private segment: Segment;
  private state: IndexState;
  private readonly insertPassage: Statement<[number, string, string | null, string]>;
  private readonly passageById: Statement<[string], { title: string | null; text: string }>;
  private readonly insertPosting: Statement<[number, string, number, Buffer, Buffer]>;

  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
    private readonly segmentPostings: number,
  ) {
    this.state = readState(database);
    this.analyzer = new Analyzer(this.state.analysis);
    this.segment = new Segment(this.state.passages);
    this.insertPassage = database.prepare('INSERT INTO passage VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING');
    this.passageById = database.prepare('SELECT title, text FROM passage WHERE id = ?');
    this.insertPosting = database.prepare('INSERT INTO posting VALUES (?, ?, ?, ?, ?)');
    database.exec('BEGIN IMMEDIATE'); // the lock is held until `dispose`, but for an instant at each commit
  }

  /**
   * @param path made with its folder when absent
   * @param analysis of a new index
   * @param options.segmentPostings between two commits
   * @throws T1Error INDEX_UNAVAILABLE, INDEX_CORRUPT or DISK_FULL
   */
  static open(path: string, analysis: Analysis, { segmentPostings = SEGMENT_POSTINGS } = {}): IndexBuilder {
    return guarded(path, () => {
      makeFolder(dirname(path));
      const database = openForWriting(path, analysis);
      try {
        return new IndexBuilder(path, database, segmentPostings);
      } catch (cause) {
        database.close();
        throw cause;
      }
    });
  }

  get analysis(): Analysis {
    return this.state.analysis;
  }

  /** Passages, those not committed yet included. */
  get passages(): number {
    return this.state.passages;
  }

  add({ id, title, text }: Passage): Added {
    return this.run(() => {
      const { passages, fingerprint } = this.state;
      if (passages >= MOST_PASSAGES)
        throw new T1Error('INPUT', `an index holds at most ${MOST_PASSAGES} passages: make another one`);
      if (text === '' && (title ?? '') === '') return 'empty';
      if (this.insertPassage.run(passages, id, title, text).changes === 0) {
        const known = this.passageById.get(id);
        return known?.text === text && known.title === title ? 'known' : 'conflict';
      }
      this.analyzer.eachTerm(searchedText(title, text), this.segment.addTerm);
      const length = this.segment.endPassage();
      this.state = {
        ...this.state,
        passages: passages + 1,
        terms: this.state.terms + length,
        fingerprint: contentKey(fingerprint, id, title, text).toString('hex'),
      };
      if (this.segment.postings >= this.segmentPostings) this.commit();
      return 'added';
    });
  }

  source(path: string): SourceRow | undefined {
    return this.run(() => this.database.prepare<[string], SourceRow>('SELECT * FROM source WHERE path = ?').get(path));
  }

  saveSource(row: SourceRow): void {
    this.run(() =>
      this.database
        .prepare('INSERT OR REPLACE INTO source VALUES (@path, @name, @size, @modified_ns, @settings, @complete)')
        .run(row),
    );
  }

  /** Everything added so far is on disk. */
  commit(): void {
    this.run(() => {
      this.writeSegment();
      const { passages, terms, fingerprint } = this.state;
      this.database
        .prepare('UPDATE state SET passages = ?, terms = ?, fingerprint = ?')
        .run(passages, terms, fingerprint);
      this.database.exec('COMMIT');
      this.database.exec('BEGIN IMMEDIATE');
    });
  }

  /** Puts segments together, so that searches are fast. An abort leaves the index complete, only slower. */
  async merge(signal: AbortSignal | undefined, onProgress: MergeProgress): Promise<void> {
    this.commit();
    try {
      this.database.exec('COMMIT');
      await mergeSegments(this.database, signal, onProgress);
      this.database.exec('BEGIN IMMEDIATE');
    } catch (cause) {
      throw signal?.aborted ? cause : indexError(this.path, cause);
    }
  }

  /** What was not committed is dropped. */
  dispose(): void {
    if (this.database.open) {
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      this.database.close();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private writeSegment(): void {
    const { segment, database } = this;
    if (segment.passages === 0) return;
    const number =
      (database.prepare<[], { n: number | null }>('SELECT max(number) AS n FROM segment').get()?.n ?? 0) + 1;
    database
      .prepare('INSERT INTO segment VALUES (?, ?, ?, ?, ?)')
      .run(number, segment.first, segment.passages, segment.differentTerms, segment.lengthBytes());
    for (const { term, postings } of segment.sorted()) {
      this.insertPosting.run(number, term, postings.count, bytesOf(postings.blocks), bytesOf(postings.data));
    }
    this.segment = new Segment(this.state.passages);
  }

  private run<T>(action: () => T): T {
    return guarded(this.path, action);
  }
}
