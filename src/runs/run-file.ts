/**
 * A run: one SQLite file that says everything needed to repeat it, and holds every problem's record as soon as it is
 * there. A kill loses what was in work, never what was written; a record that was changed is found by its hash and
 * named.
 */
import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { message, named, remedy } from '../message.js';
import { benchmarkSettings } from '../settings/benchmark-settings.js';
import { engineSettings } from '../settings/engine-settings.js';
import { parseSettings, recordedSettings } from '../settings/parse-settings.js';
import { solveSettings } from '../settings/solve-settings.js';
import { recordKey, recordSchema, type RunRecord } from './record.js';

export const RUN_FILE = 'run.sqlite';
/** Of a run's file; another one is another program's. */
const APPLICATION_ID = 0x54315255; // "T1RU"
const VERSION = 1;

const jsonObject = z.record(z.string(), z.unknown());

export const manifestSchema = z.object({
  /** Words after `t1`. */
  command: z.array(z.string()),
  /** Everything that the records depend on; another configuration is another run. */
  configuration: jsonObject,
  task: z.object({
    name: z.string(),
    version: z.number(),
    title: z.string(),
    source: z.string(),
    sha256: z.string(),
    problems: z.number(),
  }),
  model: z.object({ name: z.string(), path: z.string(), sha256: z.string() }),
  engine: z.string(),
  hardware: jsonObject,
  packageVersion: z.string(),
  node: z.string(),
  startedAt: z.string(),
});

export type RunManifest = z.output<typeof manifestSchema>;

/** Records of the whole run: one for each problem and seed. */
export const recordsOf = ({ task, configuration }: RunManifest): number =>
  task.problems * (typeof configuration['seeds'] === 'number' ? configuration['seeds'] : 1);

/** Wall time, energy of the processors (null where the machine does not tell), and tokens generated in that time. */
export interface Effort {
  readonly seconds: number;
  readonly joules: number | null;
  readonly generatedTokens: number;
}

export class RunFile implements Disposable {
  private constructor(
    readonly path: string,
    private readonly database: Database.Database,
  ) {}

  /**
   * Makes a run, or goes on with the one that is there.
   *
   * @param folder made when absent
   * @throws T1Error RUN_MISMATCH when another configuration runs there; RUN_CORRUPT; DISK_FULL; INPUT
   */
  static begin(folder: string, manifest: RunManifest): RunFile {
    const path = join(folder, RUN_FILE);
    if (!existsSync(path)) guarded(path, () => make(path, manifest));
    const run = RunFile.open(folder);
    const there = run.manifest;
    const differing = differences(there, manifest);
    if (differing.length === 0) return run;
    run[Symbol.dispose]();
    throw new T1Error(
      'RUN_MISMATCH',
      message`${folder} holds a run with another ${differing.join(', ')}: name another ${named('folder')}, or ${remedy('showRun', 'give the settings that it was made with', folder)}`,
    );
  }

  /** @throws T1Error FILE_NOT_FOUND, RUN_CORRUPT */
  static open(folder: string): RunFile {
    const path = folder.endsWith('.sqlite') ? folder : join(folder, RUN_FILE);
    if (!existsSync(path))
      throw new T1Error('FILE_NOT_FOUND', message`no run at ${folder}: ${remedy('listRuns', 'check the path')}`);
    return guarded(path, () => {
      const database = new Database(path, { fileMustExist: true, timeout: 5000 });
      const [id, version] = [
        database.pragma('application_id', { simple: true }),
        database.pragma('user_version', { simple: true }),
      ];
      if (id !== APPLICATION_ID || version !== VERSION) {
        database.close();
        throw new T1Error('RUN_CORRUPT', `${path} is no run of this version of t1`);
      }
      database.pragma('journal_mode = WAL');
      return new RunFile(path, database);
    });
  }

  get manifest(): RunManifest {
    return guarded(this.path, () => {
      const row = this.database.prepare<[], { value: string }>('SELECT value FROM manifest').get();
      const parsed = manifestSchema.safeParse(row && parsedJson(row.value));
      if (parsed.success) return parsed.data;
      throw new T1Error('RUN_CORRUPT', `${this.path}: what says how the run was made cannot be read`);
    });
  }

  /** Keys of records; with `solvedOnly`, those that failed are left out. */
  done(solvedOnly: boolean): Set<string> {
    const rows = guarded(this.path, () =>
      this.database
        .prepare<[], { key: string; outcome: string }>("SELECT key, value ->> 'outcome' AS outcome FROM record")
        .all(),
    );
    return new Set(rows.filter(({ outcome }) => !solvedOnly || outcome !== 'failed').map(({ key }) => key));
  }

  save(ordinal: number, record: RunRecord): void {
    const value = JSON.stringify(record);
    guarded(this.path, () =>
      this.database
        .prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)')
        .run(recordKey(record), ordinal, value, hashOf(value)),
    );
  }

  /** What this start has taken so far. */
  spend(startedAt: string, { seconds, joules, generatedTokens }: Effort): void {
    guarded(this.path, () =>
      this.database
        .prepare('INSERT OR REPLACE INTO effort VALUES (?, ?, ?, ?)')
        .run(startedAt, seconds, joules, generatedTokens),
    );
  }

  /** What all starts have taken together, up to their last record. */
  get effort(): Effort & { readonly starts: number } {
    return guarded(this.path, () => {
      const row = this.database
        .prepare<[], { starts: number; seconds: number; joules: number; told: number; tokens: number }>(
          'SELECT count(*) AS starts, total(seconds) AS seconds, total(joules) AS joules, count(joules) AS told, total(generated_tokens) AS tokens FROM effort',
        )
        .get();
      const { starts = 0, seconds = 0, joules = 0, told = 0, tokens = 0 } = row ?? {};
      return { starts, seconds, joules: starts > 0 && told === starts ? joules : null, generatedTokens: tokens };
    });
  }

  /**
   * In the order of the task.
   *
   * @throws T1Error RUN_CORRUPT that names the problem
   */
  *records(): Generator<RunRecord> {
    const rows = guarded(this.path, () =>
      this.database
        .prepare<[], { key: string; value: string; sha256: Buffer }>(
          'SELECT key, value, sha256 FROM record ORDER BY ordinal',
        )
        .all(),
    );
    for (const row of rows) yield this.checked(row);
  }

  /** Of every record, in the order of the task: another one when the record is another one. */
  versions(): { readonly key: string; readonly version: string }[] {
    return guarded(this.path, () =>
      this.database
        .prepare<[], { key: string; version: string }>(
          'SELECT key, hex(sha256) AS version FROM record ORDER BY ordinal',
        )
        .all(),
    );
  }

  /** @throws T1Error RUN_CORRUPT, also when there is none of that problem (any more) */
  record(key: string): RunRecord {
    const row = guarded(this.path, () =>
      this.database
        .prepare<[string], { key: string; value: string; sha256: Buffer }>(
          'SELECT key, value, sha256 FROM record WHERE key = ?',
        )
        .get(key),
    );
    return this.checked(row ?? { key, value: '', sha256: Buffer.alloc(0) });
  }

  private checked({ key, value, sha256 }: { key: string; value: string; sha256: Buffer }): RunRecord {
    const parsed = hashOf(value).equals(sha256) ? recordSchema.safeParse(parsedJson(value)) : undefined;
    if (parsed?.success) return parsed.data;
    throw new T1Error(
      'RUN_CORRUPT',
      message`${this.path}: the record of problem ${key} was changed or damaged: ${remedy('askAgain', 'go on with the run once it is deleted')}`,
    );
  }

  /** Another one whenever somebody else wrote to the run. */
  get dataVersion(): number {
    return guarded(this.path, () => Number(this.database.pragma('data_version', { simple: true })));
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}

/** Beside its place, and moved there when it is whole: a kill in between leaves no run that is none. */
function make(path: string, manifest: RunManifest): void {
  makeFolder(dirname(path));
  const partial = `${path}.${process.pid}.part`;
  rmSync(partial, { force: true });
  const database = new Database(partial);
  database.pragma(`application_id = ${APPLICATION_ID}`);
  database.pragma(`user_version = ${VERSION}`);
  database.exec(
    `CREATE TABLE manifest (value TEXT NOT NULL) STRICT;
     CREATE TABLE record (
       key     TEXT PRIMARY KEY, -- problem and seed
       ordinal INTEGER NOT NULL, -- place of the problem in the task
       value   TEXT NOT NULL,    -- JSON
       sha256  BLOB NOT NULL     -- of value
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE effort (       -- a row for each start
       started_at       TEXT PRIMARY KEY,
       seconds          REAL NOT NULL,
       joules           REAL,    -- NULL where the machine does not tell
       generated_tokens INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;`,
  );
  database.prepare('INSERT INTO manifest VALUES (?)').run(JSON.stringify(manifest));
  database.close();
  renameSync(partial, path);
}

/**
 * What of two runs' making is not alike; the time, the hardware and the folder of a file do not count. A setting that
 * is newer than a manifest had its default then.
 */
function differences(a: RunManifest, b: RunManifest): string[] {
  const defaults = recordedDefaults();
  const said = (manifest: RunManifest): Record<string, unknown> => ({
    ...defaults,
    ...manifest.configuration,
    task: `${manifest.task.name} ${manifest.task.version} ${manifest.task.sha256}`,
    model: manifest.model.sha256,
    engine: manifest.engine,
  });
  const [one, other] = [said(a), said(b)];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]),
  );
}

const recordedDefaults = (): Record<string, unknown> => ({
  ...recordedSettings(solveSettings, parseSettings(solveSettings, {})),
  ...recordedSettings(benchmarkSettings, parseSettings(benchmarkSettings, {})),
  ...recordedSettings(engineSettings, parseSettings(engineSettings, {})),
});

const hashOf = (value: string): Buffer => createHash('sha256').update(value).digest();

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what is damaged
  }
}

function guarded<Result>(path: string, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why = cause instanceof Error ? cause.message : String(cause);
    if (code === 'SQLITE_FULL' || code === 'ENOSPC')
      throw new T1Error(
        'DISK_FULL',
        message`no room to write ${path}: what is there is kept, ${remedy('sameAgain', 'the same call continues')}`,
        {
          cause,
        },
      );
    if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
      throw new T1Error('RUN_CORRUPT', `${path} is damaged or no run (${why})`, { cause });
    throw new T1Error('INPUT', `cannot use the run ${path} (${why})`, { cause });
  }
}
