/** Stage 2: a role's messages become the token ids that the model reads. */
import { Template } from '@huggingface/jinja';
import type { ChatMessage, Engine } from '../engine/engine-types.js';
import { concatTokens } from '../engine/tokens.js';
import type { Role } from './profile.js';

export interface Prompt {
  readonly text: string;
  /** [n] token ids, beginning-of-sequence token included where the model wants one. */
  readonly tokens: Int32Array;
}

/** What a role's messages may speak of. */
export interface PromptValues {
  readonly problem: string;
  readonly solution?: string;
  readonly passages?: readonly string[];
}

/** A turn that the model itself produced: the prompt it had and the ids it sampled. */
export interface Turn {
  readonly prompt: Prompt;
  readonly text: string;
  readonly tokens: Int32Array;
}

/**
 * Renders a role through the model's own chat template.
 *
 * @param turn when the rendered text begins with this turn, the prompt begins with the turn's very tokens, so
 *   that a cache which holds them can be shared; tokenising the text again could split it otherwise
 * @throws T1Error MODEL_INVALID when the model has no usable chat template
 */
export async function renderPrompt(engine: Engine, role: Role, values: PromptValues, turn?: Turn): Promise<Prompt> {
  const messages = messagesOf(role, values);
  const text = (await engine.render(messages, { addGenerationPrompt: true })) + role.assistantPrefix;
  const spoken = turn ? turn.prompt.text + turn.text : '';
  if (turn && text.startsWith(spoken)) {
    const rest = await engine.tokenize(text.slice(spoken.length), { special: true, addBos: false });
    return { text, tokens: concatTokens([turn.prompt.tokens, turn.tokens, rest]) };
  }
  return { text, tokens: await promptTokens(engine, text) };
}

/** What a role says, with its values filled in. */
export const messagesOf = (role: Role, values: PromptValues): ChatMessage[] =>
  role.messages.map(({ role: speaker, content }) => ({
    role: speaker,
    content: new Template(content).render({ ...values }),
  }));

/**
 * Ids of a text that begins a sequence, control tokens read as such. A beginning-of-sequence token is added where the
 * model wants one and the text, as most templates write it, has none.
 */
export function promptTokens(engine: Engine, text: string): Promise<Int32Array> {
  const { bosToken } = engine.model;
  const written = bosToken !== '' && text.startsWith(bosToken);
  return engine.tokenize(text, { special: true, ...(written && { addBos: false }) });
}
