/** Who writes the programs and rationales that a student learns from: a GGUF in this process, or a model behind an OpenAI-compatible API. */
import ky, { HTTPError } from 'ky';
import { z } from 'zod';
import { mapAtOnce } from '../at-once.js';
import type { ChatMessage, Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import { sampleCached, type SampleSource } from '../generate/cached.js';
import { promptTokens } from '../prompt/prompt.js';
import { contentKey } from '../store/key.js';
import type { Store } from '../store/store.js';

export interface Completion {
  readonly text: string;
  /** False when the limit of tokens cut it off. */
  readonly complete: boolean;
}

export interface CompletionSettings {
  readonly temperature: number;
  readonly maxTokens: number;
  /** [n] one completion each. */
  readonly seeds: readonly number[];
}

export interface Teacher {
  /** For the record: a file's name and hash, or an address and a model. */
  readonly description: string;
  /** @returns [prompts][seeds] */
  complete(prompts: readonly (readonly ChatMessage[])[], settings: CompletionSettings): Promise<Completion[][]>;
}

/** platform.openai.com/docs/api-reference/chat/object */
const chatCompletion = z.object({
  choices: z
    .array(z.object({ message: z.object({ content: z.string() }), finish_reason: z.string().nullish() }))
    .min(1),
});

/** What the endpoint says of a request that it does not take; its own words, cut. */
async function refusal({ response }: HTTPError): Promise<string> {
  const said = (await response.text().catch(() => '')).replace(/\s+/g, ' ').slice(0, 200);
  return `refused (${response.status} ${response.statusText}) ${said}`.trim();
}

/** All prompts are one job of the engine; what the store has is not written again. */
export const engineTeacher = (source: SampleSource & { readonly engine: Engine }): Teacher => ({
  description: `${source.engine.model.name} (sha256 ${source.modelHash})`,
  async complete(prompts, { temperature, maxTokens, seeds }) {
    const tokens = await Promise.all(
      prompts.map(async (messages) =>
        promptTokens(source.engine, await source.engine.render(messages, { addGenerationPrompt: true })),
      ),
    );
    const samples = await sampleCached(
      source,
      'verify',
      tokens.map((each) => ({ tokens: each, seeds })),
      { sampler: { temperature, topK: 0, topP: 1, minP: 0 }, maxTokens },
    );
    return samples.map((row) => row.map(({ text, finish }) => ({ text, complete: finish !== 'length' })));
  },
});

export interface EndpointOptions {
  /** Address of the API, as `https://host/v1`. */
  readonly url: string;
  readonly model: string;
  /** Of the environment; it is neither stored nor written anywhere. */
  readonly key: string | undefined;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Requests at the same time. */
  readonly concurrency: number;
  readonly onProgress: (finished: number, total: number) => void;
}

/** Every completion is a request of its own; the store has each as soon as it is there. */
export function endpointTeacher({ url, model, key, store, signal, concurrency, onProgress }: EndpointOptions): Teacher {
  const client = ky.create({
    prefixUrl: url,
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    timeout: 300_000,
    retry: { limit: 5, methods: ['post'], statusCodes: [408, 429, 500, 502, 503, 504] },
  });
  const failed = (why: string, cause?: unknown): T1Error =>
    new T1Error(
      'TEACHER_FAILED',
      `the teacher at ${url} ${why}; what it wrote so far is stored, the same command continues`,
      { cause },
    );
  const ask = async (
    messages: readonly ChatMessage[],
    { temperature, maxTokens }: CompletionSettings,
    seed: number,
    signal: AbortSignal,
  ): Promise<Completion> => {
    const json = { model, messages, temperature, max_tokens: maxTokens, seed };
    const answer = await client
      .post('chat/completions', { json, signal })
      .json()
      .catch(async (cause: unknown) => {
        if (signal.aborted) throw signal.reason;
        throw failed(cause instanceof HTTPError ? await refusal(cause) : `cannot be reached (${String(cause)})`, cause);
      });
    const parsed = chatCompletion.safeParse(answer);
    const [choice] = parsed.data?.choices ?? [];
    if (!choice)
      throw failed(
        'answered with something that is no chat completion: is the address that of its API (…/v1)?',
        parsed.error,
      );
    return { text: choice.message.content, complete: choice.finish_reason !== 'length' };
  };
  return {
    description: `${model} at ${url}`,
    async complete(prompts, settings) {
      const replies: Completion[][] = prompts.map(() => []);
      const wanted = prompts.flatMap((messages, prompt) =>
        settings.seeds.map((seed, index) => ({ messages, prompt, seed, index })),
      );
      let finished = 0;
      const askOnce = async ({ messages, prompt, seed, index }: (typeof wanted)[number], stop: AbortSignal) => {
        const id = contentKey(
          'endpoint',
          url,
          model,
          JSON.stringify(messages),
          settings.temperature,
          settings.maxTokens,
          seed,
          index,
        );
        const known = store.generation(id);
        const reply = known
          ? { text: known.text, complete: known.finish !== 'length' }
          : await ask(messages, settings, seed, stop);
        const { text, complete } = reply;
        const empty = { tokens: new Int32Array(), logprobs: new Float32Array() };
        if (!known)
          store.saveGeneration(id, `endpoint ${model}`, {
            ...empty,
            seed,
            index,
            text,
            finish: complete ? 'eog' : 'length',
          });
        (replies[prompt] ?? [])[index] = reply;
        onProgress(++finished, wanted.length);
      };
      await mapAtOnce(wanted, askOnce, { width: concurrency, signal });
      return replies;
    },
  };
}
