/**
 * What the rest of T1 knows of an engine. The real one is `engine.ts` (our addon on llama.cpp), the one
 * for tests is `fake.ts`; stages import only this file.
 */

/** Sampling distribution of every row of a job, in llama.cpp's order: top-k, top-p, min-p, temperature. */
export interface SamplerOptions {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 keeps the whole vocabulary. */
  readonly topK: number;
  /** 1 switches it off. */
  readonly topP: number;
  /** 0 switches it off. */
  readonly minP: number;
}

/**
 * - `eog`: the model emitted an end-of-generation token (not part of `tokens`)
 * - `stop`: a stop string appeared (cut from `text`; `tokens` hold everything sampled)
 * - `length`: `maxTokens` or the end of the context was reached
 */
export type FinishReason = 'eog' | 'stop' | 'length';

/** One prompt and the seeds of its samples: one sample per seed. */
export interface SamplePrompt {
  readonly tokens: Int32Array;
  readonly seeds: readonly number[];
}

/** A LoRA that was loaded with the model; a job names at most one, and those of one name are used together. */
export interface Adapter {
  /** What jobs call it. */
  readonly name: string;
  /** The GGUF. */
  readonly path: string;
  /** Factor on what it adds to the weights; 0 leaves the base model. */
  readonly scale: number;
}

/**
 * - `interactive`: its rows go into every decode first, and it takes places from batch jobs if none is left; its first
 *   token comes within two decodes where its prompt fits into one (`ubatch`) and its length into the present context
 * - `batch`: by `ordinal`, those of one ordinal first come, first answered
 */
export type Priority = 'interactive' | 'batch';

/**
 * Whole number of 0 or more, at most 2^53 - 1; 0 when absent, so a job without one is served with those of the first
 * problem. Among jobs of one priority, what waits for a place gets it in ascending order of ordinals, whenever it came,
 * and prompts are read in that order: earlier problems are finished first. Sequences that run keep their places.
 */
export type Ordinal = number;

export interface SampleRequest {
  /** Prefixes that prompts share, with each other or with what the engine has read before, are not read again. */
  readonly prompts: readonly SamplePrompt[];
  readonly sampler: SamplerOptions;
  /** Most new tokens of each sample. */
  readonly maxTokens: number;
  readonly stop?: readonly string[];
  /**
   * GBNF whose rule `root` every sample must follow (llama.cpp, grammars/README.md). A sample ends where the grammar
   * may end and the model ends it; `logprobs` stay those of the raw distribution.
   */
  readonly grammar?: string | undefined;
  /** Added to the logits of these tokens before anything else; -Infinity bans one. */
  readonly logitBias?: readonly { readonly token: number; readonly bias: number }[] | undefined;
  /** Name of one of `Engine.adapters`; the base model when absent. */
  readonly adapter?: string | undefined;
  /** `batch` when absent. */
  readonly priority?: Priority;
  /** Number of the problem that this is for, see {@link Ordinal}. */
  readonly ordinal?: Ordinal;
  /**
   * What later jobs that continue these samples will need: sequences, and tokens of the longest. A hint: the context is
   * then made for them at once, instead of being replaced, and the cache with it, when they come.
   */
  readonly reserve?: { readonly sequences: number; readonly tokens: number };
  /** 0 to 20, none when absent: so many of the most likely tokens are told at each place of a sample (`Sample.top`). */
  readonly topLogprobs?: number | undefined;
  readonly signal?: AbortSignal;
  /**
   * Called as samples go on, with the text that is sure by then: whole characters, and nothing that a stop string,
   * which may be beginning there, would take back. The pieces of a sample, put together, are its `text`; the last one
   * comes just before `onSample`. None comes once `signal` has fired.
   */
  readonly onText?: (piece: TextPiece) => void;
  /** Least time between two of a sample's pieces, but for the last; 10 to 60,000 milliseconds, 50 when absent. */
  readonly textIntervalMs?: number | undefined;
  /** Called once per sample, as soon as it is finished, in order of completion. */
  readonly onSample?: (sample: Sample) => void;
  /** Called about ten times a second at most. */
  readonly onProgress?: (progress: SampleProgress) => void;
}

export interface SampleProgress {
  readonly finished: number;
  readonly total: number;
  readonly generatedTokens: number;
}

/** What a sample has gone on by. */
export interface TextPiece {
  /** Index into `SampleRequest.prompts`. */
  readonly prompt: number;
  /** Index into that prompt's `seeds`. */
  readonly index: number;
  /** Not empty. */
  readonly text: string;
  /** Sampled so far, those included whose text is held back yet. */
  readonly tokens: number;
}

/** The most likely tokens at each of n places, best first. */
export interface TopLogprobs {
  /** Of each place: what was asked for, at most the vocabulary. */
  readonly k: number;
  /** [n × k] ids, row-major. */
  readonly tokens: Int32Array;
  /**
   * [n × k] natural log of their probabilities under the raw distribution (temperature 1, no bias, no grammar, nothing
   * cut).
   */
  readonly logprobs: Float32Array;
}

/** One finished sequence. */
export interface Sample {
  /** Index into `SampleRequest.prompts`. */
  readonly prompt: number;
  /** Index into that prompt's `seeds`. */
  readonly index: number;
  readonly seed: number;
  readonly text: string;
  /** [n] sampled ids, without the end-of-generation token. */
  readonly tokens: Int32Array;
  /** [n] natural log of each token's probability under the raw distribution (temperature 1, nothing cut). */
  readonly logprobs: Float32Array;
  /** At each of the n places, also under a grammar; with `topLogprobs` of 1 or more. */
  readonly top?: TopLogprobs;
  readonly finish: FinishReason;
}

/** Tokens that went through the model. */
export interface Usage {
  /** Prompt tokens evaluated. */
  readonly promptTokens: number;
  /** Prompt tokens that were not, because the KV cache held them: read before, or shared with another sequence. */
  readonly sharedTokens: number;
  /** Tokens sampled, end-of-generation tokens included. */
  readonly generatedTokens: number;
  /** All rows of all decodes: prompt and generated tokens that were evaluated. */
  readonly decodedTokens: number;
}

export interface SampleResult {
  /** In the order of prompts and seeds, not of completion. */
  readonly samples: readonly Sample[];
  readonly usage: Usage;
  /** Decodes of the engine that began between the job's arrival and its first token; 0 if it decoded nothing. */
  readonly firstTokenDecodes: number;
}

export interface ScoreSequence {
  readonly tokens: Int32Array;
  /** Indices into `tokens`; at index i the distribution of token i + 1 is read. */
  readonly positions: Int32Array;
}

export interface ScoreRequest {
  readonly sequences: readonly ScoreSequence[];
  /** [t] token ids whose log-probabilities are wanted at every position; may be empty. */
  readonly targets: Int32Array;
  /**
   * Wanted too: at every position the log-probability of the sequence's own next token. No position may be the last of
   * its sequence then.
   */
  readonly next?: boolean | undefined;
  /** 0 to 20, none when absent: wanted too, at every position, so many of the most likely tokens. */
  readonly topLogprobs?: number | undefined;
  /** Name of one of `Engine.adapters`; the base model when absent. */
  readonly adapter?: string | undefined;
  /** `batch` when absent. */
  readonly priority?: Priority;
  /** Number of the problem that this is for, see {@link Ordinal}. */
  readonly ordinal?: Ordinal;
  readonly signal?: AbortSignal;
}

export interface ScoreResult {
  /** Per sequence [positions × targets], row-major; natural log under the raw distribution. */
  readonly logprobs: readonly Float32Array[];
  /** Per sequence [positions] of the token that comes next; with `next`. */
  readonly next?: readonly Float32Array[];
  /** Per sequence, n: its positions; with `topLogprobs` of 1 or more. */
  readonly top?: readonly TopLogprobs[];
  readonly usage: Usage;
}

export interface ClassifyRequest {
  /** [n] token ids each, at least one; the head is read after the last. */
  readonly sequences: readonly Int32Array[];
  /** Name of one of `Engine.adapters`; the base model when absent. */
  readonly adapter?: string | undefined;
  /** `batch` when absent. */
  readonly priority?: Priority;
  /** Number of the problem that this is for, see {@link Ordinal}. */
  readonly ordinal?: Ordinal;
  readonly signal?: AbortSignal;
}

export interface ClassifyResult {
  /**
   * Per sequence [classes] natural log of the class's probability: what the head says, shifted by what makes the
   * probabilities add up to one. So exp(score) is the probability as it is, and needs no further softmax or sigmoid;
   * the difference of two scores is that of the head's raw outputs (the log-odds).
   */
  readonly scores: readonly Float32Array[];
  /** [classes] what the model calls them, `''` where it does not. */
  readonly labels: readonly string[];
  readonly usage: Usage;
}

/** A head in the file that says classes, or a value, instead of tokens. */
export interface ClassificationHead {
  /** What the file calls its tensors. */
  readonly tensors: readonly string[];
  /** [classes] what the file calls them, `''` where it does not. */
  readonly labels: readonly string[];
  /** Why it cannot be read; absent when it can. */
  readonly problem?: string;
}

/** What the GGUF says of itself. */
export interface ModelInfo {
  readonly path: string;
  /** `general.name`, or the file's name. */
  readonly name: string;
  readonly architecture: string;
  /** llama.cpp's own line, for example "llama 1B Q4_0". */
  readonly description: string;
  readonly parameters: number;
  readonly sizeBytes: number;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly layers: number;
  /** Classification or value head, absent when the file has none. */
  readonly head?: ClassificationHead;
  /** Jinja source, absent when the GGUF has none. */
  readonly chatTemplate: string | undefined;
  readonly bosToken: string;
  readonly eosToken: string;
  /** All scalar metadata of the GGUF, as text; arrays are left out. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A device that llama.cpp found. */
export interface DeviceInfo {
  readonly name: string;
  readonly description: string;
  readonly type: 'cpu' | 'gpu' | 'igpu' | 'accelerator';
  /** ggml backend the device belongs to: "CPU", "CUDA", "Metal", "Vulkan". */
  readonly backend: string;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
}

/**
 * - `split`: one KV buffer for each sequence; a prefix that sequences share is copied
 * - `unified`: one for all; a shared prefix is there once, but every row is computed against all cells
 */
export type KvLayout = 'split' | 'unified';

/** What decoding was measured to cost in each layout; seconds. */
export interface KvCosts {
  /** Of a decode, whatever is in it. */
  readonly decode: number;
  /** Of a row, the cells it attends to left aside. */
  readonly rowSplit: number;
  readonly rowUnified: number;
  /** Of a row, for each cell of its own sequence. */
  readonly cellSplit: number;
  /** Of a row, for each cell of the whole buffer. */
  readonly cellUnified: number;
  /** Of a cell that is copied into another sequence. */
  readonly copy: number;
}

/** Counts since the engine was loaded. */
export interface EngineStatistics {
  readonly decodes: number;
  /** Tokens of all decodes. */
  readonly rows: number;
  /** Sequences with tokens in a decode, summed over decodes. */
  readonly sequences: number;
  /** Sequences that could have been in one: those that were unfinished, at most as many as a context can have (256). */
  readonly possibleSequences: number;
  /** Contexts that were made. */
  readonly contexts: number;
  readonly adapterChanges: number;
  /** Layout of the present context; absent before the first job. */
  readonly kv?: KvLayout;
  /** KV cache of the largest context yet, as planned; bytes. */
  readonly kvBytes: number;
  /** Whether this engine has measured `costs` itself. */
  readonly calibrated: boolean;
  /** Absent as long as nobody has measured them. */
  readonly costs?: KvCosts;
}

/** How text becomes ids. */
export interface TokenizeOptions {
  readonly special: boolean;
  /** Whether the ids begin with the beginning-of-sequence token; as the model wants it when absent. */
  readonly addBos?: boolean;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface RenderOptions {
  /** End with the beginning of an assistant's turn. */
  readonly addGenerationPrompt: boolean;
  /** Further variables of the template, for example `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Whatever asks the model is asynchronous: templates can be rendered in a worker, and an engine can be elsewhere. */
export interface Engine {
  readonly model: ModelInfo;
  /** Names addon version, llama.cpp release and device; for people and records. */
  readonly build: string;
  /**
   * Everything that results depend on, but for the model and its adapters, as plain data: part of the key of whatever
   * this engine computed. Two engines with the same identity and model may stand for one another.
   */
  readonly identity: Readonly<Record<string, string | number | boolean | null>>;
  readonly adapters: readonly Adapter[];
  /** Whether equal jobs give equal tokens whatever else the engine is asked for. */
  readonly reproducible: boolean;
  /** Sequences beyond which a decode of more gains little: on a processor fewer than on a GPU. */
  readonly efficientSequences: number;
  /** Text to ids. `special`: read control tokens such as <|im_end|> as such (template output: yes, user text: no). */
  tokenize(text: string, options: TokenizeOptions): Promise<Int32Array>;
  /**
   * Messages through the model's own chat template: text whose control tokens are to be read as such (`tokenize` with
   * `special: true`), which begins with the model's beginning-of-sequence token where the template writes one.
   *
   * @throws T1Error MODEL_INVALID when the model has no template or it refuses the messages
   */
  render(messages: readonly ChatMessage[], options: RenderOptions): Promise<string>;
  sample(request: SampleRequest): Promise<SampleResult>;
  score(request: ScoreRequest): Promise<ScoreResult>;
  /** Throws T1Error DISPOSED. */
  statistics(): EngineStatistics;
  /**
   * Costs that an engine of the same model, device and build has measured: with `kv: 'auto'` this one then measures
   * nothing.
   */
  useCosts(costs: KvCosts): void;
  /**
   * Reads whole sequences with the model's classification head (llama.cpp's rank pooling; tensor `cls.output.weight`).
   * Prefixes are shared as with every job. Heads of llama.cpp's decoder models, which is Qwen3 (Qwen3-Reranker, …).
   *
   * @throws T1Error USAGE when the model has no such head, MODEL_INVALID when it has one that cannot be used
   */
  classify(request: ClassifyRequest): Promise<ClassifyResult>;
  /** Ends running jobs with DISPOSED and frees everything; safe to call twice and while decoding. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
