/** SymPy for Pyodide, which does not bring it: from folders or wheels that the user names. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { T1Error } from '../errors.js';
import { readZip, type ZipEntry } from './zip.js';

const PACKAGES = ['sympy', 'mpmath'] as const;
const SKIPPED_FOLDERS = new Set(['tests', '__pycache__', 'benchmarks']);

export interface Packages {
  /** Python files, by path below the folder they are imported from. */
  readonly files: readonly ZipEntry[];
  /** Of their content. */
  readonly digest: string;
  /** For example "sympy-1.13.3". */
  readonly label: string;
}

/**
 * @param paths folders that hold sympy/ and mpmath/, or are one of them; wheels or other zip archives of them
 * @returns null if nothing is named
 * @throws T1Error FILE_NOT_FOUND, INPUT
 */
export function readPackages(paths: readonly string[]): Packages | null {
  if (paths.length === 0) return null;
  const files = paths.flatMap(filesOf);
  const names = new Set(files.map(({ name }) => name));
  for (const name of PACKAGES) {
    if (names.has(`${name}/__init__.py`)) continue;
    const found = PACKAGES.filter((other) => names.has(`${other}/__init__.py`)).join(', ');
    throw new T1Error(
      'INPUT',
      `${name} is not in ${paths.join(', ')}${found && `, only ${found}`}: name its folder or wheel too`,
      { setting: 'sandbox.sympy' },
    );
  }
  const hash = createHash('sha256');
  for (const { name, data } of files) hash.update(`${name}\0${data.length}\0`).update(data);
  return { files, digest: hash.digest('hex').slice(0, 16), label: `sympy-${versionOf(files)}` };
}

function versionOf(files: readonly ZipEntry[]): string {
  const release = files.find(({ name }) => name === 'sympy/release.py')?.data.toString('utf8') ?? '';
  return /__version__\s*=\s*["']([\w.+-]+)["']/.exec(release)?.[1] ?? 'unknown';
}

function filesOf(path: string): ZipEntry[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new T1Error('FILE_NOT_FOUND', `there is no ${path}: check the path`, { setting: 'sandbox.sympy' });
  const files = stat.isDirectory() ? filesOfFolder(path) : filesOfArchive(path);
  if (files.length > 0) return files;
  throw new T1Error(
    'INPUT',
    `${path} holds neither sympy nor mpmath: name the folder that contains sympy/, or a wheel`,
    { setting: 'sandbox.sympy' },
  );
}

const isPackage = (folder: string): boolean => existsSync(join(folder, '__init__.py'));

function filesOfFolder(path: string): ZipEntry[] {
  if (PACKAGES.some((name) => name === basename(path)) && isPackage(path))
    return filesBelow(dirname(path), basename(path));
  return PACKAGES.filter((name) => isPackage(join(path, name))).flatMap((name) => filesBelow(path, name));
}

/** @returns Python files below `root`/`folder`, in order of their names */
function filesBelow(root: string, folder: string): ZipEntry[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : filesBelow(root, name);
      return name.endsWith('.py') ? [{ name, data: readFileSync(join(root, name)) }] : [];
    });
}

function filesOfArchive(path: string): ZipEntry[] {
  const wanted = (name: string) => {
    const parts = name.split('/');
    return (
      PACKAGES.some((each) => each === parts[0]) &&
      name.endsWith('.py') &&
      !parts.some((part) => SKIPPED_FOLDERS.has(part))
    );
  };
  try {
    return readZip(readFileSync(path), wanted);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new T1Error(
      'INPUT',
      `${path} cannot be read as a wheel (${why}): name a .whl file, or the folder that contains sympy/`,
      { cause, setting: 'sandbox.sympy' },
    );
  }
}
