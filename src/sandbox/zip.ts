/** As much of the zip format as Python packages need: reading a wheel, writing an archive that Python imports from. */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  /** Path inside the archive, with slashes. */
  readonly name: string;
  readonly data: Buffer;
}

// Offsets and sizes: PKWARE APPNOTE 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end of it).
const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
const CENTRAL = { signature: 0x02014b50, bytes: 46 } as const;
const END = { signature: 0x06054b50, bytes: 22 } as const;
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;
/** No entry of a Python package is longer; a bomb would be. */
const MAX_ENTRY_BYTES = 64 * 1024 * 1024;

/**
 * @param wanted which entries to unpack
 * @throws RangeError if this is no zip archive, or one of a kind that no wheel is (zip64, encrypted)
 */
export function readZip(archive: Buffer, wanted: (name: string) => boolean): ZipEntry[] {
  const end = findEnd(archive);
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== CENTRAL.signature) throw new RangeError('its directory is damaged');
    const nameBytes = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + CENTRAL.bytes, at + CENTRAL.bytes + nameBytes);
    if (wanted(name)) entries.push({ name, data: unpack(archive, at) });
    at += CENTRAL.bytes + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(archive: Buffer): number {
  const first = Math.max(0, archive.length - END.bytes - LONGEST_COMMENT);
  for (let at = archive.length - END.bytes; at >= first; at--) {
    if (archive.readUInt32LE(at) === END.signature) return at;
  }
  throw new RangeError('it is no zip archive');
}

/** @param central offset of the entry in the directory */
function unpack(archive: Buffer, central: number): Buffer {
  const method = archive.readUInt16LE(central + 10);
  const size = archive.readUInt32LE(central + 20);
  const local = archive.readUInt32LE(central + 42);
  const start = local + LOCAL.bytes + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + size);
  if (packed.length !== size) throw new RangeError('its end is missing');
  if (method === STORED) return packed;
  if (method === DEFLATED) return inflateRawSync(packed, { maxOutputLength: MAX_ENTRY_BYTES });
  throw new RangeError(`it is packed by a method that is not known here (${method})`);
}

export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of entries) {
    const packed = deflateRawSync(data);
    const path = Buffer.from(name, 'utf8');
    // From "version needed" to "extra length": the same in both headers.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2); // names are UTF-8
    common.writeUInt16LE(DEFLATED, 4);
    common.writeUInt16LE(0x21, 8); // 1 January 1980: the same content gives the same archive
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    files.push(signature(LOCAL.signature), common, path, packed);
    const central = Buffer.alloc(CENTRAL.bytes - 6 - common.length);
    central.writeUInt32LE(offset, central.length - 4);
    const madeBy = Buffer.from([20, 0]);
    directory.push(signature(CENTRAL.signature), madeBy, common, central, path);
    offset += LOCAL.bytes + path.length + packed.length;
  }
  const end = Buffer.alloc(END.bytes);
  end.writeUInt32LE(END.signature, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(
    directory.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
