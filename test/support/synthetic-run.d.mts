import type { RunRecord } from '../../src/runs/record.js';
import type { RunFile, RunManifest } from '../../src/runs/run-file.js';

export const syntheticEffort: RunFile['effort'];
export function syntheticManifest(problems: number, samples: number): RunManifest;
export function syntheticRecords(options?: {
  problems?: number;
  samples?: number;
  seed?: number;
  failed?: number;
}): Generator<RunRecord>;
