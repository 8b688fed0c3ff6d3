import type { Tensor } from './gguf-writer.mjs';

export interface TinyOptions {
  /** What llama.cpp is to take it for; `llama` when absent. */
  readonly architecture?: string;
  /** Tensors to add or replace. */
  readonly tensors?: Readonly<Record<string, Tensor>>;
  /** Metadata to add or replace; undefined leaves a key out. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Changes the weights. */
  readonly seed?: number;
  /** Names of tensors to leave out. */
  readonly without?: readonly string[];
  /** Bytes of tokens that are to say something else, by id. */
  readonly pieces?: Readonly<Record<number, readonly number[]>>;
  /** Called with each tensor's name and values before they are written. */
  readonly edit?: (name: string, values: Float32Array) => void;
}

export const CHAT_TEMPLATE: string;
/** A GGUF with random weights, the same bytes every time. */
export function tinyGguf(options?: TinyOptions): Buffer;
