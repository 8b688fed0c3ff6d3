/** llama.cpp's own tools, built once from the source bundle inside node-llama-cpp: the same release that we link. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BenchError } from './bench-error.mjs';
import { root } from './record.mjs';

export const peerFolder = join(root, 'build', 'peers');
const source = join(peerFolder, 'llama.cpp');
const NO_EXTRAS = [
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_UI=OFF',
  '-DLLAMA_USE_PREBUILT_UI=OFF',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_OPENSSL=OFF',
];

/** @returns {string} folder of llama.cpp's source, cloned if it is not there yet */
export function peerSource() {
  mkdirSync(peerFolder, { recursive: true });
  const bundle = join(root, 'node_modules', 'node-llama-cpp', 'llama', 'gitRelease.bundle');
  if (!existsSync(source)) build('git', ['clone', '-q', bundle, source], 'llama.cpp');
  return source;
}

/** @param {string} tool for example llama-batched-bench @returns {string} its path */
export function buildPeer(tool) {
  const folder = join(peerFolder, 'build');
  const binary = join(folder, 'bin', tool);
  if (existsSync(binary)) return binary;
  process.stderr.write(`building ${tool} (some minutes) …\n`);
  build('cmake', ['-S', peerSource(), '-B', folder, '-DCMAKE_BUILD_TYPE=Release', ...NO_EXTRAS], tool);
  build('cmake', ['--build', folder, '--target', tool, '--parallel'], tool);
  return binary;
}

function build(command, args, tool) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!error && status === 0) return;
  const log = join(peerFolder, `${tool}.log`);
  writeFileSync(log, `${command} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error ?? ''}\n`);
  throw new BenchError(
    `${tool} cannot be built (${command} ${error?.code ?? `ended with ${status}`}): see ${relative(process.cwd(), log)}`,
  );
}
