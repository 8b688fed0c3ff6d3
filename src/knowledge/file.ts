/**
 * The file of an index: one SQLite database, opened as ours or refused.
 *
 * Written with a rollback journal, so that it is one file whenever nobody writes. Every commit leaves an index that can
 * be searched; a killed process loses only what it had not committed.
 */
import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { analysisOptions, type Analysis } from './analysis.js';
import { guarded } from './errors.js';

/** Marks the file as ours ("T1ix"), so that a stranger's database is refused, not altered. */
const APPLICATION_ID = 0x54316978;

/** Of the schema, the tokens and the postings' bytes. Indexes are made anew, not migrated. */
export const FORMAT = 1;

const PAGE_BYTES = 8192;
const CACHE_KIBIBYTES = 64 * 1024;
/** Address space through which SQLite reads, bytes; what is read stays in the system's cache. */
const MAPPED_BYTES = 2 ** 34;
const LOCK_TIMEOUT_MS = 5000;

const schema = /* sql */ `
  CREATE TABLE state (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    analysis        TEXT NOT NULL,     -- JSON of Analysis
    fingerprint     TEXT NOT NULL,     -- of the passages so far, each with the one before; hex
    passages        INTEGER NOT NULL,
    terms           INTEGER NOT NULL   -- sum of the passages' lengths
  ) STRICT;
  CREATE TABLE passage (
    number          INTEGER PRIMARY KEY, -- from 0, in the order of adding
    id              TEXT NOT NULL UNIQUE,
    title           TEXT,
    text            TEXT NOT NULL
  ) STRICT;
  CREATE TABLE source (
    path            TEXT PRIMARY KEY,  -- absolute
    name            TEXT NOT NULL,     -- as it was first given; ids of its passages may begin with it
    size            INTEGER NOT NULL,  -- bytes
    modified_ns     TEXT NOT NULL,     -- 64-bit, beyond a JavaScript number
    settings        TEXT NOT NULL,     -- how it was cut into passages
    complete        INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE segment (
    number          INTEGER PRIMARY KEY, -- ascending with the passages
    first           INTEGER NOT NULL,  -- passage
    passages        INTEGER NOT NULL,
    terms           INTEGER NOT NULL,  -- different ones
    lengths         BLOB NOT NULL      -- uint32 little-endian: terms of each passage
  ) STRICT;
  CREATE TABLE posting (
    segment         INTEGER NOT NULL,
    term            TEXT NOT NULL,
    passages        INTEGER NOT NULL,
    blocks          BLOB NOT NULL,     -- see postings.ts
    data            BLOB NOT NULL,
    PRIMARY KEY (segment, term)
  ) STRICT, WITHOUT ROWID;
`;

const stateRow = z.strictObject({
  one: z.literal(1),
  analysis: z.string().transform((text) => analysisOptions.parse(JSON.parse(text))),
  fingerprint: z.string(),
  passages: z.int().min(0),
  terms: z.int().min(0),
});

export type IndexState = z.output<typeof stateRow>;

/** For searching: nothing is written. The caller has seen that the file is there. */
export function openForReading(path: string): Database.Database {
  if (existsSync(`${path}-journal`)) recover(path);
  return opened(path, { readonly: true });
}

/**
 * What a killed writer left is undone by the first who may write and reads; nothing happens while a writer is alive.
 */
function recover(path: string): void {
  guarded(path, () => {
    const database = new Database(path, { timeout: LOCK_TIMEOUT_MS });
    try {
      database.pragma('user_version');
    } finally {
      database.close();
    }
  });
}

/** For adding: made with this analysis when absent, and locked against other writers. */
export function openForWriting(path: string, analysis: Analysis): Database.Database {
  return opened(path, {}, (database) => {
    const empty = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_master').get()?.n === 0;
    if (!empty || database.pragma('application_id', { simple: true }) !== 0) return;
    database.pragma(`page_size = ${PAGE_BYTES}`);
    database.pragma('auto_vacuum = INCREMENTAL');
    database
      .transaction(() => {
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${FORMAT}`);
        database.exec(schema);
        database.prepare("INSERT INTO state VALUES (1, ?, '', 0, 0)").run(JSON.stringify(analysis));
      })
      .immediate();
  });
}

function opened(
  path: string,
  options: Database.Options,
  make: (database: Database.Database) => void = () => {},
): Database.Database {
  return guarded(path, () => {
    const database = new Database(path, { timeout: LOCK_TIMEOUT_MS, ...options });
    try {
      make(database);
      check(database);
      database.pragma(`cache_size = -${CACHE_KIBIBYTES}`);
      database.pragma(`mmap_size = ${MAPPED_BYTES}`);
      return database;
    } catch (cause) {
      database.close();
      throw cause;
    }
  });
}

function check(database: Database.Database): void {
  if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new T1Error('INDEX_UNAVAILABLE', `${database.name} is a database of another program: name another index`);
  }
  const format = Number(database.pragma('user_version', { simple: true }));
  if (format !== FORMAT) {
    throw new T1Error(
      'INDEX_UNAVAILABLE',
      `${database.name} was written by another version of t1 (format ${format}, this one knows ${FORMAT}): remove it and add its passages again`,
    );
  }
}

/** @throws T1Error INDEX_CORRUPT when the row is not there or not ours */
export function readState(database: Database.Database): IndexState {
  const parsed = stateRow.safeParse(database.prepare('SELECT * FROM state').get());
  if (parsed.success) return parsed.data;
  throw new T1Error(
    'INDEX_CORRUPT',
    `${database.name} is damaged (its state cannot be read): remove the file and add the passages again`,
  );
}
