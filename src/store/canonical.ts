/**
 * Plain data as bytes, and back: equal data give equal bytes on every machine, different data different ones. Keys are
 * hashes of them, and values are stored as them.
 *
 * Every part is written with its type and length, so that no two can run into the same bytes. An object's fields are
 * sorted by name; one that is undefined is the same as one that is not there.
 */
import { createHash } from 'node:crypto';
import { T1Error } from '../errors.js';

/** What can be written: text, numbers, typed arrays, and lists and records of them. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | Int32Array
  | Float32Array
  | readonly Plain[]
  | { readonly [field: string]: Plain | undefined };

/** One byte each. */
const TAG = {
  null: 0x6e,
  true: 0x74,
  false: 0x66,
  number: 0x64,
  text: 0x73,
  /** UTF-16, for text that is not well-formed: UTF-8 would write every lone surrogate alike. */
  text16: 0x77,
  int32: 0x69,
  float32: 0x72,
  list: 0x6c,
  record: 0x6f,
} as const;

/** The one not-a-number that is written, whatever bits a computation left in it. */
const NAN = Buffer.from('000000000000f87f', 'hex');

class Writer {
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;

  byte(value: number): void {
    this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  count(value: number): void {
    this.#grow(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  double(value: number): void {
    if (Number.isNaN(value)) this.raw(NAN);
    else {
      this.#grow(8);
      this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    }
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(value: string, encoding: 'utf8' | 'utf16le'): void {
    const length = Buffer.byteLength(value, encoding);
    this.count(length);
    this.#grow(length);
    this.#length += this.#bytes.write(value, this.#length, encoding);
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + more));
    larger.set(this.take());
    this.#bytes = larger;
  }
}

/** @throws T1Error INTERNAL for what is no plain data: it could not be told from something else */
export function encode(value: unknown): Buffer {
  const writer = new Writer();
  write(writer, value);
  return writer.take();
}

function write(to: Writer, value: unknown): void {
  if (value === null) to.byte(TAG.null);
  else if (typeof value === 'boolean') to.byte(value ? TAG.true : TAG.false);
  else if (typeof value === 'number') {
    to.byte(TAG.number);
    to.double(value);
  } else if (typeof value === 'string') {
    const wellFormed = value.isWellFormed();
    to.byte(wellFormed ? TAG.text : TAG.text16);
    to.text(value, wellFormed ? 'utf8' : 'utf16le');
  } else if (value instanceof Int32Array || value instanceof Float32Array) {
    to.byte(value instanceof Int32Array ? TAG.int32 : TAG.float32);
    to.count(value.length);
    // Every platform that llama.cpp runs on here is little-endian.
    to.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else if (Array.isArray(value)) {
    to.byte(TAG.list);
    to.count(value.length);
    for (const item of value) write(to, item);
  } else if (isRecord(value)) {
    const fields = Object.keys(value).filter((field) => value[field] !== undefined);
    to.byte(TAG.record);
    to.count(fields.length);
    for (const field of fields.sort()) {
      write(to, field);
      write(to, value[field]);
    }
  } else throw new T1Error('INTERNAL', `a ${typeof value} cannot be part of what is remembered`);
}

/** No Date, Map or class of ours, whose content is not in its fields. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** @throws Error for bytes that `encode` did not write */
export function decode(bytes: Buffer): Plain {
  const reader = new Reader(bytes);
  const value = read(reader);
  if (!reader.done) throw new Error('bytes are left over');
  return value;
}

class Reader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get done(): boolean {
    return this.#at === this.bytes.length;
  }

  byte(): number {
    return this.bytes.readUInt8(this.#advance(1));
  }

  count(): number {
    return this.bytes.readUInt32LE(this.#advance(4));
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#advance(8));
  }

  text(encoding: 'utf8' | 'utf16le'): string {
    const length = this.count();
    const start = this.#advance(length);
    return this.bytes.toString(encoding, start, start + length);
  }

  /** A copy: rows share SQLite's memory, where a typed array could be misaligned. */
  words(): ArrayBuffer {
    const length = 4 * this.count();
    const start = this.#advance(length);
    return new Uint8Array(this.bytes.subarray(start, start + length)).buffer;
  }

  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.bytes.length) throw new Error('bytes are missing');
    this.#at += length;
    return start;
  }
}

function read(from: Reader): Plain {
  const tag = from.byte();
  switch (tag) {
    case TAG.null:
      return null;
    case TAG.true:
      return true;
    case TAG.false:
      return false;
    case TAG.number:
      return from.double();
    case TAG.text:
      return from.text('utf8');
    case TAG.text16:
      return from.text('utf16le');
    case TAG.int32:
      return new Int32Array(from.words());
    case TAG.float32:
      return new Float32Array(from.words());
    case TAG.list:
      return readMany(from, () => read(from));
    case TAG.record:
      return Object.fromEntries(readMany(from, () => [String(read(from)), read(from)] as const));
    default:
      throw new Error(`no type has the tag ${tag}`);
  }
}

function readMany<Item>(from: Reader, one: () => Item): Item[] {
  const items: Item[] = [];
  for (let left = from.count(); left > 0; left--) items.push(one());
  return items;
}

/** sha256 of the parts, which are plain data that was written already, or that is written here. */
export function plainKey(...parts: readonly unknown[]): Buffer {
  return digest(...parts.map((part) => (Buffer.isBuffer(part) ? part : encode(part))));
}

/** sha256 of bytes, one part after the other. */
export function digest(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
