/** llama.cpp's own tools, built once from the source bundle inside node-llama-cpp: the same release that we link. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './record.mjs';

const folder = join(root, 'build', 'peers');
export const peerSource = join(folder, 'llama.cpp');

/** @param {string} tool for example llama-batched-bench @returns {string} its path */
export function buildPeer(tool) {
  mkdirSync(folder, { recursive: true });
  const bundle = join(root, 'node_modules', 'node-llama-cpp', 'llama', 'gitRelease.bundle');
  if (!existsSync(peerSource)) run('git', ['clone', '-q', bundle, peerSource]);
  const build = join(folder, 'build');
  const binary = join(build, 'bin', tool);
  if (existsSync(binary)) return binary;
  process.stderr.write(`building ${tool} (some minutes) …\n`);
  run('cmake', ['-S', peerSource, '-B', build, '-DCMAKE_BUILD_TYPE=Release', '-DLLAMA_BUILD_TESTS=OFF', '-DLLAMA_BUILD_EXAMPLES=OFF', '-DLLAMA_CURL=OFF', '-DLLAMA_OPENSSL=OFF']);
  run('cmake', ['--build', build, '--target', tool, '--parallel']);
  return binary;
}

/** @returns {string} standard output */
export function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error || status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error ?? stderr.slice(-2000)}`);
  return stdout;
}
