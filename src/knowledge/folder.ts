/** The folder of indexes: one file for each name. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { T1Error } from '../errors.js';
import { message, remedy } from '../message.js';
import { indexFolder } from '../paths.js';
import { guarded } from './errors.js';
import { openForReading, readState } from './file.js';

const SUFFIX = '.sqlite';
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;

/** The index that ships with T1; see shipped.ts. */
export const shippedIndex = 'factbook';

/** @throws T1Error USAGE */
export function parseIndexName(name: string): string {
  if (NAME.test(name) && !name.endsWith(SUFFIX)) return name;
  throw new T1Error(
    'USAGE',
    `'${name}' cannot name an index: take letters, digits, '.', '_' and '-', at most 64, the first a letter or digit`,
  );
}

/** What has a slash or the suffix is a path, everything else a name in the folder. */
export function indexPath(nameOrPath: string, folder = indexFolder()): string {
  if (/[\\/]/.test(nameOrPath) || nameOrPath.endsWith(SUFFIX)) return nameOrPath;
  return join(folder, parseIndexName(nameOrPath) + SUFFIX);
}

/** Names of what lies in the folder, sorted. */
export function indexNames(folder = indexFolder()): string[] {
  if (!existsSync(folder)) return [];
  return guarded(folder, () => readdirSync(folder))
    .filter((file) => file.endsWith(SUFFIX) && NAME.test(basename(file, SUFFIX)))
    .map((file) => basename(file, SUFFIX))
    .sort();
}

export function indexNotFound(nameOrPath: string, folder = indexFolder()): T1Error {
  const known = [...new Set([...indexNames(folder), shippedIndex])].sort();
  return new T1Error(
    'INDEX_NOT_FOUND',
    message`no index '${nameOrPath}' (known: ${known.join(', ')}): ${remedy('addIndex', 'make one with addToIndex')}`,
  );
}

export interface IndexSummary {
  readonly name: string;
  readonly path: string;
  readonly passages: number;
  readonly sources: number;
  readonly bytes: number;
  readonly stemming: boolean;
  readonly stopWords: boolean;
  readonly complete: boolean;
}

/** @throws T1Error INDEX_UNAVAILABLE or INDEX_CORRUPT */
export function summarize(name: string, folder?: string): IndexSummary {
  const path = indexPath(name, folder);
  const database = openForReading(path);
  return guarded(path, () => {
    try {
      const { passages, analysis } = readState(database);
      const sources = database
        .prepare<[], { n: number; open: number }>(
          'SELECT count(*) AS n, coalesce(sum(complete = 0), 0) AS open FROM source',
        )
        .get();
      return {
        name,
        path,
        passages,
        sources: sources?.n ?? 0,
        bytes: statSync(path).size,
        ...analysis,
        complete: sources?.open === 0,
      };
    } finally {
      database.close();
    }
  });
}

/** Also one that is damaged or of another version. @throws T1Error INDEX_NOT_FOUND or USAGE */
export function removeIndex(name: string, folder?: string): string {
  const path = indexPath(parseIndexName(name), folder);
  if (!existsSync(path)) throw indexNotFound(name, folder);
  guarded(path, () => {
    rmSync(path);
    rmSync(`${path}-journal`, { force: true });
  });
  return path;
}
