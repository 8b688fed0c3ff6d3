/** What a command line loads: time to start is bought here, and measured by `bench/startup.mjs`. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/paths.js';
import { packageVersion } from '../../src/version.js';
import { temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** Loaded files, those of ours as `dist/…`, packages by their name. */
function run(args: readonly string[]): { readonly stdout: string; readonly loaded: ReadonlySet<string> } {
  const list = join(folder.path, 'loaded');
  rmSync(list, { force: true });
  const hook = pathToFileURL(join(packageRoot, 'test', 'support', 'loaded-modules.mjs')).href;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', hook, join(packageRoot, 'dist', 'cli.js'), ...args],
    { encoding: 'utf8', env: { ...process.env, T1_LOADED_MODULES: list } },
  );
  if (status !== 0) throw new Error(stderr);
  const root = pathToFileURL(packageRoot).href;
  const loaded = readFileSync(list, 'utf8')
    .trim()
    .split('\n')
    .filter((url) => !url.startsWith('node:'))
    .map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url.replace(`${root}/`, ''));
  return { stdout, loaded: new Set(loaded) };
}

test('--version loads no package, and of ours what it prints', () => {
  const { stdout, loaded } = run(['--version']);
  expect(stdout).toBe(`${packageVersion}\n`);
  expect([...loaded].sort()).toEqual(['cli', 'errors', 'message', 'paths', 'version'].map((name) => `dist/${name}.js`));
});

test('an answer from the database needs no sandbox, no spinner, no readers, no grammar of expressions, no downloader', () => {
  const line = ['solve', 'What is 2 + 2?', '-n', '2', '--db', join(folder.path, 'results.sqlite'), '--json'];
  run(line);
  const { stdout, loaded } = run(line);
  const { usage } = JSON.parse(stdout) as { usage: { decodedTokens: number } };
  expect(usage.decodedTokens).toBe(0);
  expect(loaded).toContain('dist/solve.js'); // the list is one of what was loaded
  const needless = [
    'ora',
    'node-llama-cpp',
    'pyodide',
    '@cortex-js/compute-engine',
    'saxes',
    'unbzip2-stream',
    'ky',
    'hyparquet',
  ];
  expect(needless.filter((name) => loaded.has(name))).toEqual([]);
  const folders = ['statistics', 'report', 'distill', 'task', 'knowledge', 'sandbox/cpython'];
  expect([...loaded].filter((name) => folders.some((each) => name.startsWith(`dist/${each}/`)))).toEqual([]);
  expect([...loaded].filter((name) => /^dist\/cli\/(eval|select|distill|indexes|grade|report)\b/.test(name))).toEqual(
    [],
  );
});
