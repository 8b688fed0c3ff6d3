// @ts-check
/**
 * The gate: what a guest can still reach once Python has started.
 *
 * Pyodide by itself is no sandbox: its WebAssembly imports can run host commands, open sockets and
 * evaluate JavaScript. So every function that the module imports is wrapped before the module is
 * instantiated, and after boot only those in ALLOWED_IMPORTS still work. They serve the in-memory file
 * system, clocks, random bytes and memory growth. Everything else, also what a later Pyodide might
 * add, is refused.
 */

/** Imports that a locked guest may call; so are `invoke_*`, which only re-enter the guest's own functions. */
export const ALLOWED_IMPORTS = Object.freeze([
  // Interpreter plumbing, all within the guest.
  '_PyEM_TrampolineCall_JS',
  '_Py_CheckEmscriptenSignals_Helper',
  '_Py_emscripten_runtime',
  'fail_test',
  '__assert_fail',
  'throw_no_gil',
  // In-memory file system, reading. Opening for writing is refused below.
  '__syscall_openat',
  '__syscall_fstat64',
  '__syscall_stat64',
  '__syscall_lstat64',
  '__syscall_newfstatat',
  '__syscall_faccessat',
  '__syscall_readlinkat',
  '__syscall_getcwd',
  '__syscall_getdents64',
  'fd_close',
  'fd_fdstat_get',
  'fd_read',
  'fd_pread',
  'fd_seek',
  'fd_sync',
  // Writing to descriptors that are already open: stdout, stderr and the result device.
  'fd_write',
  // Facts about a made-up machine.
  '__syscall_getuid32_js',
  '__syscall_umask_js',
  'environ_get',
  'environ_sizes_get',
  // Time and random bytes.
  '_localtime_js',
  '_gmtime_js',
  '_mktime_js',
  '_timegm_js',
  '_tzset_js',
  'clock_time_get',
  'clock_res_get',
  'emscripten_date_now',
  'emscripten_get_now',
  'random_get',
  // Memory, below the cap.
  'emscripten_get_heap_max',
  'emscripten_resize_heap',
]);

const EPERM = -63;
const EROFS = -69;
/** O_CLOEXEC, O_DIRECTORY, O_LARGEFILE, O_NOFOLLOW, O_NONBLOCK: flags that neither write nor create. */
const HARMLESS_OPEN_FLAGS = 0o2000000 | 0o200000 | 0o100000 | 0o400000 | 0o4000;
/** Refused imports whose callers understand a refusal; for the others an exception ends the program. */
const REFUSALS = new Map([
  ['can_run_sync_js', 0],
  ['_emscripten_system', -1],
]);
const GUEST_UID = 1000;
const WASM_PAGE = 65536;

/** Thrown through the guest's frames: it ends the program, and the memory reset clears up after it. */
export class Denied extends Error {
  /** @param {string} name */
  constructor(name) {
    super(`the program tried to leave the sandbox (${name})`);
  }
}

/**
 * @typedef {object} GateState
 * @property {boolean} locked        false while Pyodide boots, true before the first guest program
 * @property {number} keepOpenBelow  descriptors below this belong to the host and stay open
 */

/**
 * WebAssembly passes numbers, apart from references to JavaScript values, which only pass through here.
 * @typedef {((...args: number[]) => number | void) & { sig?: string, async?: boolean }} ImportFunction
 */

/**
 * Wraps one import so that it does nothing once the gate is locked.
 * @param {string} name @param {ImportFunction} original @param {GateState} state
 * @returns {ImportFunction}
 */
function denied(name, original, state) {
  return (...args) => {
    if (!state.locked) return original(...args);
    if (name.startsWith('__syscall_')) return EPERM;
    const answer = REFUSALS.get(name);
    if (answer !== undefined) return answer;
    throw new Denied(name);
  };
}

/**
 * Allowed imports that still need a limit.
 * @param {string} name @param {ImportFunction} original @param {GateState} state
 * @returns {ImportFunction}
 */
function limited(name, original, state) {
  if (name === 'fd_close') {
    return (fd = 0) => (state.locked && fd < state.keepOpenBelow ? 0 : original(fd));
  }
  if (name === '__syscall_openat') {
    return (folder = 0, path = 0, flags = 0, mode = 0) =>
      state.locked && (flags & ~HARMLESS_OPEN_FLAGS) !== 0 ? EROFS : original(folder, path, flags, mode);
  }
  // The originals ask `process`, which is gone by then.
  if (name === '__syscall_getuid32_js') return () => GUEST_UID;
  if (name === '__syscall_umask_js') return () => 0o22;
  // Wrapped all the same: the linker numbers distinct functions, and a snapshot holds those numbers.
  return (...args) => original(...args);
}

/**
 * Replaces every function of the import object in place: Emscripten's dynamic linker looks symbols up
 * in this same object, so it too must only ever find the wrapped ones.
 * @param {ImportTables} imports
 * @param {GateState} state @param {ReadonlySet<string>} allowed
 */
function gateImports(imports, state, allowed) {
  const seen = new Set();
  for (const table of Object.values(imports)) {
    // The GOT tables are proxies that make globals on demand; they hold no functions of ours.
    if (seen.has(table)) continue;
    seen.add(table);
    for (const [name, value] of Object.entries(table)) {
      if (typeof value !== 'function' || name.startsWith('invoke_')) continue;
      const original = /** @type {ImportFunction} */ (value);
      const open = allowed.has(name);
      const wrapped = open ? limited(name, original, state) : denied(name, original, state);
      if (original.sig !== undefined) wrapped.sig = original.sig;
      if (original.async !== undefined) wrapped.async = original.async;
      table[name] = wrapped;
    }
  }
}

/**
 * Caps linear memory. Emscripten answers a failed grow with a failed malloc, and Python turns that into
 * MemoryError. V8's own resource limits do not count WebAssembly memory.
 * @param {number} maxBytes
 * @returns {(memory: WebAssembly.Memory, bytes: number) => void} grows a memory to at least `bytes`
 */
export function capMemory(maxBytes) {
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function (/** @type {number} */ pages) {
    if (this.buffer.byteLength + pages * WASM_PAGE > maxBytes) throw new RangeError('memory cap');
    return grow.call(this, pages);
  };
  return (memory, bytes) => {
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) grow.call(memory, Math.ceil(missing / WASM_PAGE));
  };
}

/** @typedef {Record<string, Record<string, unknown>>} ImportTables */

/**
 * Hooks WebAssembly.instantiate so that Pyodide's main module gets gated imports.
 * @param {GateState} state @param {readonly string[]} allowed
 * @param {(instance: WebAssembly.Instance) => void} onInstance
 * @returns {() => boolean} tells whether a module has been gated
 */
export function installGate(state, allowed, onInstance) {
  const instantiate = /** @type {Function} */ (WebAssembly.instantiate);
  const allowedSet = new Set(allowed);
  let gated = false;
  /** @param {unknown} source @param {ImportTables | undefined} imports */
  const hooked = async (source, imports) => {
    if (!imports?.['env'] || !imports['wasi_snapshot_preview1']) return instantiate.call(WebAssembly, source, imports);
    gateImports(imports, state, allowedSet);
    const made = await instantiate.call(WebAssembly, source, imports);
    gated = true;
    onInstance(made.instance);
    return made;
  };
  Object.assign(WebAssembly, { instantiate: hooked });
  return () => gated;
}

/** What JavaScript itself needs to stay; clocks, text codecs and random bytes serve the imports above. */
const KEPT_GLOBALS = new Set([
  'globalThis',
  'undefined',
  'NaN',
  'Infinity',
  'Object',
  'Function',
  'Array',
  'Number',
  'Boolean',
  'String',
  'Symbol',
  'BigInt',
  'Math',
  'JSON',
  'Date',
  'Promise',
  'RegExp',
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'FinalizationRegistry',
  'Proxy',
  'Reflect',
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'ArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'parseInt',
  'parseFloat',
  'isNaN',
  'isFinite',
  'WebAssembly',
  'performance',
  'crypto',
  'TextDecoder',
  'TextEncoder',
  'Buffer',
]);

/** Removes Node and the web platform from the global scope: a second layer behind the gate. */
export function stripGlobals() {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!KEPT_GLOBALS.has(name)) Reflect.deleteProperty(globalThis, name);
  }
  // Pyodide reports a failed write there.
  const silent = () => undefined;
  const console = Object.freeze({ log: silent, warn: silent, error: silent });
  Object.defineProperty(globalThis, 'console', { value: console });
}
