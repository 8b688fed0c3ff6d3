/** Which device decodes, and how a command line describes an engine. */
import { expect, test } from 'vitest';
import { checkedEngine } from '../../src/cli/engine-flags.js';
import { chooseDevice } from '../../src/engine/devices.js';
import type { DeviceInfo } from '../../src/engine/engine-types.js';
import { codeOf } from '../support/code-of.js';

const device = (name: string, type: DeviceInfo['type']): DeviceInfo => ({
  name,
  type,
  description: name,
  backend: name,
  memoryFreeBytes: 1,
  memoryTotalBytes: 1,
});
const CPU = device('CPU', 'cpu');
const INSIDE = device('Vulkan0', 'igpu');
const CARD = device('CUDA0', 'gpu');

test('a card goes before an integrated GPU, and both before the CPU', () => {
  expect(chooseDevice([CPU, INSIDE, CARD], ['CPU', 'CUDA'], {}).used).toBe(CARD);
  expect(chooseDevice([CPU, INSIDE], ['CPU', 'Vulkan'], {}).used).toBe(INSIDE);
  expect(chooseDevice([CPU], ['CPU'], {}).used).toBe(CPU);
});

test('no layers for a GPU: the CPU; a name goes before everything', () => {
  expect(chooseDevice([CPU, CARD], ['CPU', 'CUDA'], { gpuLayers: 0 }).used).toBe(CPU);
  expect(chooseDevice([CPU, INSIDE, CARD], ['CPU', 'CUDA'], { device: 'Vulkan0' }).used).toBe(INSIDE);
  expect(codeOf(() => chooseDevice([CPU], ['CPU'], { device: 'CUDA0' }))).toBe('USAGE');
});

test('why the CPU: nothing else is installed, or what is installed found nothing', () => {
  expect(chooseDevice([CPU], ['CPU'], {}).why).toBe('no GPU backend is installed beside it');
  expect(chooseDevice([CPU], ['CUDA', 'CPU'], {}).why).toBe('CUDA is installed but found no device');
  expect(chooseDevice([CPU], ['CUDA', 'Vulkan', 'CPU'], {}).why).toBe(
    'CUDA and Vulkan are installed but found no device',
  );
});

test.each([
  ['2147483648', 2 ** 31],
  ['512M', 2 ** 29],
  ['512MiB', 2 ** 29],
  ['1.5 GB', 1.5 * 2 ** 30],
  ['4gib', 2 ** 32],
])('--memory %s', (memory, bytes) => expect(checkedEngine({ memoryBytes: memory }).memoryBytes).toBe(bytes));

test.each(['', '0', '-1G', '4 pounds', 'GiB', '0.1'])("--memory '%s' is refused", (memory) => {
  expect(codeOf(() => checkedEngine({ memoryBytes: memory }))).toBe('USAGE');
});

test('a micro-batch is no larger than a batch', () => expect(checkedEngine({ batch: 64 }).ubatch).toBe(64));
