/** Files with passages: which there are, of which kind, and their bytes as a stream, unpacked. */
import { createReadStream, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import unbzip2Stream from 'unbzip2-stream';
import { T1Error } from '../../errors.js';

export type SourceKind = 'jsonl' | 'markdown' | 'text' | 'mediawiki';

export interface SourceFile {
  /** Absolute, without links. */
  readonly path: string;
  /** As the user gave it, with forward slashes. */
  readonly name: string;
  readonly kind: SourceKind;
  /** Bytes on disk. */
  readonly size: number;
  readonly modifiedNs: bigint;
}

const KINDS: Readonly<Record<string, SourceKind>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  md: 'markdown',
  markdown: 'markdown',
  txt: 'text',
  text: 'text',
  xml: 'mediawiki',
};

const READ_BYTES = 1 << 20;

/**
 * @param paths files, or folders, of which every file of a known kind is taken, also in their folders
 * @throws T1Error FILE_NOT_FOUND, or INPUT for a file of no known kind and a folder without any
 */
export function findSources(paths: readonly string[]): SourceFile[] {
  const sources = paths.flatMap((path) => {
    const stat = statOf(path);
    if (!stat.isDirectory()) return [fileAt(path)];
    const inside = readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((entry) => join(path, entry))
      .filter((entry) => kindOf(entry) !== undefined && statOf(entry).isFile())
      .sort();
    if (inside.length === 0)
      throw new T1Error(
        'INPUT',
        `${path}: no .jsonl, .md, .txt or .xml (or one of these with .gz or .bz2) in this folder`,
      );
    return inside.map(fileAt);
  });
  return [...new Map(sources.map((source) => [source.path, source])).values()];
}

function statOf(path: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(path);
  } catch (cause) {
    throw notReadable(path, cause);
  }
}

function notReadable(path: string, cause: unknown): T1Error {
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new T1Error('FILE_NOT_FOUND', `cannot read ${path} (${why}): check the path`, { cause });
}

function kindOf(path: string): SourceKind | undefined {
  const [extension = ''] = /[^.]*$/.exec(basename(path).replace(/\.(?:gz|bz2)$/i, '')) ?? [];
  return KINDS[extension.toLowerCase()];
}

function fileAt(path: string): SourceFile {
  const kind = kindOf(path);
  if (kind === undefined) {
    throw new T1Error(
      'INPUT',
      `${path}: not known what this is by its name: passages come from .jsonl, .md, .txt or a MediaWiki .xml, each also with .gz or .bz2`,
    );
  }
  const { size, mtimeNs } = statSync(path, { bigint: true });
  return {
    path: realpathSync(resolve(path)),
    name: path.replaceAll('\\', '/'),
    kind,
    size: Number(size),
    modifiedNs: mtimeNs,
  };
}

/**
 * The file's content, whatever it is packed with.
 *
 * @param onBytes bytes of the file on disk, as they are read
 * @throws T1Error FILE_NOT_FOUND, or INPUT when the packing is damaged
 */
export async function* contentOf(
  { path, name }: Pick<SourceFile, 'path' | 'name'>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: READ_BYTES });
  const raw = counted(file, path, onBytes);
  const first = await raw.next();
  if (first.done) return;
  const packing = packingOf(first.value);
  try {
    if (packing === undefined) {
      yield first.value;
      yield* raw;
    } else yield* unpacked(chained(first.value, raw), packing);
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new T1Error('INPUT', `${name}: damaged ${packing ?? 'file'} (${detail}): get or make the file again`, {
      cause,
    });
  } finally {
    file.destroy();
  }
}

type Packing = 'gzip' | 'bzip2';

/** By the first bytes, so that a wrong name does no harm. */
function packingOf(start: Buffer): Packing | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  const magic = start.subarray(4, 10).toString('hex'); // of a block, or of the end where there is none
  if (start.subarray(0, 3).toString('latin1') === 'BZh' && (magic === '314159265359' || magic === '177245385090'))
    return 'bzip2';
  return undefined;
}

async function* counted(file: Readable, path: string, onBytes: (bytes: number) => void): AsyncGenerator<Buffer, void> {
  try {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      onBytes(chunk.length);
      yield chunk;
    }
  } catch (cause) {
    throw notReadable(path, cause);
  }
}

async function* chained(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  yield first;
  yield* rest;
}

async function* unpacked(packed: AsyncIterable<Buffer>, packing: Packing): AsyncGenerator<Buffer, void> {
  const input = Readable.from(packed, { objectMode: false });
  const unpacker = packing === 'gzip' ? createGunzip({ chunkSize: READ_BYTES }) : unbzip2Stream();
  const output = new PassThrough(); // the bzip2 stream is of the old style, which cannot be iterated
  for (const stage of [input, unpacker])
    stage.on('error', (cause) => output.destroy(cause instanceof Error ? cause : new Error(String(cause))));
  input.pipe(unpacker).pipe(output);
  try {
    yield* output as AsyncIterable<Buffer>;
  } finally {
    input.destroy();
    output.destroy();
  }
}
