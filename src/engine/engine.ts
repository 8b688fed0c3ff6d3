/** The engine: our addon on llama.cpp, behind the contract of engine-types.ts. */
import { aborted } from '../abort.js';
import { T1Error, isErrorCode } from '../errors.js';
import { must } from '../must.js';
import { parseEngineSettings, type EngineSettings } from '../settings/engine-settings.js';
import { loadAddon, toT1Error, withOurErrors } from './binding.js';
import { chooseDevice, isGpu } from './devices.js';
import type { Addon, NativeEngine, RawEvent, RawOptions } from './contract.js';
import { renderChat } from './chat-template.js';
import type {
  Adapter,
  ChatMessage,
  ClassifyRequest,
  ClassifyResult,
  DeviceInfo,
  Engine,
  EngineStatistics,
  KvCosts,
  ModelInfo,
  RenderOptions,
  Sample,
  SampleRequest,
  SampleResult,
  ScoreRequest,
  ScoreResult,
  TextPiece,
  TokenizeOptions,
} from './engine-types.js';

/** The settings of `settings/engine-settings.ts`, and what the engine is made from. */
export interface EngineOptions extends EngineSettings {
  /** The GGUF. */
  readonly path: string;
  /**
   * LoRAs for this model; a job names the one it wants, and those of one name are used together. `scale` is 1 when
   * absent.
   */
  readonly adapters?: readonly (Omit<Adapter, 'scale'> & Partial<Adapter>)[] | undefined;
}

/**
 * A guess for processors, where arithmetic soon bounds a decode; a GPU takes all that a context can have.
 */
const EFFICIENT_SEQUENCES = { cpu: 64, gpu: 256 };

/** Takes a job's events, in order. */
interface Job {
  onEvent(event: RawEvent): void;
}

/**
 * Reads vocabulary and metadata; the weights, and those of the adapters, follow with the first job.
 *
 * @throws T1Error FILE_NOT_FOUND, MODEL_INVALID, ADAPTER_INVALID, ADDON_UNAVAILABLE, USAGE
 */
export async function loadEngine(options: EngineOptions): Promise<Engine> {
  const addon = loadAddon();
  const raw = rawOptions(options);
  const jobs = new Map<number, Job>();
  const native = await new Promise<NativeEngine>((resolve, reject) => {
    const onEvent = (job: number, event: RawEvent): void => jobs.get(job)?.onEvent(event);
    // load() throws at once for options it cannot use; inside a promise that rejects.
    addon.load(raw, onEvent, (error, engine) => (engine ? resolve(engine) : reject(error)));
  }).catch((error: unknown) => {
    throw toT1Error(error);
  });
  return new AddonEngine(addon, native, raw, jobs);
}

/**
 * Devices that llama.cpp can use here.
 *
 * @throws T1Error ADDON_UNAVAILABLE; USAGE: T1_CPU_VARIANT names no CPU code that this processor runs
 */
export const listDevices = (): DeviceInfo[] => withOurErrors(() => loadAddon().devices());

/**
 * Backends of llama.cpp that are installed, whether they found a device or not: "CPU", "CUDA", "Metal", "Vulkan".
 * Throws like listDevices.
 */
export const listBackends = (): string[] => withOurErrors(() => loadAddon().backends());

/** What a GGUF says of itself; no weights are loaded. */
export async function inspectModel(path: string): Promise<ModelInfo> {
  await using engine = await loadEngine({ path });
  return engine.model;
}

function rawOptions({ path, adapters = [], ...settings }: EngineOptions): RawOptions {
  const parsed = parseEngineSettings(settings);
  const { threads = 0, gpuLayers = -1, device = '', memoryBytes = 0, contextLength = 0, memoryShare, ...rest } = parsed;
  return {
    ...rest,
    path,
    threads,
    gpuLayers,
    device,
    memoryBytes,
    hostFreeBytes: process.availableMemory() * memoryShare,
    hostAvailableBytes: process.availableMemory(),
    contextLength,
    adapters: adapters.map(({ name, path: file, scale = 1 }) => ({ name, path: file, scale })),
  };
}

/**
 * Rounding aside, samples and scores depend on the build, on what keys and values are kept as, and on where a sequence
 * must end. Of a reproducible engine nothing is left aside: whatever is not about loading or waiting counts.
 */
function identityOf(build: string, own: number, options: RawOptions): Engine['identity'] {
  const contextLength = options.contextLength > 0 ? Math.min(own, options.contextLength) : own;
  const { path: _p, adapters: _a, queueLimit: _q, hostFreeBytes: _f, hostAvailableBytes: _h, ...rest } = options;
  const { kvType, reproducible } = rest;
  return reproducible ? { build, ...rest, contextLength } : { build, kvType, contextLength, reproducible };
}

class AddonEngine implements Engine {
  readonly model: ModelInfo;
  readonly build: string;
  readonly identity: Engine['identity'];
  readonly adapters: readonly Adapter[];
  readonly reproducible: boolean;
  readonly efficientSequences: number;
  readonly #native: NativeEngine;
  readonly #jobs: Map<number, Job>;
  #lastJob = 0;
  #disposal: Promise<void> | undefined;

  constructor(addon: Addon, native: NativeEngine, options: RawOptions, jobs: Map<number, Job>) {
    this.#native = native;
    this.#jobs = jobs;
    const { metadata, chatTemplate, ...info } = native.info();
    this.model = { path: options.path, ...info, chatTemplate, metadata: Object.fromEntries(metadata) };
    this.adapters = options.adapters;
    this.reproducible = options.reproducible;
    const choice = {
      ...(options.device !== '' && { device: options.device }),
      ...(options.gpuLayers >= 0 && { gpuLayers: options.gpuLayers }),
    };
    const { used } = chooseDevice(addon.devices(), addon.backends(), choice);
    this.efficientSequences = isGpu(used.type) ? EFFICIENT_SEQUENCES.gpu : EFFICIENT_SEQUENCES.cpu;
    // Options that change what comes out, other than by rounding.
    const kv = options.kvType === 'f16' ? '' : `; KV ${options.kvType}`;
    this.build = `t1 ${addon.version}/${addon.contract}; ${addon.build(options.gpuLayers, options.device)}${kv}`;
    this.identity = identityOf(this.build, this.model.contextLength, options);
  }

  async tokenize(text: string, { special, addBos }: TokenizeOptions): Promise<Int32Array> {
    return this.#direct(() => this.#native.tokenize(text, special, addBos));
  }

  async render(messages: readonly ChatMessage[], options: RenderOptions): Promise<string> {
    return renderChat(this.model, messages, options);
  }

  async sample(request: SampleRequest): Promise<SampleResult> {
    const {
      prompts,
      sampler,
      maxTokens,
      stop = [],
      grammar,
      logitBias,
      adapter,
      priority,
      ordinal,
      reserve,
      topLogprobs,
      signal,
    } = request;
    const { onText, onSample, onProgress } = request;
    const textIntervalMs = onText && (request.textIntervalMs ?? TEXT_INTERVAL_MS);
    // [prompts][seeds]; places fill in order of completion
    const samples = prompts.map(({ seeds }) => new Array<Sample>(seeds.length));
    const tell = (piece: TextPiece): void => {
      if (piece.text !== '' && !signal?.aborted) onText?.(piece);
    };
    const onEvent = (event: RawEvent): void => {
      if (event.type === 'progress') {
        const { finished, total, generatedTokens } = event;
        onProgress?.({ finished, total, generatedTokens });
      } else if (event.type === 'texts') {
        event.pieces.forEach(tell);
      } else if (event.type === 'sample') {
        const { type: _, rest = '', ...finished } = event;
        const { prompt, index, tokens } = finished;
        const seed = must(prompts[prompt]?.seeds[index], 'the seed of a sample');
        const row = must(samples[prompt], 'the row of a sample');
        tell({ prompt, index, text: rest, tokens: tokens.length });
        const sample: Sample = { ...finished, seed };
        row[index] = sample;
        onSample?.(sample);
      } else {
        throw unexpected('sample', event);
      }
    };
    const raw = {
      prompts,
      sampler,
      maxTokens,
      stop,
      grammar,
      logitBias,
      adapter,
      priority,
      ordinal,
      reserve,
      textIntervalMs,
      topLogprobs,
    };
    const end = await this.#run((job) => this.#native.sample(job, raw), signal, onEvent);
    if (end.type !== 'sampled') throw unexpected('sample', end);
    return { samples: samples.flat(), usage: end.usage, firstTokenDecodes: end.firstTokenDecodes };
  }

  async score({
    sequences,
    targets,
    adapter,
    priority,
    ordinal,
    next,
    topLogprobs,
    signal,
  }: ScoreRequest): Promise<ScoreResult> {
    const raw = { sequences, targets, adapter, priority, ordinal, next, topLogprobs };
    const end = await this.#run((job) => this.#native.score(job, raw), signal);
    if (end.type !== 'scored') throw unexpected('score', end);
    const { type: _, ...result } = end;
    return result;
  }

  statistics(): EngineStatistics {
    return this.#direct(() => this.#native.statistics());
  }

  useCosts(costs: KvCosts): void {
    this.#direct(() => this.#native.useCosts(costs));
  }

  async classify({ sequences, adapter, priority, ordinal, signal }: ClassifyRequest): Promise<ClassifyResult> {
    const end = await this.#run((job) => this.#native.classify(job, { sequences, adapter, priority, ordinal }), signal);
    if (end.type !== 'classified') throw unexpected('classify', end);
    const { type: _, ...result } = end;
    return result;
  }

  dispose(): Promise<void> {
    this.#disposal ??= new Promise<void>((resolve) => this.#native.dispose(resolve));
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Without a job. */
  #direct<Result>(call: () => Result): Result {
    return withOurErrors(call);
  }

  /**
   * One job from submission to its last event. A throwing callback ends the job with that error.
   *
   * @param submit gives the job, by this number, to the engine; returns the id that aborts it
   */
  async #run(
    submit: (job: number) => number,
    signal: AbortSignal | undefined,
    onEvent: (event: RawEvent) => void = (event) => {
      throw unexpected('score or classify', event);
    },
  ): Promise<RawEvent> {
    // Taken here: the events come from a thread that knows no JS stack.
    const failure = new T1Error('INTERNAL', 'unknown failure');
    if (signal?.aborted) throw aborted(signal);
    const job = ++this.#lastJob;
    let id: number | undefined;
    const abort = (): void => {
      if (id !== undefined) this.#native.abort(id);
    };
    try {
      return await new Promise<RawEvent>((resolve, reject) => {
        let thrown: { readonly error: unknown } | undefined;
        this.#jobs.set(job, {
          onEvent: (event) => {
            if (event.type === 'sampled' || event.type === 'scored' || event.type === 'classified')
              return thrown ? reject(thrown.error) : resolve(event);
            if (event.type === 'failed') return reject(thrown ? thrown.error : toFailure(event, failure, signal));
            if (thrown) return;
            try {
              onEvent(event);
            } catch (error) {
              thrown = { error };
              abort();
            }
          },
        });
        this.#native.setBusy(true);
        id = submit(job);
        signal?.addEventListener('abort', abort, { once: true });
      });
    } catch (error) {
      throw error instanceof T1Error || !hasCode(error) ? error : toT1Error(error);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#jobs.delete(job);
      if (this.#jobs.size === 0) this.#native.setBusy(false);
    }
  }
}

/** Least time between two calls of `onText` for one sample, where the request does not say. */
const TEXT_INTERVAL_MS = 50;

const unexpected = (job: string, event: RawEvent): T1Error =>
  new T1Error('INTERNAL', `a ${job} job told '${event.type}'`);

const hasCode = (error: unknown): boolean =>
  error instanceof Error && isErrorCode((error as Error & { code?: unknown }).code);

function toFailure(event: RawEvent & { type: 'failed' }, at: T1Error, signal: AbortSignal | undefined): T1Error {
  const code = isErrorCode(event.code) ? event.code : 'INTERNAL';
  if (code === 'ABORTED') return aborted(signal);
  const error = new T1Error(code, event.message);
  if (at.stack) error.stack = at.stack.replace(/^.*$/m, `T1Error: ${event.message}`);
  return error;
}
