/**
 * The start image: Python with the usual modules imported, made once per machine (seconds) so that a
 * child starts from it (less than half a second).
 */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { T1Error } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { GuestProcess } from './guest-process.js';
import { childEntry, pyodideChild, pyodideUrl, pyodideVersion } from './lockdown.js';
import type { Packages } from './packages.js';
import { whileStarting } from './start-worker.js';
import { writeZip } from './zip.js';

/** Modules that a program gets without the time of importing them. */
export const PRELOADED_MODULES = [
  'math',
  'cmath',
  'fractions',
  'decimal',
  'numbers',
  'statistics',
  'random',
  'itertools',
  'functools',
  'operator',
  'collections',
  'heapq',
  'bisect',
  're',
  'string',
  'textwrap',
  'json',
  'datetime',
  'calendar',
  'time',
  'copy',
  'dataclasses',
  'enum',
  'typing',
  'io',
  'ast',
  'traceback',
] as const;

const BUILD_TIMEOUT_MS = 120_000;
const DIGEST_BYTES = 32;
/** Of the length of the packages, which stands between them and the digest. */
const LENGTH_BYTES = 4;

export interface Snapshot {
  /** Open for reading, so that neither a deleted nor a replaced file can change what children get. */
  readonly fd: number;
  /** The image is first in the file, an archive of the packages that it holds follows; 0 without any. */
  readonly imageBytes: number;
  readonly packagesBytes: number;
  close(): Promise<void>;
}

/**
 * Opens the snapshot of this version from `folder`, or makes it.
 *
 * @param packages to be imported into it
 * @param build makes the image; gets an archive of the packages, which is empty without any
 * @throws T1Error SANDBOX_UNAVAILABLE
 */
export async function openSnapshot(
  folder: string,
  packages: Packages | null = null,
  build: (archive: Buffer) => Promise<Buffer> = buildSnapshot,
): Promise<Snapshot> {
  const path = join(
    folder,
    `sandbox-${pyodideVersion}-${hostVersion()}${packages ? `-${packages.digest}` : ''}.snapshot`,
  );
  const found = tryOpen(path);
  if (found) return found;
  const archive = packages ? writeZip(packages.files) : Buffer.alloc(0);
  const content = withDigest(await build(archive), archive);
  try {
    makeFolder(folder);
    await writeAtomically(path, content);
    return reopen(path);
  } catch (cause) {
    return await inTemporaryFolder(content, folder, cause);
  }
}

/** Changes with everything that has a part in the image: our host, the modules, the engine that ran it. */
function hostVersion(): string {
  const hash = createHash('sha256');
  const folder = dirname(childEntry);
  for (const file of readdirSync(folder).sort()) {
    if (/\.(mjs|py)$/.test(file)) hash.update(readFileSync(join(folder, file)));
  }
  hash.update(JSON.stringify([PRELOADED_MODULES, process.versions.v8]));
  return hash.digest('hex').slice(0, 16);
}

/** @param signal kills the child that makes it: that takes seconds */
export async function buildSnapshot(archive: Buffer, signal?: AbortSignal): Promise<Buffer> {
  const options = { mode: 'snapshot', pyodideUrl, modules: PRELOADED_MODULES, packagesBytes: archive.length };
  const child = new GuestProcess(pyodideChild(childEntry, options));
  try {
    return await whileStarting(child, signal, () => {
      child.send(archive);
      return child.receive(BUILD_TIMEOUT_MS);
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new T1Error('SANDBOX_UNAVAILABLE', `cannot make the Python start image: ${why}`, { cause });
  } finally {
    child.kill();
  }
}

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
function withDigest(image: Buffer, archive: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(archive.length);
  const content = Buffer.concat([image, archive, length]);
  return Buffer.concat([content, digest(content)]);
}

/** @returns null if there is no such file, or it is damaged: then it is made again. */
function tryOpen(path: string): Snapshot | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const content = readFileSync(fd);
    const bytes = content.length - DIGEST_BYTES;
    if (bytes > 0 && digest(content.subarray(0, bytes)).equals(content.subarray(bytes))) {
      const packagesBytes = content.readUInt32LE(bytes - LENGTH_BYTES);
      return { fd, imageBytes: bytes - LENGTH_BYTES - packagesBytes, packagesBytes, close: async () => closeSync(fd) };
    }
  } catch {
    // Unreadable is as good as damaged.
  }
  closeSync(fd);
  return null;
}

function reopen(path: string): Snapshot {
  const snapshot = tryOpen(path);
  if (!snapshot) throw new Error(`${path} changed while it was written`);
  return snapshot;
}

async function writeAtomically(path: string, content: Buffer): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, content, { mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** For a cache folder that cannot be written: the image lives as long as this sandbox. */
async function inTemporaryFolder(content: Buffer, folder: string, cacheError: unknown): Promise<Snapshot> {
  let temporary: string | undefined;
  try {
    temporary = await mkdtemp(join(tmpdir(), 't1-sandbox-'));
    const made = temporary;
    await writeFile(join(made, 'snapshot'), content, { mode: 0o600 });
    const snapshot = reopen(join(made, 'snapshot'));
    const close = async () => {
      await snapshot.close();
      await rm(made, { recursive: true, force: true });
    };
    return { ...snapshot, close };
  } catch (cause) {
    if (temporary) await rm(temporary, { recursive: true, force: true });
    const why = cacheError instanceof Error ? cacheError.message : String(cacheError);
    const message = `cannot store the Python start image in ${folder} (${why}), nor in ${tmpdir()}; set T1_CACHE_DIR to a writable folder`;
    throw new T1Error('SANDBOX_UNAVAILABLE', message, { cause });
  }
}
