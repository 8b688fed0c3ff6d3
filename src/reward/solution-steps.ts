/** A solution as a process reward model reads it: its steps as tokens, and where each one's score is read. */
import { Template } from '@huggingface/jinja';
import type { ChatMessage, Engine, ScoreSequence } from '../engine/engine-types.js';
import { concatTokens } from '../engine/tokens.js';
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
export async function solutionSteps(
  engine: Engine,
  entry: ProcessEntry,
  profile: Profile,
  problem: string,
  solution: string,
): Promise<SolutionSteps | undefined> {
  const steps = splitSteps(solution, entry);
  if (steps.length === 0) return undefined;
  const layout = entry.steps;
  const read =
    layout.layout === 'turns'
      ? await turns(engine, layout, problem, steps)
      : layout.layout === 'tags'
        ? await tags(engine, layout, problem, steps)
        : await own(engine, entry, profile, problem, solution);
  return read && { ...read, steps };
}

type Layout<Name> = Extract<ProcessEntry['steps'], { layout: Name }>;

/** Read where each of the assistant's turns begins. */
async function turns(
  engine: Engine,
  { turn, reply }: Layout<'turns'>,
  problem: string,
  steps: readonly string[],
): Promise<ScoreSequence> {
  const template = new Template(turn);
  const messages: ChatMessage[] = [];
  const sequence = new Sequence();
  let before = '';
  for (const [i, step] of steps.entries()) {
    messages.push({ role: 'user', content: template.render({ problem, step, first: i === 0 }) });
    const text = await engine.render(messages, { addGenerationPrompt: true });
    if (!text.startsWith(before)) {
      throw new T1Error(
        'MODEL_INVALID',
        `the chat template of ${engine.model.name} does not only append when a turn is added: its steps cannot be read in one pass`,
      );
    }
    sequence.append(
      i === 0
        ? await promptTokens(engine, text)
        : await engine.tokenize(text.slice(before.length), { special: true, addBos: false }),
    );
    sequence.readHere();
    sequence.append(await engine.tokenize(reply, { special: false, addBos: false }));
    messages.push({ role: 'assistant', content: reply });
    before = text + reply;
  }
  return sequence.upToLastRead();
}

/** Read after the tag that stands behind each step. */
async function tags(
  engine: Engine,
  layout: Layout<'tags'>,
  problem: string,
  steps: readonly string[],
): Promise<ScoreSequence | undefined> {
  const tag = await tagToken(engine, layout.tag);
  const textOf = async (solution: string): Promise<string> => {
    const render = (source: string): string => new Template(source).render({ problem, solution });
    if (typeof layout.prompt === 'string') return render(layout.prompt);
    const messages = layout.prompt.map(({ role, content }) => ({ role, content: render(content) }));
    return engine.render(messages, { addGenerationPrompt: messages.at(-1)?.role !== 'assistant' });
  };
  const tokensOf = async (solution: string): Promise<Int32Array> => promptTokens(engine, await textOf(solution));
  const placesOf = (tokens: Int32Array): number[] => [...tokens.keys()].filter((i) => tokens[i] === tag);
  const tokens = await tokensOf(steps.map((step) => step + layout.tag).join(layout.afterTag));
  const places = placesOf(tokens);
  // The problem, or the prompt around it, may hold the tag too.
  if (places.length !== steps.length + placesOf(await tokensOf('')).length) return undefined;
  return { tokens, positions: Int32Array.from(places.slice(-steps.length)) };
}

/** Read at the end of each step of the solution itself. */
async function own(
  engine: Engine,
  { separator }: ProcessEntry,
  profile: Profile,
  problem: string,
  solution: string,
): Promise<ScoreSequence> {
  const sequence = new Sequence();
  sequence.append((await renderPrompt(engine, profile.roles.solve, { problem })).tokens);
  let rest = solution;
  while (rest !== '') {
    const end = rest.indexOf(separator);
    const piece = end === -1 ? rest : rest.slice(0, end + separator.length);
    rest = rest.slice(piece.length);
    sequence.append(await engine.tokenize(piece, { special: false, addBos: false }));
    if (piece.slice(0, end === -1 ? undefined : end).trim() !== '') sequence.readHere();
  }
  return sequence.whole();
}

/** Token ids as they are added, with the places whose next token is asked about. */
class Sequence {
  readonly #parts: Int32Array[] = [];
  readonly #positions: number[] = [];
  #length = 0;

  append(tokens: Int32Array): void {
    this.#parts.push(tokens);
    this.#length += tokens.length;
  }

  /** After the last token so far. */
  readHere(): void {
    this.#positions.push(this.#length - 1);
  }

  whole(): ScoreSequence {
    return { tokens: concatTokens(this.#parts), positions: Int32Array.from(this.#positions) };
  }

  /** What comes after the last place is read by nobody. */
  upToLastRead(): ScoreSequence {
    const { tokens, positions } = this.whole();
    return { tokens: tokens.slice(0, (positions.at(-1) ?? -1) + 1), positions };
  }
}

/** @throws T1Error MODEL_INVALID when the tag is not one token behind a word */
export async function tagToken(engine: Engine, tag: string): Promise<number> {
  const tokensOf = (text: string) => engine.tokenize(text, { special: true, addBos: false });
  const [word, tagged] = [await tokensOf('x'), await tokensOf(`x${tag}`)];
  const id = tagged.at(-1);
  if (id !== undefined && tagged.length === word.length + 1) return id;
  throw new T1Error(
    'MODEL_INVALID',
    `the step tag ${JSON.stringify(tag)} is ${tagged.length - word.length} tokens of ${engine.model.name}, and must be one: the reward entry is for another vocabulary`,
  );
}
