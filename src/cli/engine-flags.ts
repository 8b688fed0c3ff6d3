/** Flags of the engine, for commands that decode. */
import {
  engineSettings,
  parseEngineSettings,
  type EngineSettings,
  type SettledEngine,
} from '../settings/engine-settings.js';
import { ownValues } from '../settings/setting.js';

export const engineFlags = engineSettings;

/**
 * Of all flags those of the engine.
 *
 * @throws T1Error USAGE for two that exclude each other
 */
export function checkedEngine(flags: EngineSettings): SettledEngine {
  const settled = parseEngineSettings(ownValues(engineSettings, flags));
  return { ...settled, ubatch: Math.min(settled.ubatch, settled.batch) };
}

/** What each of two engines in this process may take. */
export const halved = ({ memoryBytes, ...rest }: SettledEngine): SettledEngine => ({
  ...rest,
  memoryShare: 0.5,
  ...(memoryBytes !== undefined && { memoryBytes: Math.max(1, Math.floor(memoryBytes / 2)) }),
});
