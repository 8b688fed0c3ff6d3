/** sha256 of a model's or an adapter's file, remembered while the file stays as it is. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { T1Error } from '../errors.js';
import type { Store } from '../store/store.js';

/**
 * @param path the GGUF
 * @param store remembers the hash by real path, size and modification time
 * @throws T1Error FILE_NOT_FOUND
 */
export async function fingerprint(path: string, store: Store): Promise<string> {
  try {
    const file = await realpath(path);
    const { size, mtimeNs } = await stat(file, { bigint: true });
    const known = store.fileHash(file, Number(size), mtimeNs);
    if (known) return known;
    const hash = createHash('sha256');
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
    const sha256 = hash.digest('hex');
    store.saveFileHash(file, Number(size), mtimeNs, sha256);
    return sha256;
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    throw new T1Error('FILE_NOT_FOUND', `cannot read ${path}: ${String(cause)}`, { cause });
  }
}
