/** Whether something that was made is still what its inputs would give: a stamp beside it holds their hash. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What the TypeScript build is made of, and its stamp. */
export const typescriptBuild = () => ({
  inputs: ['package-lock.json', 'tsconfig.json', ...filesBelow('src')],
  stamp: 'dist/.t1-built',
});

/**
 * @param {{ inputs: readonly string[], stamp: string }} made paths from the package's root
 * @returns {boolean}
 */
export function isCurrent({ inputs, stamp }) {
  const path = join(root, stamp);
  return existsSync(path) && readFileSync(path, 'utf8') === digestOf(inputs);
}

/**
 * Takes the inputs' hash now, before anything is made of them: they may change meanwhile.
 *
 * @param {{ inputs: readonly string[], stamp: string }} made
 * @returns {() => void} writes the stamp
 */
export function stampFor({ inputs, stamp }) {
  const path = join(root, stamp);
  const digest = digestOf(inputs);
  return () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, digest);
  };
}

/** @param {readonly string[]} inputs */
function digestOf(inputs) {
  const hash = createHash('sha256').update(process.versions.modules);
  for (const input of inputs) hash.update(input).update(readFileSync(join(root, input)));
  return hash.digest('hex');
}

/** @param {string} folder */
function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((entry) => join(folder, String(entry)))
    .filter((path) => statSync(join(root, path)).isFile())
    .sort();
}
