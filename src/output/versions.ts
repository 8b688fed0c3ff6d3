/**
 * What `t1` prints as JSON, by the words that ask for it, and its version: raised when a reader of the last one would
 * misread it. In a file of its own, since printing needs no schema.
 */
import { RESULT_VERSION } from '../types.js';

export const OUTPUT_VERSIONS = {
  solve: RESULT_VERSION,
  sample: 1,
  select: 1,
  python: 1,
  'python batch': 1,
  'cache stats': 1,
  'cache clear': 1,
  'index add': 1,
  'index list': 1,
  'index search': 1,
  'index search queries': 1,
  'inspect model': 1,
  'inspect gpu': 1,
  eval: 1,
  'eval progress': 1,
  retry: 1,
  'runs ls': 1,
  'runs show': 1,
  'runs compare': 1,
  'runs export': 1,
  'ls tasks': 1,
  distill: 1,
  grade: 1,
} as const;

export type OutputName = keyof typeof OUTPUT_VERSIONS;

/** What is printed of a value. */
export type Versioned<Name extends OutputName, Value> = Value & { readonly version: (typeof OUTPUT_VERSIONS)[Name] };
