/**
 * Energy of the processors, where the machine tells: Linux counts it in microjoules for each package
 * (docs.kernel.org/power/powercap/powercap.html), and lets root alone read it on many systems.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const POWERCAP = '/sys/class/powercap';

interface Counter {
  readonly path: string;
  /** Microjoules after which it begins at 0 again. */
  readonly range: number;
  last: number;
}

export class EnergyMeter {
  private readonly counters: readonly Counter[] | null;
  private microjoules = 0;

  /** @param folder of the kernel's counters */
  constructor(folder = POWERCAP) {
    this.counters = countersIn(folder);
  }

  /**
   * Joules of all packages since the meter was made, whatever ran on them; null where the machine does not tell. A
   * counter that began again twice between two calls is not noticed: ask every minute or so.
   */
  joules(): number | null {
    if (!this.counters) return null;
    for (const counter of this.counters) {
      const now = numberIn(counter.path);
      if (now === null) return null;
      this.microjoules += now >= counter.last ? now - counter.last : now + counter.range - counter.last;
      counter.last = now;
    }
    return this.microjoules / 1e6;
  }
}

/** Null when there is none, or one cannot be read: a part of the energy would pass for all of it. */
function countersIn(folder: string): Counter[] | null {
  let zones: string[];
  try {
    zones = readdirSync(folder).filter(
      (name) => /^intel-rapl:\d+$/.test(name) && readFileSync(join(folder, name, 'name'), 'utf8').startsWith('package'),
    );
  } catch {
    return null;
  }
  const counters = zones.flatMap((zone): Counter[] => {
    const path = join(folder, zone, 'energy_uj');
    const [last, range] = [numberIn(path), numberIn(join(folder, zone, 'max_energy_range_uj'))];
    return last === null || range === null ? [] : [{ path, range, last }];
  });
  return counters.length > 0 && counters.length === zones.length ? counters : null;
}

function numberIn(path: string): number | null {
  try {
    const number = Number(readFileSync(path, 'utf8').trim());
    return Number.isFinite(number) ? number : null;
  } catch {
    return null;
  }
}
