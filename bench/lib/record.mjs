/** A result file says what was measured, on which commit and hardware. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
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
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const measured = {
    benchmark: name,
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    changedFiles: git('status', '--porcelain', '--untracked-files=no') !== '',
    hardware: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), platform: `${process.platform}-${process.arch}` },
    node: process.version,
    ...result,
  };
  const file = join('bench', 'results', `${name}.json`);
  mkdirSync(join(root, dirname(file)), { recursive: true });
  writeFileSync(join(root, file), `${JSON.stringify(measured, null, 2)}\n`);
  return file;
}
