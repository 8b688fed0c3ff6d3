/**
 * The result database: SQLite, a row for each value that was computed, found again by the hash of what it was computed
 * from. `remember.ts` is how stages use it.
 *
 * Rows are written one by one as they come to be, each in a transaction of its own, so that a killed process
 * loses only what was in flight. Only the JavaScript thread touches it; several processes may share a file.
 */
import Database from 'better-sqlite3';
import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { KvCosts } from '../engine/engine-types.js';
import { makeFolder } from '../make-folder.js';
import { T1Error } from '../errors.js';
import { must } from '../must.js';
import { cacheSize } from './cache-size.js';
import { plainKey, decode, digest, encode, type Plain } from './canonical.js';
import { message, named } from '../message.js';
import { storeError } from './errors.js';
import { migrations } from './migrations.js';

/** Marks the file as ours ("T1db"), so that a stranger's database is refused, not altered. */
const APPLICATION_ID = 0x54316462;
/** An older `used_at` is written anew when the row is used: to the second, every look would be a write. */
const USED_WITHIN_S = 3600;
/** The log is cut back to this when it was written over: several processes at once make it grow. */
const LOG_BYTES = 64 * 2 ** 20;
/** Uses that are noted down together. */
const USES_AT_ONCE = 512;
/** Part of the limit that eviction leaves filled, so that it does not come again with the next row. */
const KEPT_SHARE = 0.9;
/** How often the limit is looked at: whenever this part of it was written. */
const CHECKED_SHARE = 1 / 64;

/** Values that say something of the machine, and are no results. */
const FILE_HASH = 'file hash';
const KV_COSTS = 'KV costs';

const kvCosts = z.strictObject({
  decode: z.number(),
  rowSplit: z.number(),
  rowUnified: z.number(),
  cellSplit: z.number(),
  cellUnified: z.number(),
  copy: z.number(),
});

export interface StoreOptions {
  /**
   * Most bytes of the database; what was used longest ago is forgotten first. `T1_CACHE_SIZE`, or 4 GiB, when absent.
   */
  readonly maxBytes?: number | undefined;
  /** Milliseconds since 1970; for tests. */
  readonly now?: (() => number) | undefined;
}

export interface StoreStats {
  readonly path: string;
  /** Of the file, and of what is in it. */
  readonly bytes: number;
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** How many values of each kind. */
  readonly values: Readonly<Record<string, number>>;
}

/** A value as it was kept. */
export interface StoredValue {
  readonly value: Plain;
  /** How often it came out, where that is in doubt; 0 where it is not. */
  readonly times: number;
  /** Milliseconds since 1970. */
  readonly computedAt: number;
}

interface Row {
  readonly id: number;
  readonly value: Buffer;
  readonly digest: Buffer;
  readonly times: number;
  readonly computedAt: number;
  readonly usedAt: number;
}

export class Store {
  /** Most bytes of the database. */
  readonly maxBytes: number;
  readonly #database: Database.Database;
  readonly #now: () => number;
  readonly #statements: ReturnType<typeof prepare>;
  /** Rows that were used, their `used_at` not yet written. */
  readonly #used = new Set<number>();
  #unchecked = 0;

  private constructor(database: Database.Database, { maxBytes = cacheSize(), now = Date.now }: StoreOptions) {
    this.#database = database;
    this.maxBytes = maxBytes;
    this.#now = now;
    this.#statements = prepare(database);
    this.#evict(); // the limit may be a new one
  }

  /**
   * @param path a file, made with its folder when absent, readable by its owner alone; `:memory:` keeps nothing
   * @throws T1Error USAGE, STORE_UNAVAILABLE, STORE_CORRUPT or DISK_FULL
   */
  static open(path: string, options: StoreOptions = {}): Store {
    // SQLite takes an empty name for a database that vanishes when it is closed.
    if (path === '')
      throw new T1Error('USAGE', message`the name of the database is empty: give ${named('database')} a file`);
    return guarded(path, () => {
      if (path !== ':memory:') makeFile(path);
      const store = Store.over(new Database(path, { timeout: 5000 }), options);
      if (path !== ':memory:') makePrivate(path);
      return store;
    });
  }

  /** For tests that need a database in a certain state. */
  static over(database: Database.Database, options: StoreOptions = {}): Store {
    try {
      database.pragma('auto_vacuum = INCREMENTAL'); // of a new file; what is evicted is then given back to the disk
      claim(database);
      database.pragma('journal_mode = WAL');
      database.pragma(`journal_size_limit = ${LOG_BYTES}`);
      database.pragma('synchronous = NORMAL'); // a crash of the process loses nothing; of the machine, the last rows
      migrate(database);
      return new Store(database, options);
    } catch (cause) {
      database.close();
      throw cause;
    }
  }

  get path(): string {
    return this.#database.name;
  }

  now(): number {
    return this.#now();
  }

  /** @returns `damaged` for a row that is not what was written: it is as good as none, and can be written anew */
  find(key: Buffer): StoredValue | 'damaged' | undefined {
    const row = this.#run(() => this.#statements.find.get(key) as Row | undefined);
    if (!row) return undefined;
    if (!digest(key, row.value).equals(row.digest)) return 'damaged';
    if (this.#seconds() - row.usedAt > USED_WITHIN_S) this.#use(row.id);
    try {
      return { value: decode(row.value), times: row.times, computedAt: 1000 * row.computedAt };
    } catch {
      return 'damaged'; // as it was written, but not in this version's way
    }
  }

  /**
   * @param stage what computed it
   * @param times how often it came out, where that is in doubt
   * @throws T1Error DISK_FULL, STORE_UNAVAILABLE
   */
  keep(key: Buffer, stage: string, value: unknown, times = 0): void {
    const bytes = encode(value);
    const now = this.#seconds();
    this.#run(() => this.#statements.keep.run(key, stage, bytes, digest(key, bytes), times, now, now));
    this.#unchecked += bytes.length;
    if (this.#unchecked > CHECKED_SHARE * this.maxBytes) this.#evict();
  }

  /** What a calibration measured; see Engine.useCosts. */
  kvCosts(key: Buffer): KvCosts | undefined {
    return this.#own(key, kvCosts);
  }

  saveKvCosts(key: Buffer, costs: KvCosts): void {
    this.keep(key, KV_COSTS, costs);
  }

  /** A file's hash, if the file has not changed since it was taken. */
  fileHash(path: string, size: number, modifiedNs: bigint): string | undefined {
    return this.#own(plainKey(FILE_HASH, path, size, String(modifiedNs)), z.string());
  }

  saveFileHash(path: string, size: number, modifiedNs: bigint, sha256: string): void {
    this.keep(plainKey(FILE_HASH, path, size, String(modifiedNs)), FILE_HASH, sha256);
  }

  stats(): StoreStats {
    this.#flush();
    const { path, maxBytes } = this;
    const counts = this.#run(() => this.#statements.counts.all() as { stage: string; n: number }[]);
    const bytes = this.#database.memory ? 0 : sizeOf(path) + sizeOf(`${path}-wal`);
    const values = Object.fromEntries(counts.map(({ stage, n }) => [stage, n]));
    return { path, bytes, usedBytes: this.#usedBytes(), maxBytes, values };
  }

  /** Forgets every result and gives the space back. */
  clear(): void {
    this.#run(() => {
      this.#statements.clear.run(FILE_HASH, KV_COSTS);
      this.#database.exec('VACUUM');
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    });
  }

  close(): void {
    if (!this.#database.open) return;
    this.#flush();
    this.#database.close();
  }

  /** A value that is not a result: damaged, it is looked up or measured again. */
  #own<Value>(key: Buffer, type: z.ZodType<Value>): Value | undefined {
    const found = this.find(key);
    return found === undefined || found === 'damaged' ? undefined : type.safeParse(found.value).data;
  }

  #use(id: number): void {
    this.#used.add(id);
    if (this.#used.size >= USES_AT_ONCE) this.#flush();
  }

  /**
   * That a row was used is worth neither an error nor a wait: a disk that is full, or a database that is locked, keeps
   * the older time.
   */
  #flush(): void {
    if (this.#used.size === 0) return;
    const now = this.#seconds();
    try {
      this.#database.transaction(() => {
        for (const id of this.#used) this.#statements.use.run(now, id);
      })();
    } catch (cause) {
      if (!(cause instanceof Database.SqliteError)) throw cause;
    }
    this.#used.clear();
  }

  /** Lets go what was used longest ago, once there is more than the limit. */
  #evict(): void {
    this.#unchecked = 0;
    if (this.#usedBytes() <= this.maxBytes) return;
    this.#flush();
    try {
      this.#evictDownTo(KEPT_SHARE * this.maxBytes);
    } catch (cause) {
      // Another process writes, or does the same: it is tried again when more was written.
      if (!(cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY')))
        throw storeError(this.path, cause);
    }
  }

  #evictDownTo(bytes: number): void {
    const oldest = this.#database.transaction((excess: number): number => {
      let last: { readonly usedAt: number; readonly id: number } | undefined;
      for (const row of this.#statements.oldest.iterate() as Iterable<{ usedAt: number; id: number; size: number }>) {
        last = row;
        excess -= row.size;
        if (excess <= 0) break;
      }
      return last ? this.#statements.evict.run(last.usedAt, last.usedAt, last.id).changes : 0;
    });
    // Rows do not fill their pages, so it may take more than once.
    let excess = this.#usedBytes() - bytes;
    while (excess > 0 && oldest.immediate(excess) > 0) excess = this.#usedBytes() - bytes;
    this.#database.pragma('incremental_vacuum');
  }

  /** Pages that hold something. */
  #usedBytes(): number {
    return this.#run(() => {
      const { pages, free, pageBytes } = this.#statements.pages.get() as Record<'pages' | 'free' | 'pageBytes', number>;
      return (pages - free) * pageBytes;
    });
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #run<T>(action: () => T): T {
    return guarded(this.path, action);
  }
}

/** Prepared once: that takes several times as long as running one. */
const prepare = (database: Database.Database) => ({
  find: database.prepare(
    'SELECT rowid AS id, value, digest, times, computed_at AS computedAt, used_at AS usedAt FROM remembered WHERE key = ?',
  ),
  keep: database.prepare('INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)'),
  use: database.prepare('UPDATE remembered SET used_at = ? WHERE rowid = ?'),
  counts: database.prepare('SELECT stage, count(*) AS n FROM remembered GROUP BY stage ORDER BY stage'),
  clear: database.prepare('DELETE FROM remembered WHERE stage NOT IN (?, ?)'),
  oldest: database.prepare(
    'SELECT rowid AS id, used_at AS usedAt, length(value) AS size FROM remembered ORDER BY used_at, rowid',
  ),
  evict: database.prepare('DELETE FROM remembered WHERE used_at < ? OR (used_at = ? AND rowid <= ?)'),
  pages: database.prepare(
    'SELECT page_count AS pages, freelist_count AS free, page_size AS pageBytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
  ),
});

function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw storeError(path, cause);
  }
}

/**
 * Problems and answers are for their owner's eyes: a new file, its logs, which SQLite makes with the file's mode, and a
 * new folder.
 */
function makeFile(path: string): void {
  makeFolder(dirname(path), 0o700);
  closeSync(openSync(path, 'a', 0o600));
}

/** The same of a file that was there, now that it is known to be ours. */
function makePrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if (process.platform === 'win32' || (mode & 0o077) === 0) continue;
    try {
      chmodSync(file, 0o600);
    } catch {
      // Somebody else's file: its owner decides who reads it.
    }
  }
}

/** Takes an empty file, accepts our own, refuses anything else. */
function claim(database: Database.Database): void {
  const owner = database.pragma('application_id', { simple: true });
  if (owner === APPLICATION_ID) return;
  const tables = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_master').get();
  if (owner !== 0 || must(tables, 'a count').n > 0) {
    throw new T1Error(
      'STORE_UNAVAILABLE',
      message`${database.name} is a database of another program: name another ${named('database')}`,
    );
  }
  database.pragma(`application_id = ${APPLICATION_ID}`);
}

function migrate(database: Database.Database): void {
  const upgrade = database.transaction(() => {
    const version = Number(database.pragma('user_version', { simple: true }));
    if (version > migrations.length) {
      throw new T1Error(
        'STORE_UNAVAILABLE',
        `${database.name} was written by a newer t1 (schema ${version}, this one knows ${migrations.length}): update t1`,
      );
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    if (version < migrations.length) database.pragma(`user_version = ${migrations.length}`);
  });
  upgrade.immediate();
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
