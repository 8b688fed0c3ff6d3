import type { RunRecord } from '../../src/evaluate/record.js';
import type { RunFile, RunManifest } from '../../src/evaluate/run-file.js';

export const syntheticEffort: RunFile['effort'];
export function syntheticManifest(problems: number, samples: number): RunManifest;
export function syntheticRecords(options?: { problems?: number; samples?: number; seed?: number; failed?: number }): Generator<RunRecord>;
