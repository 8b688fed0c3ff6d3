/**
 * Node 20 runs no TypeScript in a worker thread, and the build may be older than the source. So whatever the source
 * starts as `new Worker(new URL('./name.js', import.meta.url))` is bundled from `name.ts` when the tests load it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin as Bundling } from 'esbuild';
import type { Plugin } from 'vitest/config';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'src');
/** Below the packages, so that what is not bundled is found from here. */
const folder = join(root, 'node_modules', '.cache', 't1-test-workers');
const WORKER = /new URL\('(\.{1,2}\/[^']+)\.js', import\.meta\.url\)/g;

/** A module still says where its source lies. */
const ownAddresses: Bundling = {
  name: 'own-addresses',
  setup(bundling) {
    bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    plugins: [ownAddresses],
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`nothing was bundled from ${entry}`);
  const path = join(folder, `${createHash('sha256').update(output.contents).digest('hex').slice(0, 16)}.mjs`);
  mkdirSync(folder, { recursive: true });
  // Another run of the tests may be writing, or loading, the same.
  writeFileSync(`${path}.${process.pid}`, output.contents);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export const workersFromSource = (): Plugin => ({
  name: 't1-workers-from-source',
  enforce: 'pre',
  async transform(code, id) {
    if (!id.startsWith(source)) return null;
    let result = code;
    for (const [expression, name = ''] of code.matchAll(WORKER)) {
      const entry = resolve(dirname(id), `${name}.ts`);
      if (!existsSync(entry)) continue;
      result = result.replace(expression, `new URL(${JSON.stringify(pathToFileURL(await bundled(entry)).href)})`);
    }
    return result === code ? null : { code: result, map: null };
  },
});
