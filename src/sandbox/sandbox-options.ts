/** Settings of a sandbox, and what a caller in the same process may add to them. */
import { availableParallelism } from 'node:os';
import type { Message } from '../message.js';
import { parseSettings } from '../settings/parse-settings.js';
import { sandboxSettings, type SandboxSettings } from '../settings/sandbox-settings.js';
import type { BackendOptions } from './backend.js';

export { SANDBOXES, type SandboxChoice } from '../settings/sandbox-settings.js';

export interface SandboxOptions extends SandboxSettings, Pick<Partial<BackendOptions>, 'cacheDir'> {
  /** auto: is told once which backend was taken, and why. */
  readonly onChoice?: ((line: string, text: Message) => void) | undefined;
}

/** @throws T1Error USAGE */
export function parseSandboxOptions({ cacheDir, onChoice: _, ...settings }: SandboxOptions) {
  const { workers = availableParallelism(), ...rest } = parseSettings(sandboxSettings, settings, ['sandbox']);
  return { ...rest, workers, cacheDir };
}
