/**
 * Where the addon lies, and whether it is the one this code was written for; what crosses to it is in contract.ts.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { T1Error, isErrorCode } from '../errors.js';
import { packageRoot } from '../paths.js';
import type { Addon, ContractNumber } from './contract.js';

const CONTRACT: ContractNumber = 8;

let loaded: Addon | undefined;

/** @throws T1Error ADDON_UNAVAILABLE */
export function loadAddon(): Addon {
  return (loaded ??= openAddon(join(packageRoot, 'build', 'Release', 't1_engine.node')));
}

/** @param path the .node file */
export function openAddon(path: string): Addon {
  const require = createRequire(import.meta.url);
  const { version } = require(join(packageRoot, 'package.json')) as { version: string };
  let addon: Addon;
  try {
    addon = require(path) as Addon;
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new T1Error(
      'ADDON_UNAVAILABLE',
      `the engine is not built or cannot be loaded (${why}): run npm run build:native`,
      { cause },
    );
  }
  if (addon.version !== version || addon.contract !== CONTRACT) {
    const found = `${addon.version}/${addon.contract}`;
    throw new T1Error(
      'ADDON_UNAVAILABLE',
      `the engine was built as ${found}, this is ${version}/${CONTRACT}: run npm run build:native`,
    );
  }
  return addon;
}

/** An error of the addon as ours, with the stack of the caller. */
export function toT1Error(error: unknown): T1Error {
  if (error instanceof T1Error) return error;
  const { code, message } =
    error instanceof Error ? (error as Error & { code?: unknown }) : { code: undefined, message: String(error) };
  return new T1Error(isErrorCode(code) ? code : 'INTERNAL', message, { cause: error });
}

/** A call of the addon that throws T1Error alone. */
export function withOurErrors<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw toT1Error(error);
  }
}
