/**
 * Builds the addon: build/Release/t1_engine.node. Does nothing if nothing it is made of has changed.
 *
 *   node native/build.mjs                       the addon
 *   node native/build.mjs --tests [--sanitize=address|thread]   native/test, then ctest; no Node in them.
 *                                               thread: those of them in which threads work together
 *
 * T1_BUILD_LLAMA=source   build llama.cpp from the bundle instead of linking node-llama-cpp's libraries
 * T1_LLAMA_VARIANT=cuda|vulkan   link that variant's prebuilt libraries
 * T1_CMAKE_FLAGS          more -D flags, separated by spaces, for example -DGGML_CUDA=ON
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { libraryFolder, llamaRelease, prepareLlama } from './llama.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const buildFolder = join(root, 'build');
const addon = join(buildFolder, 'Release', 't1_engine.node');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const tests = process.argv.includes('--tests');
const sanitize = process.argv.find((argument) => argument.startsWith('--sanitize='))?.split('=')[1] ?? '';
const fromSource = process.env.T1_BUILD_LLAMA === 'source' || process.platform === 'win32';
/** Tests in which several threads of ours work; under the thread sanitizer the others would say nothing new. */
const THREADED = ['test_classify', 'test_engine', 'test_events', 'test_faults', 'test_pool', 'test_soak'];
const chosen = sanitize === 'thread' ? THREADED : [];
const extraFlags = (process.env.T1_CMAKE_FLAGS ?? '').split(/\s+/).filter(Boolean);

/** Hash of all the build reads, itself included. */
function inputsHash(libraries) {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'native'))
    .filter((name) => /\.(cpp|h|mjs)$/.test(name))
    .sort();
  for (const name of ['../CMakeLists.txt', ...sources]) {
    hash.update(name).update(readFileSync(join(root, 'native', name)));
  }
  const packages = ['node-addon-api', 'cmake-js'].map(
    (name) => JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version,
  );
  hash.update(
    JSON.stringify([
      version,
      process.platform,
      process.arch,
      libraries,
      fromSource,
      extraFlags,
      llamaRelease(root),
      packages,
    ]),
  );
  return hash.digest('hex');
}

function definitions(libraries, llama) {
  return [
    `-DT1_VERSION=${version}`,
    `-DT1_LLAMA_SOURCE=${fromSource ? 'source' : 'prebuilt'}`,
    `-DT1_LLAMA_DIR=${llama.folder}`,
    `-DT1_LLAMA_LIBRARIES=${libraries}`,
    `-DT1_LLAMA_RELEASE=${llama.release}`,
    `-DT1_LLAMA_COMMIT=${llama.commit.slice(0, 8)}`,
    ...extraFlags,
  ];
}

/** Runs quietly; prints all of it if it fails. */
function run(command, args, { loud = false } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: loud ? 'inherit' : 'pipe',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  if (!loud) process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  throw new Error(`${[command, ...args.slice(0, 3)].join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

function buildAddon() {
  const libraries = fromSource ? '' : libraryFolder(root);
  const stamp = join(buildFolder, 't1_engine.stamp');
  const hash = inputsHash(libraries);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  const started = Date.now();
  const llama = prepareLlama(root, { headersOnly: !fromSource });
  if (fromSource) console.error('t1: building llama.cpp from source; this takes minutes');
  run(process.execPath, [join(root, 'native', 'cmake-js.mjs'), root, buildFolder, ...definitions(libraries, llama)]);
  writeFileSync(stamp, hash);
  console.error(`t1: built the engine in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function buildTests() {
  const libraries = fromSource ? '' : libraryFolder(root);
  const llama = prepareLlama(root, { headersOnly: !fromSource });
  const folder = join(buildFolder, `tests${sanitize ? `-${sanitize}` : ''}${fromSource ? '-source' : ''}`);
  mkdirSync(folder, { recursive: true });
  run('cmake', [
    '-S',
    root,
    '-B',
    folder,
    '-DT1_TESTS=ON',
    `-DT1_SANITIZE=${sanitize}`,
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', // for clang-tidy
    ...definitions(libraries, llama),
  ]);
  run('cmake', ['--build', folder, '--parallel', '2', ...chosen.flatMap((name) => ['--target', name])]);
  const model = join(folder, 'tiny.gguf');
  run(process.execPath, [join(root, 'test', 'support', 'tiny-gguf.mjs'), model]);
  process.env.T1_TEST_GGUF = model;
  process.env.T1_TEST_LONG = join(folder, 'long.gguf');
  const long = JSON.stringify({ metadata: { 'llama.context_length': 2 ** 31 - 1 } });
  run(process.execPath, [join(root, 'test', 'support', 'tiny-gguf.mjs'), process.env.T1_TEST_LONG, long]);
  process.env.T1_TEST_CLASSIFIER = join(folder, 'classifier.gguf');
  run(process.execPath, [join(root, 'test', 'support', 'classifier-gguf.mjs'), process.env.T1_TEST_CLASSIFIER]);
  // ggml is not instrumented: its own synchronisation is invisible to the thread sanitizer.
  process.env.TSAN_OPTIONS = 'ignore_noninstrumented_modules=1 halt_on_error=1';
  const only = chosen.length > 0 ? ['--tests-regex', `^(${chosen.join('|')})$`] : [];
  run('ctest', ['--test-dir', folder, '--output-on-failure', ...only], { loud: true });
}

try {
  if (tests) buildTests();
  else buildAddon();
} catch (error) {
  console.error(`t1: cannot build the engine: ${error.message}`);
  process.exitCode = 1;
}
