/**
 * The result database: SQLite, one row per sample, verdict and score, found again by content.
 *
 * Rows are written one by one as they come to be, each in a transaction of its own, so that a killed process
 * loses only what was in flight. Only the JavaScript thread touches it.
 */
import Database from 'better-sqlite3';
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { FinishReason, KvCosts, Sample } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import type { CacheCounts, ToolVerdict } from '../types.js';
import { storeError } from './errors.js';
import { littleEndian } from './key.js';
import { migrations } from './migrations.js';

/** Marks the file as ours ("T1db"), so that a stranger's database is refused, not altered. */
const APPLICATION_ID = 0x54316462;

export type StoredSample = Omit<Sample, 'prompt'>;

const programsColumn = z.array(
  z.strictObject({
    code: z.string().nullable(),
    status: z.enum(['ok', 'error', 'timeout', 'memory', 'output', 'died', 'missing']),
    stdout: z.string(),
    ms: z.number().default(0), // rows of earlier versions have none
    missingModule: z.string().optional(),
  }),
);

const evidenceColumn = z.strictObject({
  passages: z
    .array(z.strictObject({ id: z.string(), title: z.string().nullable(), text: z.string(), score: z.number() }))
    .optional(),
  checks: z.array(z.strictObject({ text: z.string(), verdict: z.enum(['pass', 'fail', 'unknown']) })).optional(),
  tokens: z.int().optional(),
  note: z.string().optional(),
});

const kvCostsColumn = z.strictObject({
  decode: z.number(),
  rowSplit: z.number(),
  rowUnified: z.number(),
  cellSplit: z.number(),
  cellUnified: z.number(),
  copy: z.number(),
});

interface GenerationRow {
  seed: number;
  sample_index: number;
  text: string;
  tokens: Buffer;
  logprobs: Buffer;
  finish: FinishReason;
}

export interface StoreStats {
  readonly path: string;
  readonly bytes: number;
  readonly generations: number;
  readonly verdicts: number;
  readonly scores: number;
}

export class Store {
  private hits = 0;
  private misses = 0;

  private constructor(private readonly database: Database.Database) {}

  /**
   * @param path a file, made with its folder when absent; `:memory:` keeps nothing
   * @throws T1Error USAGE, STORE_UNAVAILABLE, STORE_CORRUPT or DISK_FULL
   */
  static open(path: string): Store {
    // SQLite takes an empty name for a database that vanishes when it is closed.
    if (path === '')
      throw new T1Error('USAGE', message`the name of the database is empty: give ${named('database')} a file`);
    return guarded(path, () => {
      if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
      return Store.over(new Database(path, { timeout: 5000 }));
    });
  }

  /** For tests that need a database in a certain state. */
  static over(database: Database.Database): Store {
    try {
      claim(database);
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = NORMAL'); // a crash of the process loses nothing; of the machine, the last rows
      migrate(database);
    } catch (cause) {
      database.close();
      throw cause;
    }
    return new Store(database);
  }

  get cacheCounts(): CacheCounts {
    return { hits: this.hits, misses: this.misses };
  }

  generation(key: Buffer): StoredSample | undefined {
    const row = this.look<GenerationRow>('SELECT * FROM generation WHERE key = ?', key);
    if (!row) return undefined;
    return {
      seed: row.seed,
      index: row.sample_index,
      text: row.text,
      tokens: new Int32Array(copied(row.tokens)),
      logprobs: new Float32Array(copied(row.logprobs)),
      finish: row.finish,
    };
  }

  saveGeneration(key: Buffer, model: string, sample: StoredSample): void {
    this.write('INSERT OR REPLACE INTO generation VALUES (?, ?, ?, ?, ?, ?, ?, ?, unixepoch())', [
      key,
      model,
      sample.seed,
      sample.index,
      sample.text,
      littleEndian(sample.tokens),
      littleEndian(sample.logprobs),
      sample.finish,
    ]);
  }

  /** What a calibration measured; see Engine.useCosts. */
  kvCosts(key: Buffer): KvCosts | undefined {
    const row = this.run(() =>
      this.database.prepare<[Buffer], { costs: string }>('SELECT costs FROM kv_costs WHERE key = ?').get(key),
    );
    return row && kvCostsColumn.parse(JSON.parse(row.costs));
  }

  saveKvCosts(key: Buffer, costs: KvCosts): void {
    this.write('INSERT OR REPLACE INTO kv_costs VALUES (?, ?, unixepoch())', [key, JSON.stringify(costs)]);
  }

  verdict(key: Buffer): ToolVerdict | undefined {
    const row = this.look<{ verdict: ToolVerdict['verdict']; programs: string; evidence: string | null }>(
      'SELECT verdict, programs, evidence FROM verdict WHERE key = ?',
      key,
    );
    if (!row) return undefined;
    const evidence = row.evidence === null ? {} : evidenceColumn.parse(JSON.parse(row.evidence));
    return { verdict: row.verdict, programs: programsColumn.parse(JSON.parse(row.programs)), ...evidence };
  }

  saveVerdict(key: Buffer, verifier: string, { verdict, programs, passages, checks, tokens, note }: ToolVerdict): void {
    const evidence =
      passages || checks || tokens !== undefined || note !== undefined
        ? JSON.stringify({ passages, checks, tokens, note })
        : null;
    this.write('INSERT OR REPLACE INTO verdict VALUES (?, ?, ?, ?, unixepoch(), ?)', [
      key,
      verifier,
      verdict,
      JSON.stringify(programs),
      evidence,
    ]);
  }

  score(key: Buffer): number | undefined {
    return this.look<{ value: number }>('SELECT value FROM score WHERE key = ?', key)?.value;
  }

  saveScore(key: Buffer, rewardModel: string, value: number): void {
    this.write('INSERT OR REPLACE INTO score VALUES (?, ?, ?, unixepoch())', [key, rewardModel, value]);
  }

  /** A file's hash, if the file has not changed since it was taken. */
  fileHash(path: string, size: number, modifiedNs: bigint): string | undefined {
    return this.run(() =>
      this.database
        .prepare<[string, number, string], { sha256: string }>(
          'SELECT sha256 FROM file_hash WHERE path = ? AND size = ? AND modified_ns = ?',
        )
        .get(path, size, String(modifiedNs)),
    )?.sha256;
  }

  saveFileHash(path: string, size: number, modifiedNs: bigint, sha256: string): void {
    this.write('INSERT OR REPLACE INTO file_hash VALUES (?, ?, ?, ?)', [path, size, String(modifiedNs), sha256]);
  }

  stats(): StoreStats {
    const count = (table: string) =>
      this.run(() => this.database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get())?.n ?? 0;
    return {
      path: this.database.name,
      bytes: this.database.memory ? 0 : sizeOf(this.database.name) + sizeOf(`${this.database.name}-wal`),
      generations: count('generation'),
      verdicts: count('verdict'),
      scores: count('score'),
    };
  }

  /** Forgets every result and gives the space back. */
  clear(): void {
    this.run(() => {
      this.database.exec('BEGIN; DELETE FROM generation; DELETE FROM verdict; DELETE FROM score; COMMIT; VACUUM;');
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    });
  }

  close(): void {
    this.database.close();
  }

  private look<Row>(sql: string, key: Buffer): Row | undefined {
    const row = this.run(() => this.database.prepare<[Buffer], Row>(sql).get(key));
    if (row === undefined) this.misses++;
    else this.hits++;
    return row;
  }

  private write(sql: string, values: readonly unknown[]): void {
    this.run(() => this.database.prepare(sql).run(...values));
  }

  private run<T>(action: () => T): T {
    return guarded(this.database.name, action);
  }
}

function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw storeError(path, cause);
  }
}

/** Takes an empty file, accepts our own, refuses anything else. */
function claim(database: Database.Database): void {
  const owner = database.pragma('application_id', { simple: true });
  if (owner === APPLICATION_ID) return;
  const tables = database.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_master').get();
  if (owner !== 0 || (tables?.n ?? 0) > 0) {
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

/** A buffer of its own: rows share SQLite's memory pool, where a typed array could be misaligned. */
function copied(bytes: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}
