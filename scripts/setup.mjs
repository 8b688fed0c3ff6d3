/**
 * Everything between a fresh clone and a working `t1`: prerequisites, npm packages, the addon, the TypeScript build.
 * Each step is skipped when nothing it depends on has changed. Uses Node alone, since nothing else is there yet.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isCurrent, stampFor, typescriptBuild } from './build-stamp.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const windows = process.platform === 'win32';

/** Command that must answer, what it is for, and how to get it on Linux, macOS and Windows. */
const PREREQUISITES = [
  {
    name: 'git',
    found: () => answers('git', ['--version']),
    install: { linux: 'sudo apt-get install git', darwin: 'xcode-select --install', win32: 'winget install Git.Git' },
  },
  {
    name: 'CMake (3.19 or newer)',
    found: () => answers('cmake', ['--version']),
    install: {
      linux: 'sudo apt-get install cmake',
      darwin: 'brew install cmake',
      win32: 'winget install Kitware.CMake',
    },
  },
  {
    name: 'a C++ compiler',
    found: () =>
      windows ||
      [process.env.CXX, 'c++', 'g++', 'clang++'].some((compiler) => compiler && answers(compiler, ['--version'])),
    install: {
      linux: 'sudo apt-get install g++ make',
      darwin: 'xcode-select --install',
      win32: 'winget install Microsoft.VisualStudio.2022.BuildTools, with "Desktop development with C++"',
    },
  },
];

checkNode();
checkPrerequisites();
step('npm packages', { inputs: ['package-lock.json'], stamp: 'node_modules/.t1-packages' }, installPackages);
run(process.execPath, [join('native', 'build.mjs')], 'the addon did not build');
step('TypeScript', typescriptBuild(), buildTypeScript);

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is too old: t1 needs 20.19 or newer, from https://nodejs.org or your package manager`,
  );
}

function checkPrerequisites() {
  const missing = PREREQUISITES.filter(({ found }) => !found());
  for (const { name, install } of missing) {
    process.stderr.write(
      `t1: missing ${name}: ${install[process.platform] ?? 'install it with your package manager'}\n`,
    );
  }
  if (missing.length > 0) process.exit(1);
}

function installPackages() {
  // better-sqlite3 compiles where its prebuilt binary cannot be fetched; Node's own headers spare it a download.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node.h'))
    ? { npm_package_config_node_gyp_nodedir: prefix }
    : {};
  run(windows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund'], 'npm could not install the packages', {
    NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true', // its binaries are npm packages; nothing is to be fetched or built for it
    ...headers,
  });
}

function buildTypeScript() {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  run(
    process.execPath,
    [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'],
    'TypeScript did not compile',
  );
  const cli = join(root, 'dist', 'cli.js');
  chmodSync(cli, 0o755);
  // npm links a package's commands for its dependents only; this makes `npx t1` work in the clone itself.
  const link = join(root, 'node_modules', '.bin', windows ? 't1.cmd' : 't1');
  rmSync(link, { force: true });
  if (windows) writeFileSync(link, '@node "%~dp0\\..\\..\\dist\\cli.js" %*\r\n');
  else symlinkSync(join('..', '..', 'dist', 'cli.js'), link);
}

/** Runs `work` unless what it makes is there, made of the inputs as they are now. */
function step(name, made, work) {
  if (isCurrent(made)) return;
  process.stderr.write(`t1: setting up ${name} …\n`);
  const stamp = stampFor(made);
  work();
  stamp();
}

function run(command, args, failure, extra = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...extra },
    stdio: ['ignore', 2, 2], // standard output belongs to the command that comes after
    shell: windows,
  });
  if (error || status !== 0) fail(`${failure}: see the lines above`);
}

function answers(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'ignore', shell: windows });
  return !error && status === 0;
}

function fail(message) {
  process.stderr.write(`t1: ${message}\n`);
  process.exit(1);
}
