/**
 * What several opinions on one solution come to. A rule is one entry (arXiv 2504.04718 §3: `any` for programs, `all`
 * for fact checks).
 */
import type { Opinion } from '../types.js';

type Counts = Readonly<Record<Opinion, number>>;

export const rules = {
  any: ({ pass, fail }) => (pass > 0 ? 'pass' : fail > 0 ? 'fail' : 'unknown'),
  all: ({ pass, fail, unknown }) => (fail > 0 ? 'fail' : unknown > 0 || pass === 0 ? 'unknown' : 'pass'),
  majority: ({ pass, fail }) => (pass > fail ? 'pass' : fail > 0 ? 'fail' : 'unknown'),
} satisfies Record<string, (counts: Counts) => Opinion>;

export type Rule = keyof typeof rules;

/** An opinion that says neither is left out; where all do, nothing is known. */
export function judge(opinions: readonly Opinion[], rule: Rule): Opinion {
  const count = (wanted: Opinion): number => opinions.filter((opinion) => opinion === wanted).length;
  return rules[rule]({ pass: count('pass'), fail: count('fail'), unknown: count('unknown') });
}
