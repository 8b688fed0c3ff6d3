/** Energy: all packages, counters that begin again, and nothing where a part is not told. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnergyMeter } from '../../src/runs/energy.js';
import { temporaryFolder } from '../support/t1.js';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

function zone(name: string, title: string, microjoules: number, range = 262_143_328_850): void {
  const path = join(folder.path, name);
  mkdirSync(path, { recursive: true });
  for (const [file, value] of Object.entries({ name: title, energy_uj: microjoules, max_energy_range_uj: range }))
    writeFileSync(join(path, file), `${value}\n`);
}

test('the packages together; what is inside of one, and the whole platform, do not count twice', () => {
  zone('intel-rapl:0', 'package-0', 1_000_000);
  zone('intel-rapl:1', 'package-1', 0);
  zone('intel-rapl:2', 'psys', 7_000_000);
  zone('intel-rapl:0:0', 'core', 500_000);
  const meter = new EnergyMeter(folder.path);
  expect(meter.joules()).toBe(0);
  zone('intel-rapl:0', 'package-0', 3_500_000);
  zone('intel-rapl:1', 'package-1', 1_000_000);
  zone('intel-rapl:2', 'psys', 99_000_000);
  zone('intel-rapl:0:0', 'core', 2_500_000);
  expect(meter.joules()).toBe(3.5);
});

test('a counter that began again', () => {
  zone('intel-rapl:0', 'package-0', 900, 1000);
  const meter = new EnergyMeter(folder.path);
  zone('intel-rapl:0', 'package-0', 100, 1000);
  expect(meter.joules()).toBeCloseTo(200e-6, 12);
  zone('intel-rapl:0', 'package-0', 150, 1000);
  expect(meter.joules()).toBeCloseTo(250e-6, 12);
});

test('a machine that tells nothing, or not all', () => {
  expect(new EnergyMeter(join(folder.path, 'absent')).joules()).toBeNull();
  expect(new EnergyMeter(folder.path).joules()).toBeNull();
  zone('intel-rapl:0', 'package-0', 1);
  zone('intel-rapl:1', 'package-1', 1);
  const meter = new EnergyMeter(folder.path);
  rmSync(join(folder.path, 'intel-rapl:1', 'energy_uj'));
  expect(meter.joules()).toBeNull();
  expect(new EnergyMeter(folder.path).joules()).toBeNull();
});
