// @ts-check
/** The child's life: boot, then one request after the other until the parent closes the pipe. */
import { readSync } from 'node:fs';
import { readFully, readMessage, writeBytes, writeMessage } from './channel.mjs';
import { bootGuest, makeSnapshot } from './guest.mjs';

/** Descriptor of the pipe to the parent, and of the snapshot file that the parent opened. */
const PIPE = 3;
const SNAPSHOT = 4;
/** The parent kills a program at its limit; the child ends itself this much later. */
const ORPHAN_GRACE_MS = 1000;
/** A heap that grew to this many times the image is given back by starting afresh. */
const HEAP_GROWTH_LIMIT = 4;

/** @param {number} from @param {number} bytes @returns {Uint8Array} */
function readSnapshot(from, bytes) {
  const part = new Uint8Array(bytes);
  for (let at = 0; at < bytes; ) {
    const count = readSync(SNAPSHOT, part, at, bytes - at, from + at);
    if (count === 0) throw new Error('the snapshot file is shorter than promised');
    at += count;
  }
  return part;
}

/** @param {{ pyodideUrl: string, modules: string[], packagesBytes: number }} options */
export async function buildSnapshot(options) {
  const packages = new Uint8Array(options.packagesBytes);
  if (!readFully(PIPE, packages)) throw new Error('the packages are shorter than promised');
  writeBytes(PIPE, await makeSnapshot(options.pyodideUrl, options.modules, packages));
}

/**
 * @param {{ pyodideUrl: string, memoryBytes: number, snapshotBytes: number, packagesBytes: number }} options
 * @param {readonly string[]} allowedImports
 */
export async function serve(options, allowedImports) {
  const exit = process.exit.bind(process);
  const guest = await bootGuest({
    pyodideUrl: options.pyodideUrl,
    memoryBytes: options.memoryBytes,
    snapshot: readSnapshot(0, options.snapshotBytes),
    packages: readSnapshot(options.snapshotBytes, options.packagesBytes),
    allowedImports,
  });
  writeMessage(PIPE, { kind: 'ready' });
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
