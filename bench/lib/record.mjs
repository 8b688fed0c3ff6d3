/** A result file says what was measured, on which commit and hardware. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * @param {string} name of the benchmark
 * @param {object} result
 * @returns {string} the file written, relative to the repository
 */
export function record(name, result) {
  return write(join('bench', 'results', `${name}.json`), { benchmark: name, ...circumstances(), ...result });
}

/**
 * One file for a case, one entry for each model in it; entries of other models stay as they are.
 *
 * @param {string} folder relative to the repository
 * @param {string} name of the case
 * @param {string} model
 * @param {object} result
 * @returns {string} the file written, relative to the repository
 */
export function recordModel(folder, name, model, result) {
  const file = join(folder, `${name}.json`);
  const models = existsSync(join(root, file)) ? JSON.parse(readFileSync(join(root, file), 'utf8')).models : {};
  return write(file, { benchmark: name, models: { ...models, [model]: { ...circumstances(), ...result } } });
}

/** When, of which commit and on what it was measured. */
function circumstances() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    changedFiles: git('status', '--porcelain', '--untracked-files=no') !== '',
    hardware: {
      cpu: cpus()[0]?.model.trim(),
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform}-${process.arch}`,
    },
    node: process.version,
  };
}

function write(file, content) {
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), `${JSON.stringify(content, null, 2)}\n`);
  return file;
}
