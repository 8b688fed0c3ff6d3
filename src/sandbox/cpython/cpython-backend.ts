/** The system's CPython as a fork server: a locked process for each program. Linux only. */
import { dirname, join } from 'node:path';
import { T1Error } from '../../errors.js';
import { Message, message, named, textOf } from '../../message.js';
import type { Backend, BackendInternals, BackendOptions } from '../backend.js';
import type { GuestProcess } from '../guest-process.js';
import { childEntry } from '../lockdown.js';
import { PRELOADED_MODULES } from '../snapshot.js';
import { startWorker } from '../start-worker.js';
import { findInterpreter, serverFolder, type Interpreter } from './interpreter.js';
import {
  bubblewrapCommand,
  closedFolder,
  findBubblewrap,
  landlockCommand,
  type Isolation,
  type ServerCommand,
} from './isolation.js';
import { cpythonProbes } from './cpython-probes.js';

/** Raised when the same program could end otherwise. */
const RUNNER_VERSION = 1;
/** The server ends a program at its limit; one that has not said so by then is ended itself. */
const GRACE_MS = 2000;
const ISOLATIONS: readonly Isolation[] = ['bubblewrap', 'landlock'];

/**
 * @throws T1Error SANDBOX_UNAVAILABLE where there is no Linux or no usable Python; FILE_NOT_FOUND for one that is named
 *   and cannot be run; USAGE for packages that are meant for the other backend
 */
export async function cpythonBackend(options: BackendOptions, internals: BackendInternals = {}): Promise<Backend> {
  if (process.platform !== 'linux') {
    throw new T1Error(
      'SANDBOX_UNAVAILABLE',
      message`the cpython sandbox needs Linux, this is ${process.platform}: use ${named('sandbox.backend')} pyodide`,
    );
  }
  if (options.sympy?.length) {
    throw new T1Error(
      'USAGE',
      "is for the pyodide sandbox; the cpython sandbox uses the SymPy of the system's Python: install it there",
      { setting: 'sandbox.sympy' },
    );
  }
  const python = await findInterpreter(options.python);
  const { sympy, mpmath } = python.packages;
  const packages = options.systemSympy !== false && sympy && mpmath ? [sympy, mpmath] : [];
  const label = packages.length > 0 ? `+sympy-${sympy?.version}` : '';
  let chosen: Isolation | undefined;
  const commands = (isolation: Isolation) =>
    serverCommand(
      isolation,
      python,
      packages.map(({ folder }) => folder),
      options,
      internals,
    );
  const version = `cpython-${python.version}${label}/${RUNNER_VERSION}`;
  return {
    name: 'cpython',
    version,
    identity: { version, executable: python.executable, mpmath: (label && mpmath?.version) || null },
    description: () =>
      `CPython ${python.version}${label && ` with SymPy ${sympy?.version}`} (${python.executable}) in ${chosen ?? 'a sandbox'}`,
    spares: 0,
    async start(signal) {
      const allowed = internals.isolation ?? chosen;
      const started = await startFirst(allowed ? [allowed] : ISOLATIONS, commands, signal);
      chosen = started.isolation;
      return started.worker;
    },
    probes: () => cpythonProbes(topFolders(python)),
    close: () => Promise.resolve(),
  };
}

/** Names in the root of bubblewrap's file system. */
function topFolders(python: Interpreter): string[] {
  const paths = [python.executable, ...python.library, ...python.libraries, ...packagesOf(python)];
  return [
    ...new Set([...paths.map((path) => path.split('/')[1] ?? ''), 'lib', 'lib64', 'usr', 'etc', 'dev', 'tmp', 't1']),
  ];
}

const packagesOf = ({ packages }: Interpreter): string[] =>
  Object.values(packages).flatMap((found) => (found ? [found.folder] : []));

/** @throws Error that says why this isolation cannot be used here */
function serverCommand(
  isolation: Isolation,
  python: Interpreter,
  packages: readonly string[],
  { memoryBytes }: BackendOptions,
  { serverEntry, serverOptions, bubblewrapArguments }: BackendInternals,
): ServerCommand {
  const files = {
    entry: serverEntry ?? join(serverFolder, 'main.py'),
    server: serverFolder,
    runner: join(dirname(childEntry), 'runner.py'),
  };
  const modules = [...PRELOADED_MODULES, ...(packages.length > 0 ? ['sympy'] : [])];
  const folders = [...new Set(packages.map((folder) => dirname(folder)))];
  const options = { modules, folders, memoryBytes, ...serverOptions };
  if (isolation === 'landlock') {
    const closed = closedFolder(python);
    if (closed !== null)
      throw new T1Error(
        'SANDBOX_UNAVAILABLE',
        message`the server gives up root, and only root may enter ${closed}: name another Python with ${named('sandbox.python')}`,
      );
    return landlockCommand(python, packages, files, options);
  }
  const bwrap = findBubblewrap();
  if (bwrap === null) throw new Error('it is not installed');
  return bubblewrapCommand(bwrap, python, packages, files, options, bubblewrapArguments);
}

interface Started {
  readonly isolation: Isolation;
  readonly worker: GuestProcess;
}

/** @throws T1Error SANDBOX_UNAVAILABLE that says what each isolation lacks */
async function startFirst(
  isolations: readonly Isolation[],
  command: (isolation: Isolation) => ServerCommand,
  signal: AbortSignal | undefined,
): Promise<Started> {
  const reasons: Message[] = [];
  for (const isolation of isolations) {
    try {
      return { isolation, worker: await startWorker({ ...command(isolation), graceMs: GRACE_MS }, signal) };
    } catch (error) {
      if (signal?.aborted) throw error; // the other one is not wanted either
      reasons.push(message`${reasons.length > 0 ? '; ' : ''}${isolation}: ${textOf(error)}`);
    }
  }
  throw new T1Error(
    'SANDBOX_UNAVAILABLE',
    message`nothing can lock Python in here (${Message.of(reasons)}): install bubblewrap and allow user namespaces, or use Linux 5.13 or newer with Landlock, or ${named('sandbox.backend')} pyodide`,
  );
}
