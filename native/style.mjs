/**
 * clang-format and clang-tidy over native/, if they are installed; both are on PyPI (`pip install clang-format==21.1.2
 * clang-tidy==21.1.1`) and in most distributions. Other versions format a little differently.
 *
 *   node native/style.mjs format    writes the files as .clang-format says
 *   node native/style.mjs lint      fails where they are not so, or where .clang-tidy's checks find something
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const task = process.argv[2];
if (task !== 'format' && task !== 'lint') throw new Error('usage: node native/style.mjs format|lint');

const files = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => /\.(cpp|h)$/.test(name))
    .map((name) => join(folder, name));
const sources = [...files('native'), ...files(join('native', 'test'))];

/** Undefined where it is not installed, which is said. */
function tool(name, variable) {
  const command = process.env[variable] ?? name;
  if (spawnSync(command, ['--version']).status === 0) return command;
  console.error(
    `t1: ${command} is not installed, native/ is not looked at with it (pip install ${name}, or set ${variable})`,
  );
  return undefined;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  if (error) console.error(`t1: ${command}: ${error.message}`);
}

const format = tool('clang-format', 'CLANG_FORMAT');
if (format) run(format, [...(task === 'format' ? ['-i'] : ['--dry-run', '-Werror']), ...sources]);

if (task === 'lint') {
  const tidy = tool('clang-tidy', 'CLANG_TIDY');
  // How each file is compiled: the build of the tests writes it down. addon.cpp, which is not in it, needs Node's
  // headers.
  const commands = join(root, 'build', 'tests');
  if (tidy && !existsSync(join(commands, 'compile_commands.json'))) {
    console.error('t1: build/tests/compile_commands.json is missing: run npm run test:native first');
    process.exitCode = 1;
  } else if (tidy) {
    const core = sources.filter((name) => name.endsWith('.cpp') && name !== join('native', 'addon.cpp'));
    run(tidy, ['-p', commands, '--quiet', ...core]);
  }
}
