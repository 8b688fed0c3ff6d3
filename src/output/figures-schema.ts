/** Figures over problems, as `t1 select` and `t1 eval` print them. */
import { z } from 'zod';
import type { AdaptiveResult } from '../statistics/simulate-adaptive.js';
import type { VerifierQuality } from '../statistics/verifier-quality.js';
import { costNames } from '../statistics/pools.js';
import { strategyNames } from '../statistics/strategies.js';
import type { SameShape } from '../same-shape.js';

export const count = z.int().min(0);
const share = z.number().min(0).max(1);
export const strategy = z.enum(strategyNames);

export const accuracy = z.strictObject({ accuracy: share, low: share, high: share }).describe('with 95 % interval');
export const accuracies = z.partialRecord(strategy, accuracy);
const estimate = z.strictObject({ mean: z.number(), low: z.number(), high: z.number() });

const comparisonFields = {
  difference: z.number().describe('the first minus the second'),
  low: z.number(),
  high: z.number(),
  p: share.describe('two-sided'),
};
export const comparison = z.strictObject(comparisonFields);

export const skipped = z.strictObject({ tool: count, reward: count }).describe('candidates that nobody was asked of');
export const partial = z
  .partialRecord(strategy, count)
  .describe('pools in which something was skipped that the strategy looks at');
export const leftOut = z.partialRecord(strategy, z.string()).describe('why a strategy has no figure');

const costs = z.partialRecord(z.enum(costNames), z.number());
export const curvePoint = { n: z.int().min(1), smaller: count, strategies: accuracies };
export const computePoint = { ...curvePoint, costs: costs.describe('mean of a problem') };
export const part = { problems: count, strategies: accuracies };

const judgement = z.strictObject({
  skipped: count,
  truePositives: count,
  falsePositives: count,
  falseNegatives: count,
  trueNegatives: count,
  precision: estimate.nullable(),
  recall: estimate.nullable(),
  f1: estimate.nullable(),
  accuracy: estimate.nullable(),
});

const judge = z.enum(['tool', 'reward', 'both']);

export const quality = z.strictObject({
  candidates: count,
  right: count,
  judges: z.partialRecord(judge, judgement),
  reward: z
    .strictObject({
      scored: count,
      skipped: count,
      rocArea: estimate.nullable(),
      roc: z.array(z.strictObject({ threshold: z.number(), falsePositiveRate: share, truePositiveRate: share })),
      averagePrecision: estimate.nullable(),
      precisionRecall: z.array(z.strictObject({ threshold: z.number(), recall: share, precision: share })),
      calibration: z
        .strictObject({
          bins: z.array(
            z.strictObject({
              from: z.number(),
              to: z.number(),
              candidates: count,
              meanScore: z.number().nullable(),
              shareRight: z.number().nullable(),
            }),
          ),
          expectedError: z.number(),
          brier: z.number(),
        })
        .nullable(),
    })
    .nullable(),
  kinds: z.record(
    z.string(),
    z.strictObject({
      candidates: count,
      rejected: z.partialRecord(judge, estimate),
      rocArea: estimate.nullable(),
    }),
  ),
});
export const QUALITY_IS_THE_TYPE: SameShape<z.output<typeof quality>, VerifierQuality> = true;

const side = z.strictObject({ accuracy: estimate, candidates: estimate, costs });

export const adaptive = z.strictObject({
  adaptive: side,
  fixed: side,
  difference: comparison,
  ended: z.strictObject({ settled: share, confident: share, exhausted: share }).describe('shares; they sum to 1'),
});
export const ADAPTIVE_IS_THE_TYPE: SameShape<z.output<typeof adaptive>, AdaptiveResult> = true;

/** A minus B, with what each of them has. */
export const runDifference = { a: share, b: share, ...comparisonFields };
