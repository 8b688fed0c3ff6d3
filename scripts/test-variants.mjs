/**
 * Runs tests of the real engine under each variant of llama.cpp's CPU code that this processor can run, and prints a
 * table. Fails if one test fails under one of them.
 *
 *   node scripts/test-variants.mjs [--variants=x64,haswell] [files of vitest, …]
 *
 * Without files: all tests that load the engine. Build first (npm run build).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { libraryFolder } from '../native/llama.mjs';

const FILES = ['test/addon', 'test/cli/solve.test.ts', 'test/cli/bad-input.test.ts'];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const addon = join(root, 'build', 'Release', 't1_engine.node');

const [flag, ...files] = process.argv
  .slice(2)
  .sort((a, b) => Number(b.startsWith('--variants=')) - Number(a.startsWith('--variants=')));
const wanted = flag?.startsWith('--variants=') ? flag.slice('--variants='.length).split(',') : undefined;
if (flag && !wanted) files.unshift(flag);

/** @returns {string | undefined} why this processor does not run it */
function refusal(variant) {
  const program = `try { require(${JSON.stringify(addon)}).devices() } catch ({ message }) { console.log(message) }`;
  const said = execFileSync(process.execPath, ['-e', program], {
    env: { ...process.env, T1_CPU_VARIANT: variant },
    encoding: 'utf8',
  });
  return said.trim() || undefined;
}

/** What vitest's JSON reporter tells, as far as it is needed. */
function run(variant, folder) {
  const output = join(folder, `${variant}.json`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const arguments_ = ['run', '--reporter=json', `--outputFile=${output}`, ...(files.length > 0 ? files : FILES)];
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, ...arguments_], {
    cwd: root,
    env: { ...process.env, T1_CPU_VARIANT: variant },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  let report;
  try {
    report = JSON.parse(readFileSync(output, 'utf8'));
  } catch {
    throw new Error(`vitest reports nothing under ${variant}:\n${stdout}${stderr}`);
  }
  const failures = report.testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults
      .filter(({ status: each }) => each === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}\n    ${failureMessages[0]?.split('\n')[0]}`);
    return failed.length === 0 && message ? [`${name}: ${message.split('\n')[0]}`] : failed;
  });
  // Errors outside a test fail the run, too, and no test's result tells of them.
  if (status !== 0 && failures.length === 0)
    failures.push(`vitest ended with ${status}:\n${stderr.trim().split('\n').slice(-20).join('\n')}`);
  return {
    passed: report.numPassedTests,
    skipped: report.numPendingTests,
    failures,
    seconds: (Date.now() - started) / 1000,
  };
}

const found = readdirSync(libraryFolder(root))
  .flatMap((name) => /^libggml-cpu-(.+)\.so$/.exec(name)?.[1] ?? [])
  .sort();
if (found.length === 0) throw new Error('the CPU backend of this build has no variants');
const table = new Table({
  head: ['variant', 'passed', 'failed', 'skipped', 'seconds'],
  style: { head: [], border: [] },
});
const folder = mkdtempSync(join(tmpdir(), 't1-variants-'));
let failed = false;
try {
  for (const variant of wanted ?? found) {
    const why = refusal(variant);
    if (why && wanted) throw new Error(why);
    if (why) {
      table.push([variant, { colSpan: 4, content: 'not on this processor' }]);
      continue;
    }
    const result = run(variant, folder);
    table.push([variant, result.passed, result.failures.length, result.skipped, result.seconds.toFixed(0)]);
    process.stderr.write(
      `${variant}: ${result.passed} passed, ${result.failures.length} failed, ${result.seconds.toFixed(0)} s\n`,
    );
    // At once: a run under all variants takes long.
    for (const failure of result.failures) process.stderr.write(`${variant}: ${failure}\n`);
    failed ||= result.failures.length > 0;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(table.toString());
if (failed) process.exitCode = 1;
