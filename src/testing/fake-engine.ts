/**
 * An engine without a model, for tests: answers come from a function, tokens are bytes but for the words Yes and No.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { renderChat } from '../engine/chat-template.js';
import { aborted } from '../abort.js';
import { T1Error } from '../errors.js';
import type {
  Adapter,
  ChatMessage,
  ClassifyRequest,
  ClassifyResult,
  Engine,
  EngineStatistics,
  FinishReason,
  KvCosts,
  ModelInfo,
  RenderOptions,
  Sample,
  SampleRequest,
  SampleResult,
  ScoreRequest,
  ScoreResult,
  TopLogprobs,
  Usage,
} from '../engine/engine-types.js';

export interface FakeEngineOptions {
  /** What the model, with this adapter if any, would write after this prompt with this seed. */
  readonly answer: (prompt: string, seed: number, adapter?: string) => string;
  /**
   * Natural log of the probability of `target` (one token) after `text`; log 1/256 when absent. Scores alone come from
   * it: in a sample every token has probability 1/2, all others share the rest.
   */
  readonly logprob?: (text: string, target: string, adapter?: string) => number;
  /** [classes] probabilities; the model has no classification head when absent. */
  readonly classes?: (text: string, adapter?: string) => readonly number[];
  readonly model?: Partial<ModelInfo>;
  readonly build?: string;
  readonly adapters?: readonly Adapter[];
  readonly reproducible?: boolean;
  /** Samples of a job end in ascending order of this; in that of prompts and seeds when absent. */
  readonly order?: (seed: number) => number;
  /** Pause before each finished sample and each score, milliseconds. */
  readonly delayMs?: number;
}

/** Tokens of more than a byte: rewards are read from single tokens. */
const WORDS: readonly string[] = ['Yes', 'No'];
/** Characters of a piece of a sample's text. */
const PIECE = 4;
/** Bytes, one end-of-generation token, words. */
const VOCABULARY = 257 + WORDS.length;

const MODEL: ModelInfo = {
  path: 'fake.gguf',
  name: 'fake',
  architecture: 'fake',
  description: 'fake',
  parameters: 0,
  sizeBytes: 0,
  contextLength: 1_000_000,
  vocabularySize: VOCABULARY,
  layers: 0,
  chatTemplate:
    '{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}' +
    '{% if add_generation_prompt %}<|assistant|>{% endif %}',
  bosToken: '',
  eosToken: '<|end|>',
  metadata: {},
};

export class FakeEngine implements Engine {
  readonly model: ModelInfo;
  readonly build: string;
  readonly identity: Engine['identity'];
  readonly adapters: readonly Adapter[];
  readonly reproducible: boolean;
  readonly efficientSequences = 64;
  /** What a calibration of this engine has found; for tests. */
  measured: KvCosts | undefined;
  #costs: KvCosts | undefined;
  /** Counters for tests. */
  readonly jobs = { sample: 0, score: 0 };
  decodedTokens = 0;
  #disposed = false;
  readonly #options: FakeEngineOptions;

  constructor(options: FakeEngineOptions) {
    this.#options = options;
    this.model = { ...MODEL, ...options.model };
    this.build = options.build ?? 'fake engine 1';
    this.adapters = options.adapters ?? [];
    this.reproducible = options.reproducible ?? false;
    const { contextLength } = this.model;
    this.identity = { build: this.build, contextLength, reproducible: this.reproducible };
  }

  async tokenize(text: string): Promise<Int32Array> {
    this.#check();
    return tokensOf(text);
  }

  async render(messages: readonly ChatMessage[], options: RenderOptions): Promise<string> {
    this.#check();
    return renderChat(this.model, messages, options);
  }

  async sample(request: SampleRequest): Promise<SampleResult> {
    this.#check(request.signal);
    this.#checkAdapter(request.adapter);
    this.jobs.sample++;
    const samples: Sample[] = [];
    const usage = { ...promptUsage(request.prompts), generatedTokens: 0, decodedTokens: 0 };
    const total = request.prompts.reduce((sum, { seeds }) => sum + seeds.length, 0);
    const places = request.prompts.flatMap(({ tokens, seeds }, prompt) =>
      seeds.map((seed, index) => ({ prompt, tokens, index, seed, place: 0 })),
    );
    for (const [place, each] of places.entries()) each.place = place;
    const { order } = this.#options;
    if (order) places.sort((a, b) => order(a.seed) - order(b.seed));
    for (const [ended, { prompt, tokens, index, seed, place }] of places.entries()) {
      await this.#pause(request.signal);
      const text = this.#options.answer(textOf(tokens), seed, request.adapter);
      const sample = { prompt, index, seed, ...finish(text, request) };
      await this.#tell(sample, request);
      samples[place] = sample;
      usage.generatedTokens += sample.tokens.length + (sample.finish === 'eog' ? 1 : 0);
      request.onSample?.(sample);
      request.onProgress?.({ finished: ended + 1, total, generatedTokens: usage.generatedTokens });
    }
    return { samples, usage: this.#count(usage), firstTokenDecodes: samples.length > 0 ? 1 : 0 };
  }

  async score({
    sequences,
    targets,
    adapter,
    next = false,
    topLogprobs = 0,
    signal,
  }: ScoreRequest): Promise<ScoreResult> {
    this.#check(signal);
    if (next && sequences.some(({ tokens, positions }) => positions.includes(tokens.length - 1))) {
      throw new T1Error('USAGE', 'after the last position there is no next token to score');
    }
    this.#checkAdapter(adapter);
    this.jobs.score++;
    await this.#pause(signal);
    const { logprob = () => Math.log(1 / 256) } = this.#options;
    const logprobs = sequences.map(({ tokens, positions }) => {
      const rows = Array.from(positions, (position) => textOf(tokens.subarray(0, position + 1)));
      return Float32Array.from(
        rows.flatMap((text) => Array.from(targets, (target) => logprob(text, textOf([target]), adapter))),
      );
    });
    const likely = (text: string): Likely[] =>
      Array.from({ length: VOCABULARY }, (_, token) => ({ token, logprob: logprob(text, textOf([token]), adapter) }));
    return {
      logprobs,
      ...(next && {
        next: sequences.map(({ tokens, positions }) =>
          Float32Array.from(positions, (i) =>
            logprob(textOf(tokens.subarray(0, i + 1)), textOf(tokens.subarray(i + 1, i + 2)), adapter),
          ),
        ),
      }),
      ...(topLogprobs > 0 && {
        top: sequences.map(({ tokens, positions }) =>
          topOf(
            Array.from(positions, (i) => likely(textOf(tokens.subarray(0, i + 1)))),
            topLogprobs,
          ),
        ),
      }),
      usage: this.#count({ ...promptUsage(sequences), generatedTokens: 0, decodedTokens: 0 }),
    };
  }

  statistics(): EngineStatistics {
    this.#check();
    const counts = {
      decodes: this.decodedTokens,
      rows: this.decodedTokens,
      sequences: this.decodedTokens,
      possibleSequences: this.decodedTokens,
    };
    const costs = this.measured ?? this.#costs;
    return {
      ...counts,
      contexts: 1,
      adapterChanges: 0,
      kvBytes: 0,
      calibrated: this.measured !== undefined,
      ...(costs && { costs }),
    };
  }

  useCosts(costs: KvCosts): void {
    this.#costs = costs;
  }

  async classify({ sequences, adapter, signal }: ClassifyRequest): Promise<ClassifyResult> {
    this.#check(signal);
    this.#checkAdapter(adapter);
    const { classes } = this.#options;
    if (!classes) throw new T1Error('USAGE', 'the fake model has no classification head');
    await this.#pause(signal);
    const scores = sequences.map((tokens) => Float32Array.from(classes(textOf(tokens), adapter), Math.log));
    const usage = { ...promptUsage(sequences.map((tokens) => ({ tokens }))), generatedTokens: 0, decodedTokens: 0 };
    return { scores, labels: this.model.head?.labels ?? [], usage: this.#count(usage) };
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** The sample's text in pieces, with a turn of the event loop after each. */
  async #tell({ prompt, index, text, tokens }: Sample, { onText, signal }: SampleRequest): Promise<void> {
    if (!onText) return;
    const characters = [...text];
    for (let at = 0; at < characters.length; at += PIECE) {
      const end = at + PIECE;
      const sofar = end < characters.length ? tokensOf(characters.slice(0, end).join('')).length : tokens.length;
      onText({ prompt, index, text: characters.slice(at, end).join(''), tokens: sofar });
      await sleep(0);
      this.#check(signal);
    }
  }

  #count(usage: Usage): Usage {
    const decodedTokens = usage.promptTokens + usage.generatedTokens;
    this.decodedTokens += decodedTokens;
    return { ...usage, decodedTokens };
  }

  async #pause(signal: AbortSignal | undefined): Promise<void> {
    // A turn of the event loop even without a delay, as the real engine needs at least one.
    await sleep(this.#options.delayMs ?? 0);
    this.#check(signal);
  }

  #checkAdapter(name: string | undefined): void {
    if (name === undefined || this.adapters.some((adapter) => adapter.name === name)) return;
    throw new T1Error('USAGE', `the engine has no adapter '${name}'`);
  }

  #check(signal?: AbortSignal): void {
    if (this.#disposed) throw new T1Error('DISPOSED', 'the engine was disposed');
    if (signal?.aborted) throw aborted(signal);
  }
}

const tokensOf = (text: string): Int32Array =>
  Int32Array.from(
    text.split(new RegExp(`(${WORDS.join('|')})`)).flatMap((part) => {
      const word = WORDS.indexOf(part);
      return word === -1 ? [...Buffer.from(part)] : [257 + word];
    }),
  );

const textOf = (tokens: ArrayLike<number>): string =>
  Buffer.concat(Array.from(tokens, (token) => Buffer.from(WORDS[token - 257] ?? [token & 0xff]))).toString();

/** Of all sequences: a prefix that all have is read once, and a prompt once for all its samples. */
function promptUsage(
  sequences: readonly { readonly tokens: Int32Array; readonly seeds?: readonly number[] }[],
): Pick<Usage, 'promptTokens' | 'sharedTokens'> {
  const [first] = sequences;
  if (!first) return { promptTokens: 0, sharedTokens: 0 };
  let prefix = 0;
  while (prefix < first.tokens.length && sequences.every(({ tokens }) => tokens[prefix] === first.tokens[prefix]))
    prefix++;
  const promptTokens = sequences.reduce((sum, { tokens }) => sum + tokens.length - prefix, prefix);
  const all = sequences.reduce((sum, { tokens, seeds }) => sum + tokens.length * (seeds?.length ?? 1), 0);
  return { promptTokens, sharedTokens: Math.max(0, all - promptTokens) };
}

interface Likely {
  readonly token: number;
  readonly logprob: number;
}

/** @param rows [n][vocabulary] */
function topOf(rows: readonly (readonly Likely[])[], most: number): TopLogprobs {
  const k = Math.min(most, VOCABULARY);
  const best = rows.flatMap((row) => row.toSorted((a, b) => b.logprob - a.logprob || a.token - b.token).slice(0, k));
  return {
    k,
    tokens: Int32Array.from(best, ({ token }) => token),
    logprobs: Float32Array.from(best, ({ logprob }) => logprob),
  };
}

function finish(
  answer: string,
  { maxTokens, stop = [], topLogprobs = 0 }: SampleRequest,
): Pick<Sample, 'text' | 'tokens' | 'logprobs' | 'finish' | 'top'> {
  let reason: FinishReason = 'eog';
  let tokens = tokensOf(answer);
  const stops = stop.map((text) => ({ at: answer.indexOf(text), text })).filter(({ at }) => at >= 0);
  const first = stops.sort((a, b) => a.at + a.text.length - (b.at + b.text.length))[0];
  let text = answer;
  if (first) {
    text = answer.slice(0, first.at);
    tokens = tokensOf(answer.slice(0, first.at + first.text.length));
    reason = 'stop';
  } else if (tokens.length > maxTokens) {
    tokens = tokens.subarray(0, maxTokens);
    text = textOf(tokens);
    reason = 'length';
  }
  const other = Math.log(0.5 / (VOCABULARY - 1));
  const rows = (): Likely[][] =>
    Array.from(tokens, (own) =>
      Array.from({ length: VOCABULARY }, (_, token) => ({ token, logprob: token === own ? Math.log(0.5) : other })),
    );
  const top = topLogprobs > 0 && { top: topOf(rows(), topLogprobs) };
  return { text, tokens, logprobs: new Float32Array(tokens.length).fill(Math.log(0.5)), ...top, finish: reason };
}
