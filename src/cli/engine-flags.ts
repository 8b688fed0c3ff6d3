/** Flags of the engine, for commands that decode. */
import {
  engineSettings,
  parseEngineSettings,
  type EngineSettings,
  type SettledEngine,
} from '../settings/engine-settings.js';

export const engineFlags = { engine: { parts: engineSettings } } as const;

/** @throws T1Error USAGE for two that exclude each other */
export function checkedEngine(engine: EngineSettings): SettledEngine {
  const settled = parseEngineSettings(engine);
  return { ...settled, ubatch: Math.min(settled.ubatch, settled.batch) };
}

/** What each of two engines in this process may take. */
export const halved = ({ memoryBytes, ...rest }: SettledEngine): SettledEngine => ({
  ...rest,
  memoryShare: 0.5,
  ...(memoryBytes !== undefined && { memoryBytes: Math.max(1, Math.floor(memoryBytes / 2)) }),
});
