/** SQLite's result codes while an index is used, told as ours. */
import Database from 'better-sqlite3';
import { T1Error } from '../errors.js';
import { message, named, remedy } from '../message.js';

/** @param path the index, for the message */
export function indexError(path: string, cause: unknown): T1Error {
  if (cause instanceof T1Error) return cause;
  const code = errorCode(cause);
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'SQLITE_IOERR_WRITE') {
    return new T1Error(
      'DISK_FULL',
      message`no room to write ${path}: free some space, then ${remedy('sameAgain', 'the same call continues')}; what was indexed is kept`,
      { cause },
    );
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || cause instanceof RangeError) {
    return new T1Error(
      'INDEX_CORRUPT',
      `${path} is damaged or no index (${detail}): remove the file and add the passages again`,
      { cause },
    );
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new T1Error('INDEX_UNAVAILABLE', `${path} is being written by another process: wait for it`, { cause });
  }
  return new T1Error(
    'INDEX_UNAVAILABLE',
    message`cannot use the index ${path} (${detail}): check its folder's rights or name another ${named('indexFolder')}`,
    { cause },
  );
}

function errorCode(cause: unknown): string {
  if (cause instanceof Database.SqliteError) return cause.code;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return '';
}

export function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw indexError(path, cause);
  }
}
