/** The boundary to the addon: both sides know the same, and what only one knows is refused. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { loadAddon } from '../../src/engine/binding.js';
import * as contract from '../../src/engine/contract.js';
import type { NativeEngine, RawEvent, RawOptions } from '../../src/engine/contract.js';
import { isErrorCode } from '../../src/errors.js';
import { classifierGguf } from '../support/classifier-gguf.mjs';
import { modelFile } from '../support/engine.js';

type Json = { [key: string]: unknown };

/**
 * As the addon describes itself: JSON Schema, with `typedArray`, `callback`, `error` and `engine` for what JSON does
 * not have.
 */
function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const args = contract.callbacks.get(zodSchema);
      if (args) Object.assign(jsonSchema, { callback: schemaOf(args) });
    },
  });
  return json;
}

const callsOf = (calls: Readonly<Record<string, { readonly arguments: z.ZodType; readonly reply: z.ZodType }>>): Json =>
  Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      {
        arguments: schemaOf(call.arguments),
        ...(!(call.reply instanceof z.ZodVoid) && { reply: schemaOf(call.reply) }),
      },
    ]),
  );

describe('what the addon says of itself is what contract.ts says', () => {
  const described = loadAddon().describe() as Record<'addon' | 'engine', Record<string, unknown>>;

  test('calls, and all that they carry', () => {
    expect(described.engine).toEqual(callsOf(contract.engineCalls));
    expect(described.addon).toEqual(callsOf(contract.addonCalls));
    // Not two empty ones.
    expect(
      JSON.stringify(described).match(/"(textIntervalMs|topLogprobs|generatedTokens|OUT_OF_MEMORY)"/g)?.length,
    ).toBeGreaterThan(6);
  });

  test('functions, and error codes that the package has', async () => {
    const { version, contract: number, describe, ...functions } = loadAddon();
    expect(Object.keys(functions).sort()).toEqual(Object.keys(contract.addonCalls).sort());
    expect([typeof version, typeof number, typeof describe]).toEqual(['string', 'number', 'function']);
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf((await open({})).engine)).filter(
      (name) => name !== 'constructor',
    );
    expect(names.sort()).toEqual(Object.keys(contract.engineCalls).sort());
    expect(contract.nativeErrorCode.options.filter((code) => !isErrorCode(code))).toEqual([]);
  });
});

// --- values in flight -----------------------------------------------------------------------------------------------

const OPTIONS: Omit<RawOptions, 'path'> = {
  threads: 1,
  batch: 2048,
  ubatch: 512,
  gpuLayers: 0,
  device: '',
  kv: 'split',
  kvType: 'f16',
  flashAttention: 'auto',
  reproducible: false,
  memoryBytes: 1e8,
  hostFreeBytes: 0,
  hostAvailableBytes: 0,
  contextLength: 0,
  queueLimit: 16,
  adapters: [],
};
const SAMPLE = {
  prompts: [{ tokens: Int32Array.of(1, 2, 3), seeds: [1, 2] }],
  sampler: { temperature: 1, topK: 0, topP: 1, minP: 0 },
  maxTokens: 200,
  stop: ['never'],
  grammar: undefined,
  logitBias: [{ token: 3, bias: -Infinity }],
  adapter: undefined,
  priority: 'interactive',
  reserve: { sequences: 1, tokens: 1 },
  textIntervalMs: 10,
  topLogprobs: 3,
} as const;
const SCORE = {
  sequences: [{ tokens: Int32Array.of(1, 2, 3), positions: Int32Array.of(1) }],
  targets: Int32Array.of(1),
  priority: 'batch',
  next: true,
  topLogprobs: 2,
} as const;
const CLASSIFY = { sequences: [Int32Array.of(1, 2)] };
const COSTS = { decode: 1, rowSplit: 1, rowUnified: 1, cellSplit: 1, cellUnified: 1, copy: 1 };

interface Opened {
  readonly engine: NativeEngine;
  /** Runs a job to its end; all its events. */
  run(submit: (job: number) => number): Promise<RawEvent[]>;
}
const open = (options: Partial<RawOptions>): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const listeners = new Map<number, (event: RawEvent) => void>();
    let jobs = 0;
    loadAddon().load(
      { ...OPTIONS, path: model, ...options },
      (job, event) => listeners.get(job)?.(event),
      (error, engine) => {
        if (!engine) return reject(error);
        const run = (submit: (job: number) => number): Promise<RawEvent[]> =>
          new Promise((done) => {
            const events: RawEvent[] = [];
            engine.setBusy(true);
            listeners.set(++jobs, (event) => {
              events.push(event);
              if (!['sample', 'texts', 'progress'].includes(event.type)) done(events);
            });
            submit(jobs);
          });
        resolve({ engine, run });
      },
    );
  });

const model = modelFile();
let opened: Opened;
beforeAll(async () => {
  opened = await open({ path: modelFile(classifierGguf({ labels: ['no', 'yes'] })) });
});
afterAll(() => new Promise<void>((resolve) => opened.engine.dispose(resolve)));

test('every event and every reply holds what the contract says, and nothing else', async () => {
  const { engine, run } = opened;
  const events = [
    ...(await run((job) => engine.sample(job, SAMPLE))),
    ...(await run((job) => engine.sample(job, { ...SAMPLE, textIntervalMs: undefined, topLogprobs: 0 }))),
    ...(await run((job) => engine.score(job, SCORE))),
    ...(await run((job) => engine.score(job, { ...SCORE, next: false, topLogprobs: undefined }))),
    ...(await run((job) => engine.classify(job, CLASSIFY))),
    ...(await run((job) =>
      engine.sample(job, { ...SAMPLE, prompts: [{ tokens: new Int32Array(100_000), seeds: [1] }] }),
    )),
  ];
  expect([...new Set(events.map(({ type }) => type))].sort()).toEqual(
    contract.event.options.map(({ shape }) => shape.type.value).sort(),
  );
  for (const event of events) expect(contract.event.parse(event)).toEqual(event);
  for (const [name, reply] of [
    ['info', engine.info()],
    ['tokenize', engine.tokenize('text', true, undefined)],
    ['statistics', engine.statistics()],
    ['sample', engine.sample(99, SAMPLE)],
  ] as const) {
    expect(contract.engineCalls[name].reply.parse(reply)).toEqual(reply);
  }
  expect(contract.addonCalls.devices.reply.parse(loadAddon().devices())).not.toEqual([]);
  expect(contract.addonCalls.backends.reply.parse(loadAddon().backends())).toContain('CPU');
});

/** The value with another one in a place of it; undefined takes it out. */
function put(value: unknown, [step, ...rest]: readonly (string | number)[], what: unknown): unknown {
  if (step === undefined) return what;
  if (Array.isArray(value)) return (value as unknown[]).map((each, i) => (i === step ? put(each, rest, what) : each));
  const { [step]: old, ...others } = value as Json;
  const put_ = put(old, rest, what);
  return put_ === undefined ? others : { ...others, [step]: put_ };
}

/** Places of all records inside, and of all fields. */
function placesOf(
  value: unknown,
  place: readonly (string | number)[] = [],
): { readonly records: (string | number)[][]; readonly fields: (string | number)[][] } {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return { records: [], fields: [] };
  const below = Object.entries(value).map(([key, each]) => {
    const here = [...place, Array.isArray(value) ? Number(key) : key];
    const { records, fields } = placesOf(each, here);
    return { records, fields: Array.isArray(value) ? fields : [here, ...fields] };
  });
  return {
    records: [...(Array.isArray(value) ? [] : [[...place]]), ...below.flatMap(({ records }) => records)],
    fields: below.flatMap(({ fields }) => fields),
  };
}

/** A field that is there although it may be absent: JSON Schema's word for it. */
const needed = (json: Json, [step, ...rest]: readonly (string | number)[]): boolean => {
  if (step === undefined) return true;
  if (typeof step === 'number') return needed(json['items'] as Json, rest);
  if (rest.length === 0) return ((json['required'] ?? []) as string[]).includes(step);
  return needed((json['properties'] as Record<string, Json>)[step] ?? {}, rest);
};

describe('a field that is missing, unknown or of another type is refused by name', () => {
  const cases: readonly (readonly [string, unknown, z.ZodType, (value: never) => unknown])[] = [
    ['sample', SAMPLE, contract.sampleRequest, (value) => opened.engine.sample(1, value)],
    ['score', SCORE, contract.scoreRequest, (value) => opened.engine.score(1, value)],
    ['classify', CLASSIFY, contract.classifyRequest, (value) => opened.engine.classify(1, value)],
    ['costs', COSTS, contract.kvCosts, (value) => opened.engine.useCosts(value)],
    [
      'options',
      { ...OPTIONS, path: model, adapters: [{ name: 'a', path: 'b', scale: 1 }] },
      contract.engineOptions,
      (value) =>
        loadAddon().load(
          value,
          () => {},
          () => {},
        ),
    ],
  ];
  const named = (place: readonly (string | number)[]): string =>
    place.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');

  test.each(cases)('%s', (_, valid, schema, call) => {
    const refused = (value: unknown): unknown => {
      try {
        call(value as never);
      } catch (error) {
        return error;
      }
      return 'taken';
    };
    const { records, fields } = placesOf(valid);
    expect(fields.length).toBeGreaterThan(0);
    for (const place of records) {
      const error = { code: 'USAGE', message: `there is no field ${named([...place, 'extra'])}` };
      expect(refused(put(valid, [...place, 'extra'], 1))).toMatchObject(error);
    }
    const json = schemaOf(schema);
    for (const place of fields) {
      const error = { code: 'USAGE', message: expect.stringContaining(`${named(place)} must be`) as unknown };
      // No field is a function.
      expect(refused(put(valid, place, () => 0)), named(place)).toMatchObject(error);
      if (needed(json, place)) expect(refused(put(valid, place, undefined)), named(place)).toMatchObject(error);
    }
    for (const value of [undefined, null, 'x', [], Int32Array.of(1)])
      expect(refused(value)).toMatchObject({ code: 'USAGE' });
  });

  test('and so is a value out of range, or an argument too many', () => {
    const refused = (rest: object) =>
      expect(() => opened.engine.sample(1, { ...SAMPLE, ...rest })).toThrowError(
        expect.objectContaining({ code: 'USAGE' }) as Error,
      );
    for (const topLogprobs of [-1, 21, 1.5, NaN]) refused({ topLogprobs });
    for (const textIntervalMs of [0, 9, 60_001, 10.5]) refused({ textIntervalMs });
    for (const seed of [-1, 2 ** 53, 0.5]) refused({ prompts: [{ tokens: Int32Array.of(1), seeds: [seed] }] });
    for (const bias of [Infinity, NaN]) refused({ logitBias: [{ token: 1, bias }] });
    refused({ priority: 'soon' });
    const [engine, backends] = [
      opened.engine as unknown as Record<'abort' | 'setBusy', (...args: unknown[]) => void>,
      loadAddon().backends as (...args: unknown[]) => void,
    ];
    expect(() => engine.abort(1, 2)).toThrowError('abort takes');
    expect(() => engine.abort('1')).toThrowError('id must be a whole number');
    expect(() => engine.setBusy(1)).toThrowError('busy must be');
    expect(() => backends(1)).toThrowError('backends takes');
  });
});

test('no event comes after the one that ends a job, whether it is aborted or the engine is disposed', async () => {
  const { engine, run } = await open({});
  const long = {
    ...SAMPLE,
    prompts: [{ tokens: Int32Array.of(1, 2, 3), seeds: [...Array(64).keys()] }],
    maxTokens: 450,
  };
  let id = 0;
  const aborted = run((job) => (id = engine.sample(job, long)));
  await sleep(40);
  engine.abort(id);
  const first = await aborted;
  const disposed = run((job) => engine.sample(job, long));
  await sleep(40);
  await new Promise<void>((resolve) => engine.dispose(resolve));
  const second = await disposed;
  const counts = [first.length, second.length];
  await sleep(60);
  expect([first.length, second.length]).toEqual(counts);
  expect([first.at(-1), second.at(-1)]).toMatchObject([
    { type: 'failed', code: 'ABORTED' },
    { type: 'failed', code: 'DISPOSED' },
  ]);
});
