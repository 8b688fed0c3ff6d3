/** Sampling that is remembered: what is there is not decoded again, what is new is kept as it finishes. */
import { z } from 'zod';
import type { SamplePrompt, SampleRequest, SamplerOptions } from '../engine/engine-types.js';
import { modelHandle, wholeJobs, type ModelHandle } from '../model/model-handle.js';
import type { RunAdapter } from '../model/run-adapter.js';
import { must } from '../must.js';
import type { StageContext } from '../stage-context.js';
import { remember, type Computation } from '../store/remember.js';
import type { StageName, StoredSample } from '../types.js';

export interface SampleSettings {
  readonly sampler: SamplerOptions;
  readonly maxTokens: number;
  readonly adapter?: RunAdapter | undefined;
  readonly grammar?: string | undefined;
  /** Text that ends a sample. */
  readonly stop?: readonly string[];
  readonly reserve?: NonNullable<SampleRequest['reserve']>;
}

/** The run, or the run with another engine: that of the reward. */
export type SampleSource = Pick<StageContext, 'engine' | 'modelHash' | 'memory' | 'usage' | 'signal' | 'emit'>;

export interface CachedPrompt {
  readonly tokens: Int32Array;
  /** [n] one sample per seed; its position is the sample index. */
  readonly seeds: readonly number[];
}

interface Item {
  readonly tokens: Int32Array;
  readonly seed: number;
}

/** Whoever watches, and hints to the engine: they change no sample. */
interface Runtime extends Pick<SampleSource, 'usage' | 'emit'> {
  readonly stage: StageName;
  readonly reserve: SampleSettings['reserve'] | undefined;
}

type Shared = Pick<SampleSettings, 'sampler' | 'maxTokens' | 'grammar' | 'stop'>;
type Drawn = Omit<StoredSample, 'seed' | 'index'>;

const sampling: Computation<{ readonly model: ModelHandle }, Shared, Item, Drawn, Runtime> = {
  stage: 'sample',
  version: 1,
  value: z.strictObject({
    text: z.string(),
    tokens: z.instanceof(Int32Array),
    logprobs: z.instanceof(Float32Array),
    finish: z.enum(['eog', 'stop', 'length']),
  }),
  together: wholeJobs,
  async compute({ handles: { model }, shared, items, runtime: { stage, reserve, usage, emit }, signal, done }) {
    const { prompts, places } = byPrompt(items);
    const total = items.length;
    emit({ type: 'progress', stage, finished: 0, total, generatedTokens: 0 });
    const result = await model.engine.sample({
      prompts,
      ...shared,
      ...(reserve && { reserve }),
      adapter: model.adapter,
      signal,
      onSample: ({ prompt, index, text, tokens, logprobs, finish }) =>
        done(must(places[prompt]?.[index], 'the place of a sample'), { text, tokens, logprobs, finish }),
      onProgress: (progress) => emit({ type: 'progress', stage, ...progress }),
    });
    usage.add(result.usage);
    emit({ type: 'progress', stage, finished: total, total, generatedTokens: result.usage.generatedTokens });
  },
};

/** Samples of one prompt follow one another, and share its tokens. */
function byPrompt(items: readonly Item[]) {
  const prompts: (SamplePrompt & { readonly seeds: number[] })[] = [];
  const places: number[][] = []; // [prompts][seeds] indices into `items`
  for (const [place, { tokens, seed }] of items.entries()) {
    if (prompts.at(-1)?.tokens !== tokens) {
      prompts.push({ tokens, seeds: [] });
      places.push([]);
    }
    prompts.at(-1)?.seeds.push(seed);
    places.at(-1)?.push(place);
  }
  return { prompts, places };
}

/**
 * @param onSample called once per sample, those that are known first, then in order of completion
 * @returns [prompts][seeds] samples
 * @throws T1Error what engine and store raise
 */
export async function sampleCached(
  run: SampleSource,
  stage: StageName,
  prompts: readonly CachedPrompt[],
  settings: SampleSettings,
  onSample: (prompt: number, sample: StoredSample) => void = () => {},
): Promise<StoredSample[][]> {
  const { adapter, reserve, ...shared } = settings;
  const items = prompts.flatMap(({ tokens, seeds }, prompt) =>
    seeds.map((seed, index) => ({ tokens, seed, prompt, index })),
  );
  const samples: StoredSample[][] = prompts.map(() => []); // rows fill in order of completion
  await remember(
    run.memory,
    sampling,
    {
      handles: { model: modelHandle(run, adapter) },
      shared,
      items: items.map(({ tokens, seed }) => ({ tokens, seed })),
      runtime: { stage, reserve, usage: run.usage, emit: run.emit },
      signal: run.signal,
    },
    (item, drawn) => {
      const { prompt, index, seed } = must(items[item], 'an item');
      const sample = { ...drawn, seed, index };
      must(samples[prompt], 'a row of samples')[index] = sample;
      onSample(prompt, sample);
    },
  );
  return samples;
}
