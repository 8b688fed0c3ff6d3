/** Where T1 keeps what it can make again: the result database, indexes of passages and the sandbox's start image. */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of this package, the same from `src/` and `dist/`. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..');

/** `T1_CACHE_DIR`, or the platform's cache folder for this user. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { T1_CACHE_DIR: chosen, XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  if (chosen) return chosen;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 't1');
  if (process.platform === 'win32' && local) return join(local, 't1');
  return join(xdg || join(homedir(), '.cache'), 't1');
}

/** The database used when none is named. */
export const defaultDatabase = (): string => join(cacheFolder(), 'results.sqlite');

/** Where indexes of passages lie when none is named. */
export const indexFolder = (): string => join(cacheFolder(), 'indexes');

/** The model used when none is named. */
export const shippedModel = join(packageRoot, 'models', 't1-tiny.gguf');
