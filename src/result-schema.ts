/** What a result looks like, for those who read it as JSON: `t1 solve --json`, and whoever stores what `solve` returns. */
import { z } from 'zod';
import type { SameShape } from './same-shape.js';
import { RESULT_VERSION, type SolveResult } from './types.js';

const opinion = z.enum(['pass', 'fail', 'unknown']);

const program = z.strictObject({
  code: z.string().nullable().describe('source that ran; null when the model wrote no program'),
  status: z.enum(['ok', 'error', 'timeout', 'memory', 'output', 'died', 'missing']),
  stdout: z.string(),
  ms: z.number().describe('wall time, milliseconds'),
  missingModule: z.string().optional().describe('module whose absence ended it'),
});

const tool = z.strictObject({
  verdict: z
    .enum([...opinion.options, 'skipped'])
    .describe('skipped: not asked, since the answer was settled without it'),
  programs: z.array(program),
  steps: z.array(z.strictObject({ step: z.string(), holds: z.boolean(), value: z.string() })).optional(),
  passages: z
    .array(z.strictObject({ id: z.string(), title: z.string().nullable(), text: z.string(), score: z.number() }))
    .optional(),
  checks: z.array(z.strictObject({ text: z.string(), verdict: opinion })).optional(),
  tokens: z.int().optional().describe('generated to find this out'),
  note: z.string().optional(),
});

const candidate = z.strictObject({
  index: z.int().min(0),
  seed: z.int().min(0),
  text: z.string(),
  finish: z.enum(['eog', 'stop', 'length']),
  answer: z.string().nullable(),
  group: z.int().min(0).nullable().describe('index of the first candidate with the same answer; null without one'),
  tool,
  reward: z
    .union([z.number().min(0).max(1), z.literal('skipped')])
    .nullable()
    .describe('null: nothing to score; skipped: not asked for'),
  rationales: z.array(z.strictObject({ text: z.string(), score: z.number().nullable() })).optional(),
  stepScores: z.array(z.strictObject({ text: z.string(), score: z.number() })).optional(),
  rewardTokens: z.int().optional(),
  weight: z.number().min(0).describe('what it contributed to its answer'),
  generatedTokens: z.int().min(0),
});

const milliseconds = z.number().min(0);

export const resultSchema = z.strictObject({
  version: z.literal(RESULT_VERSION).describe('raised when a reader of the last version would misread it'),
  problem: z.string(),
  answer: z.string().nullable(),
  verified: z.boolean().describe('a candidate with this answer passed the tool'),
  select: z.string(),
  fallback: z.enum(['reward', 'majority', 'abstain']).nullable(),
  chosen: z.int().min(0).nullable().describe('index of the candidate that stands for the answer'),
  candidates: z.array(candidate),
  missingModules: z.record(z.string(), z.int()),
  usage: z.strictObject({
    promptTokens: z.int(),
    sharedTokens: z.int(),
    generatedTokens: z.int(),
    decodedTokens: z.int(),
  }),
  cache: z.strictObject({ hits: z.int(), misses: z.int() }),
  timing: z.strictObject({
    load: milliseconds,
    sample: milliseconds,
    verify: milliseconds,
    reward: milliseconds,
    select: milliseconds,
    total: milliseconds,
  }),
});

/** JSON Schema (draft 2020-12) of a result. */
export const resultJsonSchema = (): Readonly<Record<string, unknown>> => z.toJSONSchema(resultSchema);

/** What the schema says is what the type says; `top` is of samples that ask for it, which candidates do not. */
type Written<Value> = Value extends readonly (infer Item)[]
  ? Written<Item>[]
  : Value extends object
    ? { [Name in keyof Value as Name extends 'top' ? never : Name]: Written<Value[Name]> }
    : Value;
export const RESULT_SCHEMA_IS_THE_TYPE: SameShape<z.output<typeof resultSchema>, Written<SolveResult>> = true;
