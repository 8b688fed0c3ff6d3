/**
 * A task's file from its public home, once: resumed where it broke off, and only believed when its content is what is
 * pinned.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { T1Error } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { message, named } from '../message.js';
import type { Task } from './task.js';

export interface FetchOptions {
  /** Folder that keeps the files. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: { readonly downloadedSize: number; readonly totalSize: number }) => void;
}

/**
 * @returns path of the file
 * @throws T1Error DATA_UNAVAILABLE when the task has no home, it cannot be reached, or has another content; ABORTED;
 *   DISK_FULL
 */
export async function fetchTask(
  { name, data: { url, sha256, format } }: Task,
  { folder, signal, onProgress }: FetchOptions,
): Promise<string> {
  if (url === undefined || sha256 === undefined) {
    throw new T1Error(
      'DATA_UNAVAILABLE',
      message`the data of ${name} has no home that t1 can read: give the file with ${named('data')}`,
    );
  }
  const path = join(folder, `${sha256.slice(0, 16)}.${format}`);
  if ((await sizeOf(path)) > 0) return path;
  const partial = `${path}.partial`;
  try {
    makeFolder(folder);
    await download(url, partial, signal, onProgress);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC')
      throw new T1Error('DISK_FULL', `no room for the data of ${name} in ${folder}`, { cause });
    const why =
      cause instanceof T1Error
        ? cause.message
        : cause instanceof Error
          ? `${cause.message}${cause.cause instanceof Error ? `: ${cause.cause.message}` : ''}`
          : String(cause);
    throw new T1Error(
      'DATA_UNAVAILABLE',
      message`cannot fetch the data of ${name} from ${url} (${why}): try again, it continues; or give the file with ${named('data')}`,
      { cause },
    );
  }
  const found = await hashOf(partial);
  if (found !== sha256) {
    await rm(partial, { force: true });
    throw new T1Error(
      'DATA_UNAVAILABLE',
      message`the data of ${name} at ${url} has changed (sha256 ${found}, pinned ${sha256}): give the right file with ${named('data')}`,
    );
  }
  await rename(partial, path);
  return path;
}

async function download(
  url: string,
  partial: string,
  signal: AbortSignal | undefined,
  onProgress: FetchOptions['onProgress'],
): Promise<void> {
  const have = await sizeOf(partial);
  const response = await fetch(url, { signal: signal ?? null, headers: have > 0 ? { range: `bytes=${have}-` } : {} });
  if (response.status === 416) return; // nothing is missing
  if (!response.ok || !response.body)
    throw new T1Error('DATA_UNAVAILABLE', `${response.status} ${response.statusText}`);
  const resumed = response.status === 206;
  let downloadedSize = resumed ? have : 0;
  const totalSize = downloadedSize + Number(response.headers.get('content-length') ?? 0);
  const counted = async function* (body: AsyncIterable<Uint8Array>) {
    for await (const chunk of body) {
      downloadedSize += chunk.length;
      onProgress?.({ downloadedSize, totalSize });
      yield chunk;
    }
  };
  await pipeline(
    Readable.fromWeb(response.body as import('node:stream/web').ReadableStream<Uint8Array>),
    counted,
    createWriteStream(partial, { flags: resumed ? 'a' : 'w' }),
  );
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
