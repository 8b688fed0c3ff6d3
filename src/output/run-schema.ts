/** What `t1 eval`, `t1 retry` and `t1 runs` print. */
import { z } from 'zod';
import type { RunComparison } from '../runs/compare-runs.js';
import type { EvaluateProgress } from '../runs/progress-meter.js';
import { recordSchema } from '../runs/record.js';
import { manifestSchema } from '../runs/run-file.js';
import type { ClaimsSummary, RunSummary } from '../runs/run-summary.js';
import type { SameShape } from '../same-shape.js';
import { type SelectorName, selectors } from '../select/select.js';
import { keysOf } from '../settings/setting.js';
import {
  accuracies,
  accuracy,
  adaptive,
  comparison,
  count,
  curvePoint,
  leftOut,
  part,
  partial,
  quality,
  runDifference,
  skipped,
} from './figures-schema.js';
import { OUTPUT_VERSIONS, type OutputName } from './versions.js';

const selector = keysOf<Record<SelectorName, unknown>>(selectors);
const namedParts = z.array(z.strictObject({ name: z.string(), ...part }));
const both = z.strictObject({ right: count, wrong: count });

const common = {
  manifest: manifestSchema.strict().describe('how the run was made'),
  effort: z
    .strictObject({ seconds: z.number(), joules: z.number().nullable(), generatedTokens: count, starts: count })
    .nullable()
    .describe('of all starts; joules is null where the machine does not tell'),
  problems: count.describe('with a record'),
};

const problemsSummary = z.strictObject({
  kind: z.literal('problems'),
  ...common,
  failed: count,
  undecided: count.describe('answers of which nobody could say whether they are right'),
  samples: count.describe('candidates of the problem that has most'),
  fewest: count,
  skipped,
  strategies: accuracies,
  partial,
  leftOut,
  curve: z.array(
    z.strictObject({
      ...curvePoint,
      tokens: z
        .strictObject({ solver: z.number(), tool: z.number(), reward: z.number() })
        .describe('generated for a problem, on average'),
    }),
  ),
  asRun: accuracy.extend({ candidates: z.number().describe('of a problem, on average') }).nullable(),
  adaptive: adaptive.nullable(),
  t1OverMajority: comparison.nullable(),
  quality: quality.nullable(),
  verdicts: z.strictObject({ pass: both, fail: both, unknown: both, skipped: both }),
  categories: namedParts,
  levels: namedParts,
});
export const SUMMARY_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof problemsSummary>, RunSummary> = true;

const claimsSummary = z.strictObject({
  kind: z.literal('claims'),
  ...common,
  operands: z.array(
    z.strictObject({
      operands: count,
      claims: count,
      byThinking: accuracy,
      byProgram: accuracy,
      byBoth: accuracy,
    }),
  ),
});
export const CLAIMS_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof claimsSummary>, ClaimsSummary> = true;

const versionOf = <Name extends OutputName>(name: Name) => ({ version: z.literal(OUTPUT_VERSIONS[name]) });

/** One of either kind, with what stands before it. */
const summarySchema = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.discriminatedUnion('kind', [problemsSummary.extend(shape), claimsSummary.extend(shape)]);

const folder = z.string().describe('of the run');
export const evalSchema = summarySchema({ ...versionOf('eval'), folder });
export const retrySchema = summarySchema({ ...versionOf('retry'), folder });
export const runsShowSchema = summarySchema(versionOf('runs show'));

const progressFields = z.strictObject({
  finished: count,
  total: count.describe('problems'),
  correct: count,
  failed: count,
  candidates: count,
  candidatesTotal: count,
  programs: count,
  generatedTokens: count,
  tokensPerSecond: z.number(),
  cacheHits: count,
  seconds: z.number(),
  secondsLeft: z.number().nullable(),
});
export const PROGRESS_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof progressFields>, EvaluateProgress> = true;

export const evalProgressSchema = progressFields.extend({
  ...versionOf('eval progress'),
  before: count.describe('problems that an earlier start has finished'),
  accuracy: z.number().nullable(),
  low: z.number(),
  high: z.number(),
});

export const runsListSchema = z.strictObject({
  ...versionOf('runs ls'),
  runs: z.array(
    z.strictObject({
      run: z.string(),
      task: z.string(),
      model: z.string(),
      problems: count.describe('that are solved'),
      of: count,
      startedAt: z.string(),
    }),
  ),
});

const difference = z.strictObject(runDifference);
const compared = z.strictObject({
  problems: count.describe('in both runs'),
  both: count.describe('right in both'),
  onlyA: z.array(z.string()),
  onlyB: z.array(z.string()),
  asRun: difference,
  strategies: z.partialRecord(selector, difference.extend({ partial: z.strictObject({ a: count, b: count }) })),
  leftOut: z.partialRecord(selector, z.string()),
});
export const COMPARISON_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof compared>, RunComparison> = true;
export const runsCompareSchema = compared.extend(versionOf('runs compare'));

const [solved, failed, claim] = recordSchema.options;
const exported = versionOf('runs export');
export const runsExportSchema = z.discriminatedUnion('outcome', [
  solved.extend(exported),
  failed.extend(exported),
  claim.extend(exported),
]);
