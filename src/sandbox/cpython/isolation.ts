/**
 * What keeps the fork server from the host's files: bubblewrap, which gives it a file system of its own, or Landlock,
 * which takes the right to read from it. Both are for Linux.
 */
import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Interpreter } from './interpreter.js';
import { executablesOnPath } from './on-path.js';

export type Isolation = 'bubblewrap' | 'landlock';

/** "nobody": owns no file, and no process that a program could reach. */
const UNPRIVILEGED_USER = 65534;
const DYNAMIC_LOADERS = [
  '/lib64/ld-linux-x86-64.so.2',
  '/lib/ld-linux-aarch64.so.1',
  '/lib/ld-musl-x86_64.so.1',
  '/lib/ld-musl-aarch64.so.1',
];
/** All that the server's process gets of an environment: the same hashes, hours and encoding everywhere. */
const ENVIRONMENT = { PYTHONHASHSEED: '0', TZ: 'UTC0', LANG: 'C.UTF-8' } as const;
const PYTHON_FLAGS = ['-S', '-s', '-B', '-X', 'utf8'];

/** The Python files of the server, as paths of the host. */
export interface ServerFiles {
  readonly entry: string;
  readonly server: string;
  readonly runner: string;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the server is told, apart from the files. */
export interface ServerOptions {
  readonly modules: readonly string[];
  /** Where else modules are looked for. */
  readonly folders: readonly string[];
  readonly memoryBytes: number;
}

/** The user that the server becomes; null where it is not root anyway. */
const userToBecome = (): number | null => (process.getuid?.() === 0 ? UNPRIVILEGED_USER : null);

/** @returns path of bubblewrap, or null if it is not installed */
export function findBubblewrap(): string | null {
  return executablesOnPath('bwrap')[0] ?? null;
}

/**
 * @param packages folders of packages that programs may import
 * @param more further arguments, for tests that weaken it
 */
export function bubblewrapCommand(
  bwrap: string,
  python: Interpreter,
  packages: readonly string[],
  files: ServerFiles,
  options: ServerOptions,
  more: readonly string[] = [],
): ServerCommand {
  const readOnly = (path: string, as = path) => [
    ...parents(as).flatMap((folder) => ['--dir', folder]),
    '--ro-bind',
    path,
    as,
  ];
  const told = { ...options, readable: null, user: userToBecome(), runner: '/t1/runner.py', server: '/t1/server' };
  const args = [
    ...(userToBecome() === null ? UNSHARE : UNSHARE_AS_ROOT),
    '--die-with-parent',
    '--new-session',
    '--hostname',
    'sandbox',
    '--clearenv',
    ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
    ...[...python.libraries, ...python.library, python.executable, ...packages].flatMap((path) => readOnly(path)),
    ...['/lib', '/lib64'].flatMap(linkAsOnHost),
    ...DYNAMIC_LOADERS.filter((path) => existsSync(path)).flatMap((path) => readOnly(path)),
    ...(existsSync('/etc/ld.so.cache') ? readOnly('/etc/ld.so.cache') : []),
    ...readOnly(files.server, '/t1/server'),
    ...readOnly(dirname(files.entry), '/t1/entry'),
    ...readOnly(files.runner, '/t1/runner.py'),
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    '--chdir',
    '/tmp',
    ...more,
    '--remount-ro',
    '/',
    python.executable,
    ...PYTHON_FLAGS,
    `/t1/entry/${basename(files.entry)}`,
    JSON.stringify(told),
  ];
  return { command: bwrap, args, env: {} };
}

/** @returns folders above a path, which everyone may enter if they are made one by one */
function parents(path: string): string[] {
  const above = dirname(path);
  return above === '/' ? [] : [...parents(above), above];
}

/** Without privileges a user namespace gives those that the other namespaces need. */
const UNSHARE = ['--unshare-all', '--cap-drop', 'ALL'];
/**
 * Root needs none, and in one it could not become another user: the server does that itself, and loses these with it.
 */
const UNSHARE_AS_ROOT = [
  '--unshare-ipc',
  '--unshare-pid',
  '--unshare-net',
  '--unshare-uts',
  '--unshare-cgroup-try',
  '--cap-drop',
  'ALL',
  '--cap-add',
  'CAP_SETUID',
  '--cap-add',
  'CAP_SETGID',
];

/** On most systems these lead into /usr, and programs name their loader by them. */
function linkAsOnHost(path: string): string[] {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return [];
  const target = readlinkSync(path);
  return ['--dir', resolve('/', target), '--symlink', target, path];
}

/** @param packages as above */
export function landlockCommand(
  python: Interpreter,
  packages: readonly string[],
  files: ServerFiles,
  options: ServerOptions,
): ServerCommand {
  const readable = [...python.library, ...python.libraries, ...packages];
  const told = { ...options, readable, user: userToBecome(), runner: files.runner, server: files.server };
  return { command: python.executable, args: [...PYTHON_FLAGS, files.entry, JSON.stringify(told)], env: ENVIRONMENT };
}

/**
 * Root's server becomes another user and must still find its modules; bubblewrap mounts them where everyone can.
 *
 * @returns the folder that only its owner can enter, or null
 */
export function closedFolder(python: Interpreter): string | null {
  if (userToBecome() === null) return null;
  const enterable = (folder: string) => (statSync(folder).mode & 0o001) !== 0;
  for (const path of python.library) {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (!enterable(folder)) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return null;
}
