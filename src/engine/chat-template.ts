/** Renders messages with the GGUF's own Jinja template; what is behind `Engine.render` of an engine in this process. */
import { Template } from '@huggingface/jinja';
import { T1Error } from '../errors.js';
import type { ChatMessage, ModelInfo, RenderOptions } from './engine-types.js';

/**
 * @returns text whose control tokens are to be read as such (`tokenize` with `special: true`); it begins with the
 *   model's beginning-of-sequence token where the template writes one
 * @throws T1Error MODEL_INVALID when the model has no template or it refuses the messages
 */
export function renderChat(model: ModelInfo, messages: readonly ChatMessage[], options: RenderOptions): string {
  const source = model.chatTemplate;
  if (source === undefined) {
    throw new T1Error(
      'MODEL_INVALID',
      `${model.name} has no chat template: use an instruct model, or a GGUF with tokenizer.chat_template`,
    );
  }
  try {
    return compile(source).render({
      messages: messages.map((message) => ({ ...message })),
      add_generation_prompt: options.addGenerationPrompt,
      bos_token: model.bosToken,
      eos_token: model.eosToken,
      tools: null,
      documents: null,
      // Llama 3 writes today's date into the prompt unless it is given one: the same problem must give the same prompt
      // tomorrow. This is the date that its template falls back to.
      date_string: '26 Jul 2024',
      ...options.variables,
    });
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new T1Error('MODEL_INVALID', `the chat template of ${model.name} cannot be used: ${why}`, { cause });
  }
}

const compiled = new Map<string, Template>();

function compile(source: string): Template {
  let template = compiled.get(source);
  if (!template) {
    template = new Template(source);
    compiled.set(source, template);
  }
  return template;
}
