// @ts-check
/**
 * Boots Pyodide behind the gate and runs programs in it, each from the same memory image.
 *
 * No JavaScript value is ever handed to Python: the program goes in as a file, its output and its
 * result come out through two device files, and it is started by PyRun_SimpleString.
 */
import fs from 'node:fs';
import { Script } from 'node:vm';
import { Denied, capMemory, installGate, stripGlobals } from './gate.mjs';

const RESULT_BYTES = 65536;
const WARM_UP = 'import math\nx = [math.sqrt(i) for i in range(3)]\nprint(x, f"{x[1]:.2f}")\nx';

/**
 * @typedef {object} BootOptions
 * @property {string} pyodideUrl   file URL of the folder that holds pyodide.mjs, ending in a slash
 * @property {number} memoryBytes  cap of linear memory
 * @property {Uint8Array | null} snapshot  null boots from nothing, to make a snapshot
 * @property {Uint8Array} packages  archive of the packages in the snapshot; may be empty
 * @property {readonly string[]} allowedImports
 */

/**
 * @typedef {object} Program
 * @property {string} code @property {number} seed @property {number} outputBytes
 * @property {number} timeoutMs
 */

/**
 * @typedef {object} Outcome
 * @property {string | null} guest  what the guest wrote about itself; the parent does not trust it
 * @property {string | null} denied  the refused import that ended the program
 * @property {string} stdout
 * @property {boolean} overflow     the program printed more than outputBytes
 * @property {number} ms
 * @property {number} heapBytes
 */

/**
 * @typedef {object} Guest
 * @property {(program: Program) => Outcome} run
 * @property {() => void} restore  puts memory back as it was before the first program
 * @property {number} imageBytes
 */

/**
 * The parts of Emscripten's module and file system, and of Pyodide, that are used here.
 * @typedef {{ position?: number }} Stream
 * @typedef {object} FileSystem
 * @property {(Stream | null)[]} streams  null where a descriptor was closed
 * @property {(path: string, content: string | Uint8Array) => void} writeFile
 * @property {(path: string) => void} unlink
 * @property {(major: number, minor: number) => number} makedev
 * @property {(device: number, operations: object) => void} registerDevice
 * @property {(path: string, device: number) => void} mkdev
 *
 * @typedef {object} EmscriptenModule
 * @property {Uint8Array} HEAPU8
 * @property {() => number} stackSave
 * @property {(pointer: number) => void} stackRestore
 * @property {(text: string) => number} stringToNewUTF8
 * @property {(pointer: number) => number} _PyRun_SimpleString
 *
 * @typedef {object} Pyodide
 * @property {EmscriptenModule} _module
 * @property {FileSystem} FS
 * @property {(code: string) => void} runPython
 * @property {(to: { write: (bytes: Uint8Array) => number }) => void} setStdout
 * @property {(to: { write: (bytes: Uint8Array) => number }) => void} setStderr
 * @property {() => Uint8Array} makeMemorySnapshot
 */

/**
 * A copy of the first bytes of what the guest wrote; Emscripten hands out signed views of its heap.
 * @param {Uint8Array | Int8Array} bytes @param {number} limit
 */
function copyOf(bytes, limit) {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, Math.min(limit, bytes.length)).slice();
}

/** Collects what a program writes to stdout and to the result device, up to fixed sizes. */
function makeDevices() {
  /** @type {Uint8Array[]} */ let out = [];
  /** @type {Uint8Array[]} */ let result = [];
  let room = 0;
  let resultRoom = 0;
  let overflow = false;
  return {
    /** @param {number} outputBytes */
    reset(outputBytes) {
      out = [];
      result = [];
      room = outputBytes;
      resultRoom = RESULT_BYTES;
      overflow = false;
    },
    /** @param {Uint8Array | Int8Array} bytes */
    writeOut(bytes) {
      if (bytes.length > room) overflow = true;
      if (room > 0) out.push(copyOf(bytes, room));
      room -= Math.min(room, bytes.length);
      if (overflow) throw new Error('output limit');
      return bytes.length;
    },
    /** @param {Uint8Array | Int8Array} bytes */
    writeResult(bytes) {
      if (resultRoom > 0) result.push(copyOf(bytes, resultRoom));
      resultRoom -= Math.min(resultRoom, bytes.length);
      return bytes.length;
    },
    collect() {
      // `stream` leaves out a character that the limit cut in two.
      const stdout = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(out), { stream: overflow });
      return { stdout, overflow, guest: result.length > 0 ? Buffer.concat(result).toString('utf8') : null };
    },
  };
}

/** Node's permission model denies process.binding, which Emscripten asks for file-system constants. */
function shimProcessBinding() {
  /** @param {string} name */
  const binding = (name) => {
    if (name === 'constants') return { fs: fs.constants };
    throw new Error(`no binding ${name}`);
  };
  Object.assign(process, { binding });
}

/** @param {string} pyodideUrl @param {object} extra @returns {Promise<Pyodide>} */
async function loadPyodide(pyodideUrl, extra) {
  shimProcessBinding();
  const pyodide = await import(`${pyodideUrl}pyodide.mjs`);
  return pyodide.loadPyodide({
    env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0' },
    stdin: () => null,
    jsglobals: Object.freeze(Object.create(null)),
    ...extra,
  });
}

/** Where Python imports packages from. A snapshot holds what was imported, but no files. */
const PACKAGES = '/t1-packages.zip';
const LOAD_SYMPY = `
import sys
sys.path.append('${PACKAGES}')
import sympy
# What it imports and builds at first use, programs then find done.
x = sympy.Symbol('x')
sympy.solve(x**2 - 1, x), sympy.simplify(x + x), sympy.integrate(sympy.sin(x), x), sympy.factorint(360)
del x`;

/** @param {Pyodide} pyodide */
function loadSympy(pyodide) {
  try {
    pyodide.runPython(LOAD_SYMPY);
  } catch (error) {
    // A traceback ends in the exception; Pyodide adds advice to some.
    const why =
      String(error)
        .split('\n')
        .findLast((line) => /^[\w.]+: /.test(line)) ?? String(error);
    throw new Error(`SymPy cannot be imported: ${why}`);
  }
}

/**
 * Makes the start snapshot. Only our own imports and the user's packages run here, before any untrusted code exists.
 * @param {string} pyodideUrl @param {readonly string[]} modules @param {Uint8Array} packages  archive; may be empty
 * @returns {Promise<Uint8Array>}
 */
export async function makeSnapshot(pyodideUrl, modules, packages) {
  // Never locked, but there: wrapping decides the layout of the function table, which memory refers to.
  installGate({ locked: false, keepOpenBelow: 0 }, [], () => undefined);
  const pyodide = await loadPyodide(pyodideUrl, { _makeSnapshot: true });
  pyodide.runPython(`import ${modules.join(', ')}`);
  if (packages.length > 0) {
    pyodide.FS.writeFile(PACKAGES, packages);
    loadSympy(pyodide);
  }
  return pyodide.makeMemorySnapshot();
}

/**
 * Linear memory, stack pointer and open files as they are now, and the way back to them.
 * @param {EmscriptenModule} module @param {FileSystem} FS
 */
function takeImage(module, FS) {
  const image = module.HEAPU8.slice();
  const stack = module.stackSave();
  const streams = FS.streams.slice();
  return {
    bytes: image.length,
    restore() {
      const heap = module.HEAPU8;
      heap.set(image);
      heap.fill(0, image.length);
      FS.streams.length = 0;
      FS.streams.push(...streams);
      for (const stream of streams) if (stream?.position !== undefined) stream.position = 0;
      module.stackRestore(stack);
    },
  };
}

/** @param {Pyodide} pyodide @param {ReturnType<typeof makeDevices>} devices */
function connectDevices(pyodide, devices) {
  const FS = pyodide.FS;
  pyodide.setStdout({ write: devices.writeOut });
  pyodide.setStderr({ write: (bytes) => bytes.length });
  const device = FS.makedev(64, 7);
  FS.registerDevice(device, {
    open() {},
    close() {},
    read: () => 0,
    /** @param {unknown} _stream @param {Uint8Array} buffer @param {number} at @param {number} length */
    write: (_stream, buffer, at, length) => devices.writeResult(buffer.subarray(at, at + length)),
  });
  FS.mkdev('/dev/t1-result', device);
  // Emscripten's terminals read the host's stdin and print to its console.
  for (const path of ['/dev/tty', '/dev/tty1']) FS.unlink(path);
}

/** @param {BootOptions} options @returns {Promise<Guest>} */
export async function bootGuest(options) {
  const gate = { locked: false, keepOpenBelow: 0 };
  const growTo = capMemory(options.memoryBytes);
  const snapshot = options.snapshot;
  // Pyodide copies a snapshot without growing memory first.
  const wasGated = installGate(gate, options.allowedImports, (instance) => {
    const memory = instance.exports['memory'];
    if (snapshot && memory instanceof WebAssembly.Memory) growTo(memory, snapshot.length);
  });
  const pyodide = await loadPyodide(options.pyodideUrl, snapshot ? { _loadSnapshot: snapshot } : {});
  if (!wasGated()) throw new Error('the gate was not installed: Pyodide loads its module another way');
  const module = pyodide._module;
  const FS = pyodide.FS;
  const devices = makeDevices();
  connectDevices(pyodide, devices);
  if (options.packages.length > 0) FS.writeFile(PACKAGES, options.packages);
  FS.writeFile('/t1-program.py', WARM_UP);
  for (const script of ['runner.py', 'entry.py']) {
    pyodide.runPython(fs.readFileSync(new URL(script, import.meta.url), 'utf8'));
  }

  const { _PyRun_SimpleString: runSimpleString, stringToNewUTF8 } = module;
  /** @param {number} seed */
  const start = (seed) => runSimpleString(stringToNewUTF8(`t1_run(${seed})`));
  gate.keepOpenBelow = FS.streams.length;
  gate.locked = true;
  stripGlobals();
  devices.reset(RESULT_BYTES);
  start(0);
  const image = takeImage(module, FS);

  // vm's timeout also ends WebAssembly. The parent kills earlier; this one works when it is gone.
  Object.defineProperty(globalThis, 't1Start', { value: start });
  /** @param {Program} program @returns {Outcome} */
  const run = (program) => {
    FS.writeFile('/t1-program.py', program.code);
    devices.reset(program.outputBytes);
    const begin = performance.now();
    const seed = Math.trunc(program.seed);
    let denied = null;
    try {
      new Script(`t1Start(${seed})`).runInThisContext({ timeout: program.timeoutMs });
    } catch (error) {
      if (!(error instanceof Denied)) throw error;
      denied = error.message;
    }
    const ms = performance.now() - begin;
    return { ...devices.collect(), denied, ms, heapBytes: module.HEAPU8.length };
  };
  return { run, restore: image.restore, imageBytes: image.bytes };
}
