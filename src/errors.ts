/**
 * Every error a user can meet, with the exit code of the command line.
 *
 * Codes are stable: scripts match on them. A message is one line that says what is wrong, where, and
 * how to mend it. It names settings by their path, never by a flag, and no command: `told` lets the command line say
 * its own (`named` and `remedy` in message.ts leave places for them).
 */
import { Message, message, named, type NameOf, type RemedyOf } from './message.js';

/** Exit codes of `t1`: 2 wrong usage or input, 3 abstained, 130 interrupted, 1 anything else. */
const EXIT_CODE = {
  /** A flag, argument or configuration value is out of range or unknown. */
  USAGE: 2,
  /** The problem or an input file cannot be used (empty, too long, not UTF-8, not JSONL, …). */
  INPUT: 2,
  /** A file that the user named does not exist or cannot be read. */
  FILE_NOT_FOUND: 2,
  /** The file is not a GGUF, is truncated, or holds a model that llama.cpp refuses. */
  MODEL_INVALID: 2,
  /** The file is not a LoRA GGUF, or was made for another model than the one it is to be used with. */
  ADAPTER_INVALID: 2,
  /** `hf:` URI that could not be resolved or downloaded. */
  MODEL_DOWNLOAD: 1,
  /** Prompt plus new tokens do not fit into the model's context. */
  PROMPT_TOO_LONG: 2,
  /** The addon is missing, was built for another version, or its llama.cpp libraries are not there. */
  ADDON_UNAVAILABLE: 1,
  /** Memory for weights or KV cache could not be had. */
  OUT_OF_MEMORY: 1,
  /** llama_decode failed, or its logits hold no usable number. */
  DECODE_FAILED: 1,
  /** The engine has as many jobs as it may; try again when some have ended. */
  QUEUE_FULL: 1,
  /** The engine was disposed while, or before, a job ran. */
  DISPOSED: 1,
  /** The caller's AbortSignal fired. */
  ABORTED: 130,
  /** The sandbox cannot start or its self-test found an escape; nothing was run. */
  SANDBOX_UNAVAILABLE: 1,
  /** The database cannot be opened or written, or is not ours. */
  STORE_UNAVAILABLE: 1,
  /** The database file is damaged. */
  STORE_CORRUPT: 1,
  /** There is no index of passages by that name or at that path. */
  INDEX_NOT_FOUND: 2,
  /** An index cannot be opened or written, is of another version, or is not ours. */
  INDEX_UNAVAILABLE: 1,
  /** The file of an index is damaged. */
  INDEX_CORRUPT: 1,
  /** The data of a benchmark cannot be fetched, or is not what was pinned. */
  DATA_UNAVAILABLE: 1,
  /** The folder of a run holds one of another configuration. */
  RUN_MISMATCH: 2,
  /** The file of a run is damaged, or a record in it. */
  RUN_CORRUPT: 1,
  /** The model behind an API that was to write training data cannot be reached, or refuses. */
  TEACHER_FAILED: 1,
  /** No room left on the disk. */
  DISK_FULL: 1,
  /** A fault of T1 itself. */
  INTERNAL: 1,
} as const;

export type ErrorCode = keyof typeof EXIT_CODE;

/** The one error class of this package; `code` is stable, `message` is for people. */
export class T1Error extends Error {
  override readonly name = 'T1Error';
  readonly code: ErrorCode;
  /** Path of the setting that is wrong, as `confidence` or `sandbox.backend`; absent where it is none. */
  readonly setting: string | undefined;
  /** With the names of settings still open. */
  readonly #text: Message;

  /** @param text what is wrong, where, how to mend it; `setting` is put before it */
  constructor(code: ErrorCode, text: string | Message, options?: { cause?: unknown; setting?: string | undefined }) {
    const setting = options?.setting;
    const whole = setting === undefined ? Message.of([text]) : message`${named(setting)}: ${text}`;
    super(String(whole), options);
    this.code = code;
    this.setting = setting;
    this.#text = whole;
  }

  get exitCode(): number {
    return EXIT_CODE[this.code];
  }

  /** The message in pieces, for another one that quotes it. */
  get text(): Message {
    return this.#text;
  }

  /**
   * @param nameOf how the reader calls a setting, by its path: the command line by its flag
   * @param remedyOf what the reader has for what can be done: the command line its commands
   */
  told(nameOf: NameOf, remedyOf?: RemedyOf): string {
    return this.#text.told(nameOf, remedyOf);
  }
}

/** True for codes that exist; the addon's errors pass through this before they become a T1Error. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(EXIT_CODE, code);
}
