/**
 * The only file that knows the addon: its shape, where it lies, and whether it is the one this code was written for.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { T1Error, isErrorCode } from '../errors.js';
import { packageRoot } from '../paths.js';
import type { Adapter, DeviceInfo, EngineStatistics, FinishReason, KvCosts, KvLayout, ModelInfo, Usage } from './engine-types.js';

/** T1_CONTRACT of CMakeLists.txt; raise both together. */
const CONTRACT = 7;

export interface RawOptions {
  readonly path: string;
  readonly threads: number;
  readonly batch: number;
  readonly ubatch: number;
  readonly gpuLayers: number;
  readonly device: string;
  readonly kv: KvLayout | 'auto';
  readonly kvType: 'f16' | 'q8_0' | 'f32';
  readonly flashAttention: 'auto' | 'on' | 'off';
  readonly reproducible: boolean;
  readonly memoryBytes: number;
  readonly hostFreeBytes: number;
  readonly hostAvailableBytes: number;
  readonly contextLength: number;
  readonly queueLimit: number;
  readonly adapters: readonly Adapter[];
}

/** What a job sends, in order; the last four end it. */
export type RawEvent =
  | {
      readonly type: 'sample';
      readonly prompt: number;
      readonly index: number;
      readonly text: string;
      readonly tokens: Int32Array;
      readonly logprobs: Float32Array;
      readonly finish: FinishReason;
    }
  | { readonly type: 'progress'; readonly finished: number; readonly total: number; readonly generatedTokens: number }
  | { readonly type: 'sampled'; readonly usage: Usage; readonly firstTokenDecodes: number }
  | { readonly type: 'scored'; readonly usage: Usage; readonly logprobs: readonly Float32Array[] }
  | { readonly type: 'classified'; readonly usage: Usage; readonly scores: readonly Float32Array[]; readonly labels: readonly string[] }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

export interface RawModelInfo extends Omit<ModelInfo, 'path' | 'metadata'> {
  readonly metadata: readonly (readonly [string, string])[];
}

/** `job` numbers are chosen by the caller; `sample`, `score` and `classify` return the id that `abort` takes. */
export interface NativeEngine {
  info(): RawModelInfo;
  tokenize(text: string, special: boolean, addBos: boolean | undefined): Int32Array;
  sample(job: number, request: object): number;
  score(job: number, request: object): number;
  classify(job: number, request: object): number;
  abort(id: number): void;
  statistics(): EngineStatistics;
  useCosts(costs: KvCosts): void;
  setBusy(busy: boolean): void;
  dispose(done: () => void): void;
}

export interface Addon {
  readonly version: string;
  readonly contract: number;
  load(
    options: RawOptions,
    onEvent: (job: number, event: RawEvent) => void,
    done: (error: unknown, engine?: NativeEngine) => void,
  ): void;
  devices(): DeviceInfo[];
  backends(): string[];
  build(gpuLayers: number, device: string): string;
}

let loaded: Addon | undefined;

/** @throws T1Error ADDON_UNAVAILABLE */
export function loadAddon(): Addon {
  return (loaded ??= openAddon(join(packageRoot, 'build', 'Release', 't1_engine.node')));
}

/** @param path the .node file */
export function openAddon(path: string): Addon {
  const require = createRequire(import.meta.url);
  const { version } = require(join(packageRoot, 'package.json')) as { version: string };
  let addon: Addon;
  try {
    addon = require(path) as Addon;
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new T1Error('ADDON_UNAVAILABLE', `the engine is not built or cannot be loaded (${why}): run npm run build:native`, { cause });
  }
  if (addon.version !== version || addon.contract !== CONTRACT) {
    const found = `${addon.version}/${addon.contract}`;
    throw new T1Error('ADDON_UNAVAILABLE', `the engine was built as ${found}, this is ${version}/${CONTRACT}: run npm run build:native`);
  }
  return addon;
}

/** An error of the addon as ours, with the stack of the caller. */
export function toT1Error(error: unknown): T1Error {
  if (error instanceof T1Error) return error;
  const { code, message } = error instanceof Error ? (error as Error & { code?: unknown }) : { code: undefined, message: String(error) };
  return new T1Error(isErrorCode(code) ? code : 'INTERNAL', message, { cause: error });
}

/** A call of the addon that throws T1Error alone. */
export function withOurErrors<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw toT1Error(error);
  }
}
