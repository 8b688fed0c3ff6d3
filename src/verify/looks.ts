/**
 * Looks of a tool at one candidate that are made one by one: programs, fact checks. A budget may ask for some of them.
 */
import type { StageContext } from '../stage-context.js';
import type { Opinion, ToolVerdict } from '../types.js';
import type { Rule } from './opinion-rules.js';
import { opinionOf } from './math.js';

export interface Looks {
  /** How many a candidate gets in a fixed budget. */
  readonly most: (context: StageContext) => number;
  /** What several come to. */
  readonly rule: (context: StageContext) => Rule;
  /** What each of those made so far says; none where the verdict came without one. */
  readonly opinions: (tool: ToolVerdict) => readonly Opinion[];
}

/** Greedy programs and checks are all alike: one is all there is. */
const count = (temperature: number, wanted: number): number => (temperature === 0 ? 1 : wanted);

export const programLooks: Looks = {
  most: ({ settings, profile: { defaults } }) =>
    count(defaults.programTemperature, settings.programs ?? defaults.programs),
  rule: ({ settings }) => settings.programRule,
  opinions: ({ programs }) => programs.map(opinionOf),
};

export const checkLooks: Looks = {
  most: ({ settings, profile: { defaults } }) => count(defaults.checkTemperature, settings.checks ?? defaults.checks),
  rule: ({ settings }) => settings.checkRule,
  opinions: ({ checks = [] }) => checks.map(({ verdict }) => verdict),
};

/** A tool that is asked once. */
export const oneLook: Looks = { most: () => 1, rule: () => 'any', opinions: () => [] };
