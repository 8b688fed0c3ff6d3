export interface ClassifierOptions {
  /** `qwen3` when absent. */
  readonly architecture?: string;
  /** Tokens whose rows of the language head are the classification head's; CLASS_TOKENS when absent. */
  readonly classTokens?: readonly number[];
  readonly labels?: readonly string[];
  /** Metadata to add or replace; undefined leaves a key out. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Called with each tensor's name and values before they are written. */
  readonly edit?: (name: string, values: Float32Array) => void;
}

export const CLASS_TOKENS: readonly number[];
/** A Qwen3 GGUF with random weights and a classification head, the same bytes every time. */
export function classifierGguf(options?: ClassifierOptions): Buffer;
