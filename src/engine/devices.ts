/** Which of the devices found decodes, and why: the rule of `native/backend.cpp`, in words. */
import { T1Error } from '../errors.js';
import type { DeviceInfo } from './engine-types.js';

export interface EngineChoice {
  readonly device?: string | undefined;
  readonly gpuLayers?: number | undefined;
}

export const isGpu = (type: DeviceInfo['type']): boolean => type === 'gpu' || type === 'igpu';

/**
 * @param devices what llama.cpp found, in its order
 * @param backends what of llama.cpp is installed
 * @throws T1Error USAGE when there is no device of the name that was asked for
 */
export function chooseDevice(
  devices: readonly DeviceInfo[],
  backends: readonly string[],
  { device, gpuLayers }: EngineChoice,
): { readonly used: DeviceInfo; readonly why: string } {
  const known = devices.map(({ name }) => name).join(', ');
  const cpu = devices.find(({ type }) => type === 'cpu');
  if (!cpu) throw new T1Error('INTERNAL', `llama.cpp found no CPU (found: ${known})`);
  if (device !== undefined) {
    const named = devices.find(({ name }) => name === device);
    if (!named) throw new T1Error('USAGE', `there is no device '${device}' (there is: ${known})`);
    return { used: named, why: 'it was asked for' };
  }
  const gpu = devices.find(({ type }) => type === 'gpu') ?? devices.find(({ type }) => type === 'igpu');
  if (gpu && gpuLayers === 0) return { used: cpu, why: 'no layers are to go to a GPU' };
  if (gpu) return { used: gpu, why: 'it is the first GPU' };
  const others = backends.filter((name) => name !== 'CPU');
  const why =
    others.length === 0
      ? 'no GPU backend is installed beside it'
      : `${others.join(' and ')} ${others.length === 1 ? 'is' : 'are'} installed but found no device`;
  return { used: cpu, why };
}
