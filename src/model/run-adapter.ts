/** An adapter as the stages of a run use it: by name towards the engine, by content towards the store. */
import type { Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import type { Store } from '../store/store.js';
import { fingerprint } from './fingerprint.js';

export interface RunAdapter {
  readonly name: string;
  /** Those that are used together: sha256 of the GGUF, and scale. */
  readonly files: readonly (readonly [hash: string, scale: number])[];
}

/**
 * @param name of one of the engine's adapters
 * @param setting that named it, for the message
 * @throws T1Error USAGE, FILE_NOT_FOUND
 */
export async function runAdapter(
  engine: Engine,
  name: string | undefined,
  setting: string,
  store: Store,
): Promise<RunAdapter | undefined> {
  if (name === undefined) return undefined;
  const adapters = engine.adapters.filter((each) => each.name === name);
  if (adapters.length === 0) {
    const known = engine.adapters.map((each) => `'${each.name}'`).join(', ') || 'none';
    throw new T1Error('USAGE', `the engine has no adapter '${name}' (it was loaded with: ${known})`, { setting });
  }
  return {
    name,
    files: await Promise.all(adapters.map(async ({ path, scale }) => [await fingerprint(path, store), scale] as const)),
  };
}
