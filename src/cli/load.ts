/** Loads an engine for a command, and says what it decodes on. */
import { chooseDevice, isGpu } from '../engine/devices.js';
import { listBackends, listDevices, loadEngine, type EngineOptions } from '../engine/engine.js';
import type { Engine } from '../engine/engine-types.js';
import type { Progress } from './progress.js';

export function sayDevice(options: Pick<EngineOptions, 'device' | 'gpuLayers'>, progress: Progress): void {
  const { used, why } = chooseDevice(listDevices(), listBackends(), options);
  progress.say(`Loading the model (${used.name})`);
  if (!isGpu(used.type) && (options.gpuLayers ?? 0) > 0)
    progress.note(`no GPU is used, because ${why}: decoding on the ${used.name}`);
}

export async function loadForCommand(options: EngineOptions, progress: Progress): Promise<Engine> {
  sayDevice(options, progress);
  return loadEngine(options);
}
