// @ts-check
/**
 * Length-prefixed frames over one descriptor, read and written synchronously.
 *
 * The child needs no event loop: it waits for a request, runs it, answers, waits again. A closed pipe
 * means that the parent is gone.
 */
import { readSync, writeSync } from 'node:fs';

const HEADER_BYTES = 4;

/** @param {number} fd @param {Uint8Array} bytes @returns {boolean} false at the end of the stream */
export function readFully(fd, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, null);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

/** @param {number} fd @param {Uint8Array} bytes */
function writeFully(fd, bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, null);
}

/** @param {number} fd @returns {unknown} the next message, or undefined when the parent closed the pipe */
export function readMessage(fd) {
  const header = Buffer.alloc(HEADER_BYTES);
  if (!readFully(fd, header)) return undefined;
  const body = Buffer.alloc(header.readUInt32LE(0));
  if (!readFully(fd, body)) return undefined;
  return JSON.parse(body.toString('utf8'));
}

/** @param {number} fd @param {Uint8Array} body */
export function writeBytes(fd, body) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(body.length, 0);
  writeFully(fd, header);
  writeFully(fd, body);
}

/** @param {number} fd @param {object} message */
export function writeMessage(fd, message) {
  writeBytes(fd, Buffer.from(JSON.stringify(message), 'utf8'));
}
