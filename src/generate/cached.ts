/** Sampling through the store: what is there is not decoded again, what is new is kept as it finishes. */
import type { Engine, SampleRequest, SamplerOptions } from '../engine/engine-types.js';
import { adapterKey, type RunAdapter } from '../model/run-adapter.js';
import type { StageContext } from '../stage-context.js';
import { contentKey } from '../store/key.js';
import type { StoredSample } from '../store/store.js';
import type { StageName } from '../types.js';

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
export type SampleSource = Pick<StageContext, 'engine' | 'modelHash' | 'store' | 'usage' | 'signal' | 'emit'>;

export interface CachedPrompt {
  readonly tokens: Int32Array;
  /** [n] one sample per seed; its position is the sample index. */
  readonly seeds: readonly number[];
}

/**
 * @param onSample called once per sample, cached ones first, then in order of completion
 * @returns [prompts][seeds] samples
 */
export async function sampleCached(
  run: SampleSource,
  stage: StageName,
  prompts: readonly CachedPrompt[],
  settings: SampleSettings,
  onSample: (prompt: number, sample: StoredSample) => void = () => {},
): Promise<StoredSample[][]> {
  const keys = prompts.map(({ tokens, seeds }) =>
    seeds.map((seed, index) => generationKey(run, tokens, settings, seed, index)),
  );
  const found: (StoredSample | undefined)[][] = keys.map((row) => row.map((key) => run.store.generation(key)));
  for (const [prompt, row] of found.entries()) {
    for (const sample of row) if (sample) onSample(prompt, sample);
  }

  const complete = found.every((row) => row.every((sample) => sample !== undefined));
  // A reproducible engine repeats the whole job: a part of it would be computed among other rows, and could come out otherwise.
  const repeat = run.engine.reproducible && !complete;
  const missing = prompts.flatMap(({ tokens, seeds }, prompt) => {
    const indices = seeds.map((_, index) => index).filter((index) => repeat || !found[prompt]?.[index]);
    return indices.length > 0 ? [{ prompt, tokens, indices, seeds: indices.map((index) => seeds[index] ?? 0) }] : [];
  });
  if (missing.length > 0) {
    await decodeMissing(run, stage, missing, settings, (prompt, sample) => {
      if (found[prompt]?.[sample.index]) return;
      const key = keys[prompt]?.[sample.index];
      if (key) run.store.saveGeneration(key, run.modelHash, sample);
      const row = found[prompt];
      if (row) row[sample.index] = sample;
      onSample(prompt, sample);
    });
  }
  return found.map((row) => row.filter((sample) => sample !== undefined));
}

interface MissingPrompt extends CachedPrompt {
  readonly prompt: number;
  readonly indices: readonly number[];
}

async function decodeMissing(
  run: SampleSource,
  stage: StageName,
  missing: readonly MissingPrompt[],
  settings: SampleSettings,
  keep: (prompt: number, sample: StoredSample) => void,
): Promise<void> {
  // A sample that cannot be kept (full disk) ends the job: decoding on would be work thrown away.
  const failure = new AbortController();
  const total = missing.reduce((sum, { seeds }) => sum + seeds.length, 0);
  run.emit({ type: 'progress', stage, finished: 0, total, generatedTokens: 0 });
  const result = await run.engine
    .sample({
      prompts: missing,
      ...settings,
      adapter: settings.adapter?.name,
      signal: AbortSignal.any([run.signal, failure.signal]),
      onSample: (sample) => {
        const origin = missing[sample.prompt];
        if (!origin || failure.signal.aborted) return;
        try {
          keep(origin.prompt, { ...sample, index: origin.indices[sample.index] ?? sample.index });
        } catch (error) {
          failure.abort(error);
        }
      },
      onProgress: (progress) => run.emit({ type: 'progress', stage, ...progress }),
    })
    .catch((error: unknown) => {
      throw failure.signal.aborted ? failure.signal.reason : error;
    });
  if (failure.signal.aborted) throw failure.signal.reason;
  run.usage.add(result.usage);
  run.emit({ type: 'progress', stage, finished: total, total, generatedTokens: result.usage.generatedTokens });
}

/**
 * What a job must hold so that it gives what it gave, or would have given, at once: a reproducible engine repeats the whole,
 * since a part of it would be computed among other rows, and could come out otherwise.
 */
export const jobOf = <Item>(
  engine: Pick<Engine, 'reproducible'>,
  all: readonly Item[],
  missing: readonly Item[],
): readonly Item[] => (engine.reproducible && missing.length > 0 ? all : missing);

/** Everything a sample depends on. */
function generationKey(
  run: SampleSource,
  tokens: Int32Array,
  settings: SampleSettings,
  seed: number,
  index: number,
): Buffer {
  const { temperature, topK, topP, minP } = settings.sampler;
  const sampler = [
    temperature,
    topK,
    topP,
    minP,
    settings.maxTokens,
    ...(settings.grammar === undefined ? [] : [settings.grammar]),
    ...(settings.stop ? [settings.stop] : []),
  ];
  return contentKey(
    'generation',
    run.engine.build,
    run.modelHash,
    adapterKey(settings.adapter),
    tokens,
    sampler,
    seed,
    index,
  );
}
