/** What `t1 select --json` prints. */
import { z } from 'zod';
import type { SameShape } from '../same-shape.js';
import {
  accuracies,
  comparison,
  computePoint,
  count,
  leftOut,
  part,
  partial,
  quality,
  skipped,
  strategy,
} from './figures-schema.js';
import type { SelectResult } from './select-result.js';
import { OUTPUT_VERSIONS, type Versioned } from './versions.js';

export const selectSchema = z.strictObject({
  version: z.literal(OUTPUT_VERSIONS.select),
  n: z.int().min(1),
  smaller: count.describe('pools that have fewer candidates than n'),
  problems: count,
  seeds: count,
  strategies: accuracies,
  skipped,
  partial,
  leftOut,
  fallback: z.string(),
  unknown: z.string(),
  subsets: z.union([z.int().min(1), z.literal('prefix')]),
  interval: z.strictObject({
    level: z.number(),
    method: z.string(),
    resamples: z.int().min(1),
    seed: z.int().min(0),
  }),
  curve: z.array(z.strictObject(computePoint)).optional(),
  compare: comparison.extend({ a: strategy, b: strategy, n: z.int().min(1) }).optional(),
  by: z
    .strictObject({
      name: z.enum(['category', 'level']),
      parts: z.array(z.strictObject({ name: z.string().nullable(), ...part })),
    })
    .optional(),
  verifier: quality.optional(),
});
export const SELECT_SCHEMA_IS_THE_TYPE: SameShape<
  z.output<typeof selectSchema>,
  Versioned<'select', SelectResult>
> = true;
