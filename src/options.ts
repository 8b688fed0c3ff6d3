/** Every setting of a solve, from the table in `settings/`. */
import type { RewardModel } from './reward/reward.js';
import { parseSettings, schemaOf } from './settings/parse-settings.js';
import type { Given, Settled } from './settings/setting.js';
import { solveSettings } from './settings/solve-settings.js';
import type { Verifier } from './verify/verify.js';

export const solveOptions = schemaOf(solveSettings);

export type SolveOptions = Settled<typeof solveSettings>;
/** With nothing left to be found out. */
export type PipelineOptions = Omit<SolveOptions, 'verifier' | 'reward'> & {
  readonly verifier: Verifier;
  readonly reward: RewardModel;
  /** What the two are called, where a key has to say which they are. */
  readonly names: { readonly verifier: string; readonly reward: string };
};
export type SolveSettings = Given<typeof solveSettings>;

/** @throws T1Error USAGE that names the setting, what it may be and what was given */
export const parseOptions = (settings: { readonly [Name in keyof SolveSettings]: unknown }): SolveOptions =>
  parseSettings(solveSettings, settings);
