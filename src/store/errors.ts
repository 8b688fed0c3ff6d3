/** SQLite's result codes, told as ours. */
import Database from 'better-sqlite3';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';

/** @param path the database, for the message */
export function storeError(path: string, cause: unknown): T1Error {
  if (cause instanceof T1Error) return cause;
  const code = errorCode(cause);
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'SQLITE_IOERR_WRITE') {
    return new T1Error(
      'DISK_FULL',
      message`no room to write ${path}: free some space or name another ${named('database')}; stored results are kept`,
      { cause },
    );
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new T1Error(
      'STORE_CORRUPT',
      message`${path} is damaged or no database (${detail}): move it away or name another ${named('database')}`,
      { cause },
    );
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new T1Error(
      'STORE_UNAVAILABLE',
      message`${path} is locked by another process: wait for it or name another ${named('database')}`,
      {
        cause,
      },
    );
  }
  return new T1Error(
    'STORE_UNAVAILABLE',
    message`cannot use the database ${path} (${detail}): check its folder's rights or name another ${named('database')}`,
    { cause },
  );
}

function errorCode(cause: unknown): string {
  if (cause instanceof Database.SqliteError) return cause.code;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return '';
}
