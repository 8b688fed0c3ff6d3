/** CPython in WebAssembly behind the gate, in a locked child process: the same Python everywhere. */
import { cacheFolder } from '../paths.js';
import type { Backend, BackendInternals, BackendOptions } from './backend.js';
import { childEntry, pyodideChild, pyodideUrl, pyodideVersion } from './lockdown.js';
import { readPackages } from './packages.js';
import { PYODIDE_PROBES } from './probes.js';
import { buildSnapshot, openSnapshot, type Snapshot } from './snapshot.js';
import { startWorker } from './start-worker.js';

/** Raised when the same program could end otherwise. */
const RUNNER_VERSION = 2;

/** @throws T1Error FILE_NOT_FOUND, INPUT for packages that cannot be used */
export async function pyodideBackend(options: BackendOptions, internals: BackendInternals = {}): Promise<Backend> {
  const packages = readPackages(options.sympy ?? []);
  const { memoryBytes, cacheDir = cacheFolder() } = options;
  const entry = internals.childEntry ?? childEntry;
  let opened: Promise<Snapshot> | undefined;
  const python = `pyodide-${pyodideVersion}${packages ? `+${packages.label}-${packages.digest}` : ''}`;
  return {
    name: 'pyodide',
    version: `${python}/${RUNNER_VERSION}`,
    identity: { version: `${python}/${RUNNER_VERSION}` },
    description: () => `Pyodide ${pyodideVersion}${packages ? ` with ${packages.label}` : ''}`,
    spares: 1,
    async start(signal) {
      const { fd, imageBytes, packagesBytes } = await (opened ??= openSnapshot(cacheDir, packages, (archive) =>
        buildSnapshot(archive, signal),
      ));
      const child = {
        mode: 'serve',
        pyodideUrl,
        memoryBytes,
        snapshotBytes: imageBytes,
        packagesBytes,
        ...internals.childOptions,
      };
      return startWorker(pyodideChild(entry, child, fd), signal);
    },
    probes: () => PYODIDE_PROBES,
    async close() {
      await opened?.then(
        (snapshot) => snapshot.close(),
        () => undefined,
      );
    },
  };
}
