/** A solution as a process reward model reads it: its steps as tokens, and where each one's score is read. */
import { Template } from '@huggingface/jinja';
import { renderChat, type ChatMessage } from '../engine/chat-template.js';
import type { Engine, ScoreSequence } from '../engine/engine-types.js';
import { T1Error } from '../errors.js';
import type { Profile } from '../prompt/profile.js';
import { promptTokens, renderPrompt } from '../prompt/prompt.js';
import type { ProcessEntry } from './entry.js';

export interface SolutionSteps extends ScoreSequence {
  /** [steps] as written; one position each. */
  readonly steps: readonly string[];
}

/** Steps of a solution, without what parts them and without empty ones. */
export function splitSteps(
  solution: string,
  { separator, steps }: Pick<ProcessEntry, 'separator' | 'steps'>,
): string[] {
  const written = steps.layout === 'tags' ? solution.replaceAll(steps.tag, '') : solution;
  return written
    .split(separator)
    .map((step) => step.trim())
    .filter((step) => step !== '');
}

/**
 * @param profile of the same model; its own solutions are continued (`own`)
 * @returns undefined for a solution whose steps cannot be told apart in the vocabulary, or that has none
 * @throws T1Error MODEL_INVALID when the model cannot be asked so at all
 */
export function solutionSteps(
  engine: Engine,
  entry: ProcessEntry,
  profile: Profile,
  problem: string,
  solution: string,
): SolutionSteps | undefined {
  const steps = splitSteps(solution, entry);
  if (steps.length === 0) return undefined;
  const layout = entry.steps;
  const read =
    layout.layout === 'turns'
      ? turns(engine, layout, problem, steps)
      : layout.layout === 'tags'
        ? tags(engine, layout, problem, steps)
        : own(engine, entry, profile, problem, solution);
  return read && { ...read, steps };
}

type Layout<Name> = Extract<ProcessEntry['steps'], { layout: Name }>;

/** Read where each of the assistant's turns begins. */
function turns(
  engine: Engine,
  { turn, reply }: Layout<'turns'>,
  problem: string,
  steps: readonly string[],
): ScoreSequence {
  const template = new Template(turn);
  const messages: ChatMessage[] = [];
  const tokens: number[] = [];
  const positions: number[] = [];
  let before = '';
  for (const [i, step] of steps.entries()) {
    messages.push({ role: 'user', content: template.render({ problem, step, first: i === 0 }) });
    const text = renderChat(engine.model, messages, { addGenerationPrompt: true });
    if (!text.startsWith(before)) {
      throw new T1Error(
        'MODEL_INVALID',
        `the chat template of ${engine.model.name} does not only append when a turn is added: its steps cannot be read in one pass`,
      );
    }
    tokens.push(
      ...(i === 0
        ? promptTokens(engine, text)
        : engine.tokenize(text.slice(before.length), { special: true, addBos: false })),
    );
    positions.push(tokens.length - 1);
    tokens.push(...engine.tokenize(reply, { special: false, addBos: false }));
    messages.push({ role: 'assistant', content: reply });
    before = text + reply;
  }
  return {
    tokens: Int32Array.from(tokens.slice(0, (positions.at(-1) ?? 0) + 1)),
    positions: Int32Array.from(positions),
  };
}

/** Read after the tag that stands behind each step. */
function tags(
  engine: Engine,
  layout: Layout<'tags'>,
  problem: string,
  steps: readonly string[],
): ScoreSequence | undefined {
  const tag = tagToken(engine, layout.tag);
  const textOf = (solution: string): string => {
    const render = (source: string): string => new Template(source).render({ problem, solution });
    if (typeof layout.prompt === 'string') return render(layout.prompt);
    const messages = layout.prompt.map(({ role, content }) => ({ role, content: render(content) }));
    return renderChat(engine.model, messages, { addGenerationPrompt: messages.at(-1)?.role !== 'assistant' });
  };
  const tokensOf = (solution: string): Int32Array => promptTokens(engine, textOf(solution));
  const placesOf = (tokens: Int32Array): number[] => [...tokens.keys()].filter((i) => tokens[i] === tag);
  const tokens = tokensOf(steps.map((step) => step + layout.tag).join(layout.afterTag));
  const places = placesOf(tokens);
  // The problem, or the prompt around it, may hold the tag too.
  if (places.length !== steps.length + placesOf(tokensOf('')).length) return undefined;
  return { tokens, positions: Int32Array.from(places.slice(-steps.length)) };
}

/** Read at the end of each step of the solution itself. */
function own(
  engine: Engine,
  { separator }: ProcessEntry,
  profile: Profile,
  problem: string,
  solution: string,
): ScoreSequence {
  const tokens = [...renderPrompt(engine, profile.roles.solve, { problem }).tokens];
  const positions: number[] = [];
  let rest = solution;
  while (rest !== '') {
    const end = rest.indexOf(separator);
    const piece = end === -1 ? rest : rest.slice(0, end + separator.length);
    rest = rest.slice(piece.length);
    tokens.push(...engine.tokenize(piece, { special: false, addBos: false }));
    if (piece.slice(0, end === -1 ? undefined : end).trim() !== '') positions.push(tokens.length - 1);
  }
  return { tokens: Int32Array.from(tokens), positions: Int32Array.from(positions) };
}

/** @throws T1Error MODEL_INVALID when the tag is not one token behind a word */
export function tagToken(engine: Engine, tag: string): number {
  const [word, tagged] = ['x', `x${tag}`].map((text) => engine.tokenize(text, { special: true, addBos: false }));
  const id = tagged?.at(-1);
  if (id !== undefined && tagged?.length === (word?.length ?? 0) + 1) return id;
  throw new T1Error(
    'MODEL_INVALID',
    `the step tag ${JSON.stringify(tag)} is ${(tagged?.length ?? 0) - (word?.length ?? 0)} tokens of ${engine.model.name}, and must be one: the reward entry is for another vocabulary`,
  );
}
