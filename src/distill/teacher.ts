/**
 * Who writes the programs and rationales that a student learns from: a GGUF in this process, or a model behind an
 * OpenAI-compatible API.
 */
import ky, { HTTPError } from 'ky';
import { z } from 'zod';
import { mapAtOnce } from '../at-once.js';
import type { ChatMessage, Engine } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import { message, remedy } from '../message.js';
import { sampleCached, type SampleSource } from '../generate/cached.js';
import { promptTokens } from '../prompt/prompt.js';
import { must } from '../must.js';
import { Memory } from '../store/memory.js';
import { remember, type Computation, type Identified } from '../store/remember.js';
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

interface EndpointHandle extends Identified {
  /** @throws T1Error TEACHER_FAILED; the signal's reason */
  ask(request: CompletionRequest, signal: AbortSignal): Promise<Completion>;
}

interface CompletionRequest {
  readonly messages: readonly ChatMessage[];
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed: number;
}

/** Every completion is a request of its own; the store has each as soon as it is there. */
const completing: Computation<
  { readonly endpoint: EndpointHandle },
  Omit<CompletionSettings, 'seeds'>,
  Pick<CompletionRequest, 'messages' | 'seed'>,
  Completion,
  Pick<EndpointOptions, 'concurrency'>
> = {
  stage: 'completion',
  version: 1,
  value: z.strictObject({ text: z.string(), complete: z.boolean() }),
  async compute({ handles: { endpoint }, shared, items, runtime: { concurrency }, signal, done }) {
    await mapAtOnce(items, async (item, stop, place) => done(place, await endpoint.ask({ ...shared, ...item }, stop)), {
      width: concurrency,
      signal,
    });
  },
};

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
      message`the teacher at ${url} ${why}; what it wrote so far is stored, ${remedy('sameAgain', 'the same call continues')}`,
      { cause },
    );
  const ask: EndpointHandle['ask'] = async ({ messages, temperature, maxTokens, seed }, stop) => {
    const json = { model, messages, temperature, max_tokens: maxTokens, seed };
    const answer = await client
      .post('chat/completions', { json, signal: stop })
      .json()
      .catch(async (cause: unknown) => {
        if (stop.aborted) throw stop.reason;
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
    async complete(prompts, { seeds, ...shared }) {
      const wanted = prompts.flatMap((messages) => seeds.map((seed) => ({ messages, seed })));
      let finished = 0;
      const handles = { endpoint: { identity: { url, model }, ask } };
      const inputs = { handles, shared, items: wanted, runtime: { concurrency }, signal };
      const replies = await remember(new Memory(store), completing, inputs, () =>
        onProgress(++finished, wanted.length),
      );
      return prompts.map((_, prompt) =>
        seeds.map((_seed, index) => must(replies[prompt * seeds.length + index], 'a reply')),
      );
    },
  };
}
