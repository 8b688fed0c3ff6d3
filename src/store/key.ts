/** Content keys of indexes of passages, whose files hold them: the same inputs give the same key on every machine. */
import { createHash } from 'node:crypto';

type KeyPart = string | number | null | Int32Array | readonly KeyPart[];

/**
 * sha256 over the parts. Every part is written with its type and length, so that no two lists of parts
 * can run into the same bytes.
 */
export function contentKey(...parts: readonly KeyPart[]): Buffer {
  const hash = createHash('sha256');
  const write = (part: KeyPart): void => {
    if (part === null) hash.update('n;');
    else if (typeof part === 'number') hash.update(`d${part};`);
    else if (typeof part === 'string') hash.update(`s${Buffer.byteLength(part)}:`).update(part);
    else if (part instanceof Int32Array) hash.update(`i${part.length}:`).update(littleEndian(part));
    else {
      hash.update(`l${part.length}:`);
      part.forEach(write);
    }
  };
  parts.forEach(write);
  return hash.digest();
}

/** Bytes of a typed array of 32-bit elements; every platform that llama.cpp runs on here is little-endian. */
export function littleEndian(array: Int32Array | Float32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
