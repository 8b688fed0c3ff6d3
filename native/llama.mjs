/**
 * Where the pinned llama.cpp is: its source in node-llama-cpp's git bundle, its libraries in the platform's package.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const packageFolder = (root, name) => {
  const require = createRequire(join(root, 'package.json'));
  for (const folder of require.resolve.paths(name) ?? []) {
    if (existsSync(join(folder, name, 'package.json'))) return join(folder, name);
  }
  return undefined;
};

const bundleFolder = (root) => {
  const folder = packageFolder(root, 'node-llama-cpp');
  if (!folder) throw new Error('node-llama-cpp is not installed: run npm ci');
  return join(folder, 'llama');
};

/** @returns {string} release tag, for example "v0.5.0" */
export function llamaRelease(root) {
  return JSON.parse(readFileSync(join(bundleFolder(root), 'binariesGithubRelease.json'), 'utf8')).release;
}

/**
 * Checks llama.cpp out of the bundle, once.
 *
 * @param {string} root this package
 * @param {{ headersOnly: boolean }} options
 * @returns {{ folder: string, release: string, commit: string }}
 */
export function prepareLlama(root, { headersOnly }) {
  const release = llamaRelease(root);
  const folder = join(root, 'build', `llama.cpp-${release}${headersOnly ? '-headers' : ''}`);
  const git = (cwd, ...args) =>
    execFileSync('git', ['-C', cwd, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  if (!existsSync(folder)) {
    const unfinished = `${folder}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    git(root, 'clone', '--quiet', '--no-checkout', join(bundleFolder(root), 'gitRelease.bundle'), unfinished);
    git(unfinished, 'checkout', '--quiet', 'HEAD', '--', ...(headersOnly ? ['include', 'ggml/include'] : ['.']));
    // Whole or not at all: a build that is killed here must not leave half a tree to the next one.
    if (existsSync(folder)) rmSync(unfinished, { recursive: true, force: true });
    else renameSync(unfinished, folder);
  }
  return { folder, release, commit: git(folder, 'rev-parse', 'HEAD') };
}

/**
 * Folder of node-llama-cpp's prebuilt libraries for this platform. Platform names and folders are node-llama-cpp's own;
 * only linux-x64 has been tried.
 *
 * @returns {string}
 */
export function libraryFolder(root, { platform, arch } = process, variant = process.env.T1_LLAMA_VARIANT) {
  const base = `${{ darwin: 'mac', linux: 'linux' }[platform] ?? platform}-${arch === 'arm' ? 'armv7l' : arch}`;
  const name = variant ? `${base}-${variant}` : base === 'mac-arm64' ? 'mac-arm64-metal' : base;
  const folder = packageFolder(root, `@node-llama-cpp/${name}`);
  if (!folder) {
    throw new Error(
      `@node-llama-cpp/${name} is not installed: run npm ci with optional packages, or set T1_BUILD_LLAMA=source`,
    );
  }
  return join(folder, 'bins', name);
}
