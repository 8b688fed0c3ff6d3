/** The engine's calibration of its KV cache, kept per model, device and build. */
import type { Engine } from '../engine/engine-types.js';
import { plainKey } from '../store/canonical.js';
import type { Store } from '../store/store.js';

const keyOf = (engine: Engine, modelHash: string): Buffer => plainKey('KV costs', engine.build, modelHash);

/** Gives the engine what another one has measured, if any has. */
export function recallKvCosts(engine: Engine, modelHash: string, store: Store): void {
  const known = store.kvCosts(keyOf(engine, modelHash));
  if (known) engine.useCosts(known);
}

/** Keeps what this engine has measured, if it has. */
export function keepKvCosts(engine: Engine, modelHash: string, store: Store): void {
  const { calibrated, costs } = engine.statistics();
  if (calibrated && costs) store.saveKvCosts(keyOf(engine, modelHash), costs);
}
