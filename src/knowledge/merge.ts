/**
 * Segments of an index become one. A segment is what was indexed between two commits; a search looks a term up in each
 * of them, so few large ones are better.
 */
import type Database from 'better-sqlite3';
import { compareCodePoints } from './code-points.js';
import { blockCount, newBlock, PostingsWriter, readBlock, type Postings } from './postings.js';

interface SegmentRow {
  number: number;
  first: number;
  passages: number;
  terms: number;
  lengths: Buffer;
}

interface PostingRow {
  term: string;
  passages: number;
  blocks: Buffer;
  data: Buffer;
}

/** Rows read at a time from each segment. */
const PAGE_ROWS = 256;
/** The event loop gets its turn after this many terms, so that Ctrl-C is heard. */
const TERMS_PER_TURN = 4096;

/** @param share of the merge, 0 to 1 */
export type MergeProgress = (share: number) => void;

/**
 * Segments to merge, from the first of them to the last one of the index: as many as it takes for each segment to be
 * larger than twice all after it. Adding little to a large index then stays cheap, and a search meets few segments.
 *
 * @param sizes passages of each segment, in order
 * @returns where the segments to merge begin; `sizes.length` for none
 */
export function mergeFrom(sizes: readonly number[]): number {
  let from = sizes.length;
  let after = 0;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const size = sizes[i] ?? 0;
    if (size <= 2 * after) from = i;
    after += size;
  }
  return from;
}

/** One transaction: an interrupted merge leaves the segments as they were. */
export async function mergeSegments(
  database: Database.Database,
  signal: AbortSignal | undefined,
  onProgress: MergeProgress,
): Promise<void> {
  const rows = database.prepare<[], SegmentRow>('SELECT * FROM segment ORDER BY number').all();
  const merged = rows.slice(mergeFrom(rows.map(({ passages }) => passages)));
  const [first] = merged;
  const last = merged.at(-1);
  if (!first || !last) return;
  const number = last.number + 1;
  database.exec('BEGIN IMMEDIATE');
  try {
    const lengths = Buffer.concat(merged.map((row) => row.lengths));
    const passages = merged.reduce((sum, row) => sum + row.passages, 0);
    const terms = await mergePostings(database, merged, number, { first: first.first, lengths }, signal, onProgress);
    database.prepare('INSERT INTO segment VALUES (?, ?, ?, ?, ?)').run(number, first.first, passages, terms, lengths);
    database.prepare('DELETE FROM posting WHERE segment BETWEEN ? AND ?').run(first.number, last.number);
    database.prepare('DELETE FROM segment WHERE number BETWEEN ? AND ?').run(first.number, last.number);
    database.exec('COMMIT');
  } catch (cause) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw cause;
  }
  database.pragma('incremental_vacuum');
}

async function mergePostings(
  database: Database.Database,
  segments: readonly SegmentRow[],
  into: number,
  { first, lengths }: { readonly first: number; readonly lengths: Buffer },
  signal: AbortSignal | undefined,
  onProgress: MergeProgress,
): Promise<number> {
  const cursors = segments.map(({ number }) => new TermCursor(database, number));
  const insert = database.prepare('INSERT INTO posting VALUES (?, ?, ?, ?, ?)');
  const writer = new PostingsWriter();
  const block = newBlock();
  const total = segments.reduce((sum, { terms }) => sum + terms, 0);
  let done = 0;
  for (let terms = 0; ; terms++) {
    const term = leastTerm(cursors);
    if (term === undefined) return terms;
    for (const cursor of cursors) {
      if (cursor.row?.term !== term) continue;
      const postings = postingsOf(cursor.row);
      for (let index = 0; index < blockCount(postings); index++) {
        readBlock(postings, index, block);
        for (let i = 0; i < block.count; i++) {
          const passage = block.passages[i] ?? 0;
          writer.add(passage, block.frequencies[i] ?? 0, lengths.readUInt32LE((passage - first) * 4));
        }
      }
      cursor.next();
      done++;
    }
    const { count, blocks, data } = writer.take();
    insert.run(into, term, count, bytesOf(blocks), bytesOf(data));
    if (terms % TERMS_PER_TURN === 0) {
      onProgress(done / total);
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
  }
}

function leastTerm(cursors: readonly TermCursor[]): string | undefined {
  let least: string | undefined;
  for (const { row } of cursors) {
    if (row && (least === undefined || compareCodePoints(row.term, least) < 0)) least = row.term;
  }
  return least;
}

/** Terms of one segment in SQLite's order; reads a page at a time, since the database is written meanwhile. */
class TermCursor {
  row: PostingRow | undefined;
  private rows: PostingRow[] = [];
  private at = 0;
  private readonly page: Database.Statement<[number, string, number], PostingRow>;

  constructor(
    database: Database.Database,
    private readonly segment: number,
  ) {
    this.page = database.prepare(
      'SELECT term, passages, blocks, data FROM posting WHERE segment = ? AND term > ? ORDER BY term LIMIT ?',
    );
    this.read('');
  }

  next(): void {
    const { row } = this;
    this.at++;
    if (this.at < this.rows.length) this.row = this.rows[this.at];
    else if (row) this.read(row.term);
  }

  private read(after: string): void {
    this.rows = this.page.all(this.segment, after, PAGE_ROWS);
    this.at = 0;
    this.row = this.rows[0];
  }
}

/** A typed array over a copy: rows share SQLite's memory, where it could be misaligned. */
export function postingsOf({ passages, blocks, data }: Pick<PostingRow, 'passages' | 'blocks' | 'data'>): Postings {
  const words = new Uint32Array(blocks.length >> 2);
  new Uint8Array(words.buffer).set(blocks.subarray(0, words.byteLength));
  return { count: passages, blocks: words, data };
}

export const bytesOf = (array: Uint8Array | Uint32Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);
