/**
 * What each command prints as JSON, for those who read it. `--json` prints one object; `python batch` and `index search
 * queries`, `grade` and `runs export` print one for each line of what they get or have, `eval progress` one for each
 * step on standard error.
 */
import { z } from 'zod';
import type { DistillSummary } from '../distill/distill-summary.js';
import type { DeviceInfo, ModelInfo, Sample, Usage } from '../engine/engine-types.js';
import type { Grade } from '../grade/grader.js';
import type { AddSummary } from '../knowledge/add.js';
import type { IndexSummary } from '../knowledge/folder.js';
import { resultSchema } from '../result-schema.js';
import type { SameShape } from '../same-shape.js';
import type { ProgramResult } from '../sandbox/sandbox.js';
import type { StoreStats } from '../store/store.js';
import { count } from './figures-schema.js';
import {
  evalProgressSchema,
  evalSchema,
  retrySchema,
  runsCompareSchema,
  runsExportSchema,
  runsListSchema,
  runsShowSchema,
} from './run-schema.js';
import { selectSchema } from './select-schema.js';
import { OUTPUT_VERSIONS, type OutputName } from './versions.js';

const versioned = <Name extends OutputName, Shape extends z.ZodRawShape>(name: Name, shape: Shape) =>
  z.strictObject({ version: z.literal(OUTPUT_VERSIONS[name]), ...shape });

const usage = z.strictObject({
  promptTokens: count,
  sharedTokens: count,
  generatedTokens: count,
  decodedTokens: count,
});
export const USAGE_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof usage>, Usage> = true;

const sample = z.strictObject({
  index: count,
  seed: count,
  text: z.string(),
  finish: z.enum(['eog', 'stop', 'length']),
  tokens: z.array(z.int()),
  logprobs: z.array(z.number()).describe('natural logarithm, one for each token'),
});
type PrintedSample = Omit<Sample, 'prompt' | 'top' | 'tokens' | 'logprobs'> & { tokens: number[]; logprobs: number[] };
export const SAMPLE_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof sample>, PrintedSample> = true;

const program = {
  status: z.enum(['ok', 'error', 'timeout', 'memory', 'output', 'died']),
  stdout: z.string(),
  value: z.string().nullable().describe('repr of the last expression'),
  error: z
    .strictObject({
      type: z.string(),
      message: z.string(),
      line: z.int().nullable(),
      missingModule: z.string().nullable(),
    })
    .nullable(),
  ms: z.number(),
};
const wholeProgram = z.strictObject(program);
export const PROGRAM_SCHEMA_IS_THE_TYPE: SameShape<
  z.output<typeof wholeProgram>,
  { [Name in 'status' | 'stdout' | 'value' | 'error' | 'ms']: ProgramResult[Name] }
> = true;

const storeStats = z.strictObject({
  path: z.string(),
  bytes: count.describe('of the file'),
  usedBytes: count,
  maxBytes: count,
  values: z.record(z.string(), count).describe('how many of each kind'),
});
export const STORE_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof storeStats>, StoreStats> = true;

const added = z.strictObject({
  name: z.string(),
  path: z.string(),
  files: count,
  unchangedFiles: count,
  added: count,
  known: count,
  empty: count,
  passages: count.describe('of the index now'),
});
export const ADDED_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof added>, AddSummary> = true;

const index = z.strictObject({
  name: z.string(),
  path: z.string(),
  passages: count,
  sources: count,
  bytes: count,
  stemming: z.boolean(),
  stopWords: z.boolean(),
  complete: z.boolean(),
});
export const INDEX_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof index>, IndexSummary> = true;

const device = z.strictObject({
  name: z.string(),
  description: z.string(),
  type: z.enum(['cpu', 'gpu', 'igpu', 'accelerator']),
  backend: z.string(),
  memoryFreeBytes: count,
  memoryTotalBytes: count,
});
export const DEVICE_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof device>, DeviceInfo> = true;

const model = z.strictObject({
  path: z.string(),
  name: z.string(),
  architecture: z.string(),
  description: z.string(),
  parameters: count,
  sizeBytes: count,
  contextLength: count,
  vocabularySize: count,
  layers: count,
  head: z
    .strictObject({
      tensors: z.array(z.string()),
      labels: z.array(z.string()),
      problem: z.string().optional().describe('why it cannot be read'),
    })
    .optional(),
  chatTemplate: z.string().optional(),
  bosToken: z.string(),
  eosToken: z.string(),
  metadata: z.record(z.string(), z.string()),
});
type WrittenModel = Omit<ModelInfo, 'chatTemplate'> & Partial<Pick<ModelInfo, 'chatTemplate'>>;
export const MODEL_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof model>, WrittenModel> = true;

const distilled = z.strictObject({
  role: z.enum(['tool', 'reward']),
  student: z.string(),
  teacher: z.string(),
  baseModel: z.string(),
  problems: count,
  solutions: count,
  unanswered: count,
  replies: count,
  kept: count,
  drops: z.record(z.string(), count),
  settings: z.strictObject({
    samples: count,
    temperature: z.number(),
    completions: count,
    teacherTemperature: z.number(),
    teacherTokens: count,
    showAnswer: z.boolean(),
    seed: count,
  }),
});
export const DISTILLED_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof distilled>, DistillSummary> = true;

const grade = z.strictObject({
  equal: z.boolean().nullable().describe('null: undecided'),
  extracted: z.string().nullable(),
  why: z.string(),
});
export const GRADE_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof grade>, Grade> = true;

export const outputSchemas = {
  solve: resultSchema,
  sample: versioned('sample', {
    prompt: z.string(),
    samples: z.array(sample),
    usage,
    timing: z.strictObject({ sample: z.number() }).describe('milliseconds'),
  }),
  select: selectSchema,
  python: versioned('python', program),
  'python batch': versioned('python batch', { id: z.union([z.string(), z.number()]), ...program }),
  'cache stats': versioned('cache stats', storeStats.shape),
  'cache clear': versioned('cache clear', storeStats.shape),
  'index add': versioned('index add', added.shape),
  'index list': versioned('index list', {
    indexes: z.array(z.union([index, z.strictObject({ name: z.string(), error: z.string() })])),
  }),
  'index search': versioned('index search', {
    query: z.string(),
    hits: z.array(
      z.strictObject({ id: z.string(), title: z.string().nullable(), text: z.string(), score: z.number() }),
    ),
  }),
  'index search queries': versioned('index search queries', {
    id: z.string(),
    hits: z.array(z.strictObject({ id: z.string(), score: z.number() })),
  }),
  'inspect model': versioned('inspect model', {
    ...model.shape,
    sha256: z.string(),
    profile: z.string(),
    reward: z
      .strictObject({
        entry: z.string(),
        kind: z.enum(['prm', 'classifier', 'yes-no', 'genrm', 'unsupported']),
        why: z.string().optional(),
      })
      .optional()
      .describe('how it is asked for rewards, where it was made for them'),
    build: z.string(),
  }),
  'inspect gpu': versioned('inspect gpu', {
    devices: z.array(device),
    backends: z.array(z.string()),
    gpu: z.boolean(),
    used: z.string(),
    why: z.string(),
  }),
  eval: evalSchema,
  'eval progress': evalProgressSchema,
  retry: retrySchema,
  'runs ls': runsListSchema,
  'runs show': runsShowSchema,
  'runs compare': runsCompareSchema,
  'runs export': runsExportSchema,
  'ls tasks': versioned('ls tasks', {
    tasks: z.array(
      z.strictObject({
        name: z.string(),
        version: z.int().describe('raised when it would have other problems'),
        title: z.string(),
        source: z.string(),
        verifier: z.string(),
        data: z.string(),
      }),
    ),
  }),
  distill: versioned('distill', distilled.shape),
  grade: versioned('grade', grade.shape),
} as const satisfies Record<OutputName, z.ZodType>;

type Written<Value> = Value extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Written<Value[Name]> }
    : Value;
type WithoutVersion<Value> = Value extends object ? Omit<Value, 'version'> : never;

/** What a command has to say; its version is put before it. */
export type Output<Name extends OutputName> = WithoutVersion<Written<z.output<(typeof outputSchemas)[Name]>>>;

export const outputNames = Object.keys(OUTPUT_VERSIONS) as readonly OutputName[];

/** JSON Schema (draft 2020-12) of what a command prints. */
export const outputJsonSchema = (name: OutputName): Readonly<Record<string, unknown>> =>
  z.toJSONSchema(outputSchemas[name]);
