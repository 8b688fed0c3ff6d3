// @ts-check
/** The child's life: boot, then one request after the other until the parent closes the pipe. */
import { readSync } from 'node:fs';
import { readMessage, writeBytes, writeMessage } from './channel.mjs';
import { bootGuest, makeSnapshot } from './guest.mjs';

/** Descriptor of the pipe to the parent, and of the snapshot file that the parent opened. */
const PIPE = 3;
const SNAPSHOT = 4;
/** The parent kills a program at its limit; the child ends itself this much later. */
const ORPHAN_GRACE_MS = 1000;
/** A heap that grew to this many times the image is given back by starting afresh. */
const HEAP_GROWTH_LIMIT = 4;

/** @param {number} bytes @returns {Uint8Array} */
function readSnapshot(bytes) {
  const snapshot = new Uint8Array(bytes);
  for (let at = 0; at < bytes; ) {
    const count = readSync(SNAPSHOT, snapshot, at, bytes - at, at);
    if (count === 0) throw new Error('the snapshot file is shorter than promised');
    at += count;
  }
  return snapshot;
}

/** @param {{ pyodideUrl: string, modules: string[] }} options */
export async function buildSnapshot(options) {
  writeBytes(PIPE, await makeSnapshot(options.pyodideUrl, options.modules));
}

/**
 * @param {{ pyodideUrl: string, memoryBytes: number, snapshotBytes: number }} options
 * @param {readonly string[]} allowedImports
 */
export async function serve(options, allowedImports) {
  const exit = process.exit.bind(process);
  const guest = await bootGuest({
    pyodideUrl: options.pyodideUrl,
    memoryBytes: options.memoryBytes,
    snapshot: readSnapshot(options.snapshotBytes),
    allowedImports,
  });
  writeMessage(PIPE, { kind: 'ready', imageBytes: guest.imageBytes });
  for (;;) {
    const request = /** @type {import('./guest.mjs').Program | undefined} */ (readMessage(PIPE));
    if (request === undefined) exit(0);
    else answer(guest, request, exit);
  }
}

/**
 * @param {import('./guest.mjs').Guest} guest @param {import('./guest.mjs').Program} request
 * @param {(code: number) => never} exit
 */
function answer(guest, request, exit) {
  try {
    const outcome = guest.run({ ...request, timeoutMs: request.timeoutMs + ORPHAN_GRACE_MS });
    const recycle = outcome.heapBytes > guest.imageBytes * HEAP_GROWTH_LIMIT;
    writeMessage(PIPE, { kind: 'outcome', ...outcome, recycle });
    if (recycle) exit(0);
    // After the answer, so that the parent works on it meanwhile.
    guest.restore();
  } catch (error) {
    // A WebAssembly trap, a refused import, the deadline: the instance cannot be trusted any more.
    writeMessage(PIPE, { kind: 'fatal', message: String(error).slice(0, 300) });
    exit(1);
  }
}
