/**
 * Everything that crosses between TypeScript and the addon: requests, events, replies, error codes, and the calls that
 * carry them. The C++ side is `native/convert.h` (tables that it reads and writes by) and the calls in
 * `native/addon.cpp`; `test/addon/contract.test.ts` compares what the addon says of itself with this file. A field that
 * is missing, unknown or of another type is refused there with USAGE.
 *
 * Types only are imported from here, so that no schema is built where none is needed.
 */
import * as z from 'zod';
import type { ErrorCode } from '../errors.js';

/** Of what follows; T1_CONTRACT of CMakeLists.txt. Raise both together. */
export type ContractNumber = 8;

// --- what C++ knows
// ---------------------------------------------------------------------------------------------------

const int = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
const INT32 = 2 ** 31 - 1;
const int32 = int(-INT32 - 1, INT32);
const count = int(0, INT32);
const int64 = z.int();
const bytes = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const int32s = z.custom<Int32Array>((value) => value instanceof Int32Array).meta({ typedArray: 'Int32Array' });
const float32s = z.custom<Float32Array>((value) => value instanceof Float32Array).meta({ typedArray: 'Float32Array' });
/** Of a job or of its number; not negative. */
const id = z.int().min(0);

export const nativeErrorCode = z.enum([
  'USAGE',
  'FILE_NOT_FOUND',
  'MODEL_INVALID',
  'ADAPTER_INVALID',
  'PROMPT_TOO_LONG',
  'OUT_OF_MEMORY',
  'DECODE_FAILED',
  'QUEUE_FULL',
  'DISPOSED',
  'ABORTED',
  'INTERNAL',
] satisfies ErrorCode[]);

// --- requests
// ---------------------------------------------------------------------------------------------------------

const path = z.string().regex(/^[^\0]*$/);
const name = z.string().min(1);

export const engineOptions = z.strictObject({
  path,
  threads: int(0, 512),
  batch: int(1, 2 ** 20),
  ubatch: int(1, INT32),
  gpuLayers: int(-1, INT32),
  device: z.string(),
  kv: z.enum(['auto', 'split', 'unified']),
  kvType: z.enum(['f16', 'q8_0', 'f32']),
  flashAttention: z.enum(['auto', 'on', 'off']),
  reproducible: z.boolean(),
  memoryBytes: bytes,
  hostFreeBytes: bytes,
  hostAvailableBytes: bytes,
  contextLength: count,
  queueLimit: int(1, INT32),
  adapters: z.array(z.strictObject({ name: z.string(), path, scale: z.number().min(-1e6).max(1e6) })),
});

const priority = z.enum(['batch', 'interactive']).optional();
const ordinal = z.int().min(0).optional();
const topLogprobs = int(0, 20).optional();

export const sampleRequest = z.strictObject({
  prompts: z.array(z.strictObject({ tokens: int32s, seeds: z.array(z.int().min(0)) })),
  sampler: z.strictObject({
    temperature: z.number().min(0).max(1e6),
    topK: count,
    topP: z.number().min(0).max(1),
    minP: z.number().min(0).max(1),
  }),
  maxTokens: int(1, INT32),
  stop: z.array(z.string()),
  grammar: z.string().min(1).optional(),
  logitBias: z
    .array(
      z.strictObject({
        token: count,
        bias: z
          .custom<number>((value) => typeof value === 'number' && value < Infinity)
          .meta({ type: 'number', minusInfinity: true }),
      }),
    )
    .optional(),
  adapter: name.optional(),
  priority,
  ordinal,
  reserve: z.strictObject({ sequences: count, tokens: count }).optional(),
  textIntervalMs: int(10, 60_000).optional(),
  topLogprobs,
});

export const scoreRequest = z.strictObject({
  sequences: z.array(z.strictObject({ tokens: int32s, positions: int32s })),
  targets: int32s,
  adapter: name.optional(),
  priority,
  ordinal,
  next: z.boolean().optional(),
  topLogprobs,
});

export const classifyRequest = z.strictObject({
  sequences: z.array(int32s),
  adapter: name.optional(),
  priority,
  ordinal,
});

const seconds = z.number().min(-1e9).max(1e9);

/** Asked and answered. */
export const kvCosts = z.strictObject({
  decode: seconds,
  rowSplit: seconds,
  rowUnified: seconds,
  cellSplit: seconds,
  cellUnified: seconds,
  copy: seconds,
});

// --- events
// -----------------------------------------------------------------------------------------------------------

const usage = z.strictObject({
  promptTokens: int64,
  generatedTokens: int64,
  decodedTokens: int64,
  sharedTokens: int64,
});
const top = z.strictObject({ k: int32, tokens: int32s, logprobs: float32s });

/** What a job sends, in order: the first three any number of times, then one of the rest, which ends it. */
export const event = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sample'),
    prompt: int32,
    index: int32,
    text: z.string(),
    tokens: int32s,
    logprobs: float32s,
    finish: z.enum(['eog', 'stop', 'length']),
    /** With `topLogprobs` of 1 or more. */
    top: top.exactOptional(),
    /** With `textIntervalMs`: the end of `text`, which no piece has told. */
    rest: z.string().exactOptional(),
  }),
  /**
   * With `textIntervalMs`: of all samples that have gone on, what none has told yet; `tokens` as `TextPiece` has it.
   */
  z.strictObject({
    type: z.literal('texts'),
    pieces: z.array(z.strictObject({ prompt: int32, index: int32, text: z.string(), tokens: int32 })),
  }),
  z.strictObject({ type: z.literal('progress'), finished: int64, total: int64, generatedTokens: int64 }),
  z.strictObject({ type: z.literal('sampled'), usage, firstTokenDecodes: int64 }),
  z.strictObject({
    type: z.literal('scored'),
    usage,
    logprobs: z.array(float32s),
    /** With `next`. */
    next: z.array(float32s).exactOptional(),
    /** With `topLogprobs` of 1 or more. */
    top: z.array(top).exactOptional(),
  }),
  z.strictObject({ type: z.literal('classified'), usage, scores: z.array(float32s), labels: z.array(z.string()) }),
  z.strictObject({ type: z.literal('failed'), code: nativeErrorCode, message: z.string() }),
]);

// --- replies
// ----------------------------------------------------------------------------------------------------------

const strings = z.array(z.string());

export const modelInfo = z.strictObject({
  name: z.string(),
  architecture: z.string(),
  description: z.string(),
  parameters: z.number(),
  sizeBytes: z.number(),
  contextLength: int32,
  vocabularySize: int32,
  layers: int32,
  chatTemplate: z.string().exactOptional(),
  bosToken: z.string(),
  eosToken: z.string(),
  head: z.strictObject({ tensors: strings, labels: strings, problem: z.string().exactOptional() }).exactOptional(),
  /** Pairs, not properties: a hostile key must not become __proto__. */
  metadata: z.array(z.tuple([z.string(), z.string()])),
});

export const statistics = z.strictObject({
  decodes: int64,
  rows: int64,
  sequences: int64,
  possibleSequences: int64,
  contexts: int64,
  adapterChanges: int64,
  kv: z.enum(['split', 'unified']).exactOptional(),
  kvBytes: z.number(),
  calibrated: z.boolean(),
  costs: kvCosts.exactOptional(),
});

export const device = z.strictObject({
  name: z.string(),
  description: z.string(),
  type: z.enum(['cpu', 'gpu', 'igpu', 'accelerator']),
  backend: z.string(),
  memoryFreeBytes: z.number(),
  memoryTotalBytes: z.number(),
});

// --- calls
// ------------------------------------------------------------------------------------------------------------

type Tuple = z.ZodType<readonly unknown[]>;

/** Arguments in their order, and what is answered. */
interface Call<Arguments extends Tuple, Reply extends z.ZodType> {
  readonly arguments: Arguments;
  readonly reply: Reply;
}
const call = <Arguments extends Tuple, Reply extends z.ZodType>(
  args: Arguments,
  reply: Reply,
): Call<Arguments, Reply> => ({ arguments: args, reply });
const nothing = z.void();

/** Arguments of a function that the addon calls, by the schema of the function. */
export const callbacks = new WeakMap<z.core.$ZodType, z.ZodType>();
const callback = <Arguments extends Tuple>(args: Arguments) => {
  const schema = z.custom<(...args: Readonly<z.output<Arguments>>) => void>((value) => typeof value === 'function');
  callbacks.set(schema, args);
  return schema;
};

/** Of the object that `load` gives. */
export const engineCalls = {
  info: call(z.tuple([]), modelInfo),
  /** text, special, addBos: as the model wants it when absent */
  tokenize: call(z.tuple([z.string(), z.boolean(), z.boolean().optional()]), int32s),
  /** number of the job, chosen by the caller; the reply is the id that `abort` takes */
  sample: call(z.tuple([id, sampleRequest]), id),
  score: call(z.tuple([id, scoreRequest]), id),
  classify: call(z.tuple([id, classifyRequest]), id),
  abort: call(z.tuple([id]), nothing),
  statistics: call(z.tuple([]), statistics),
  useCosts: call(z.tuple([kvCosts]), nothing),
  /** whether events are awaited: then the process stays alive for them */
  setBusy: call(z.tuple([z.boolean()]), nothing),
  dispose: call(z.tuple([callback(z.tuple([]))]), nothing),
};

const thrown = z
  .custom<Error & { readonly code: z.output<typeof nativeErrorCode> }>((value) => value instanceof Error)
  .meta({ error: { type: 'string', enum: nativeErrorCode.options } });
const engineHandle = z.custom<NativeEngine>((value) => typeof value === 'object').meta({ engine: true });

/** Of the addon. */
export const addonCalls = {
  /** options; job and its event; error, or engine */
  load: call(
    z.tuple([
      engineOptions,
      callback(z.tuple([id, event])),
      callback(z.tuple([thrown.optional(), engineHandle.optional()])),
    ]),
    nothing,
  ),
  devices: call(z.tuple([]), z.array(device)),
  backends: call(z.tuple([]), strings),
  /** gpuLayers, device: release of llama.cpp and what would decode */
  build: call(z.tuple([int(-1, INT32), z.string()]), z.string()),
};

// --- types
// ------------------------------------------------------------------------------------------------------------

type Frozen<T> = T extends Int32Array | Float32Array | ((...args: never[]) => unknown) | NativeEngine | Error
  ? T
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;
type Calls<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Call<infer Arguments, infer Reply>
    ? (...args: Frozen<z.output<Arguments>>) => z.output<Reply>
    : never;
};

export type RawOptions = Frozen<z.output<typeof engineOptions>>;
export type RawEvent = Frozen<z.output<typeof event>>;
export interface NativeEngine extends Calls<typeof engineCalls> {}
export interface Addon extends Calls<typeof addonCalls> {
  readonly version: string;
  readonly contract: number;
  /** What the C++ side knows of all this, for the test that compares. */
  describe(): unknown;
}
