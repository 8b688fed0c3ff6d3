/**
 * What is told to people, with places for the names of settings and for what can be done: the library calls a setting
 * by its path and says what can be done in words, the command line says its flag and its command.
 */

/** A setting that a message names; `path` as in `src/settings/`. */
class SettingName {
  constructor(readonly path: string) {}
}

/** What the command line has a command for. */
export type RemedyName =
  | 'addIndex'
  | 'listIndexes'
  | 'listDevices'
  | 'listRuns'
  | 'showRun'
  | 'goOn'
  | 'goOnOrWatch'
  | 'askAgain'
  | 'sameAgain';

class Remedy {
  constructor(
    readonly name: RemedyName,
    readonly words: string,
    readonly about: string,
  ) {}
}

export type NameOf = (path: string) => string;
/** @param about a folder, or whatever else it is to be done with; '' where that is plain */
export type RemedyOf = (name: RemedyName, about: string) => string;

type Part = string | SettingName | Remedy;

/** Never made from text that holds names already: what a user wrote stays as it is, whatever it looks like. */
export class Message {
  constructor(private readonly parts: readonly Part[]) {}

  /** Paths of the settings that are named. */
  get settings(): readonly string[] {
    return this.parts.flatMap((part) => (part instanceof SettingName ? part.path : []));
  }

  /** @param remedyOf the words of the message itself when absent */
  told(nameOf: NameOf, remedyOf?: RemedyOf): string {
    const toldPart = (part: Part): string => {
      if (part instanceof SettingName) return nameOf(part.path);
      if (part instanceof Remedy) return remedyOf ? remedyOf(part.name, part.about) : part.words;
      return part;
    };
    return this.parts.map(toldPart).join('');
  }

  toString(): string {
    return this.told((path) => path);
  }

  /** One message out of several pieces. */
  static of(pieces: readonly (Part | number | Message)[]): Message {
    return new Message(
      pieces.flatMap((piece) =>
        piece instanceof Message ? piece.parts : typeof piece === 'number' ? String(piece) : piece,
      ),
    );
  }
}

/** @param path of a setting, as `select` or `sandbox.backend` */
export const named = (path: string): SettingName => new SettingName(path);

/**
 * What can be done, in the words of the library; the command line has others for the name (`src/cli/remedies.ts`).
 *
 * @param about what it is to be done with, for a command that takes it
 */
export const remedy = (name: RemedyName, words: string, about = ''): Remedy => new Remedy(name, words, about);

/** ``message`give ${named('rewardModel')} a file` `` */
export const message = (
  texts: TemplateStringsArray,
  ...values: readonly (string | number | SettingName | Remedy | Message)[]
): Message => Message.of(texts.flatMap((text, i) => (i === 0 ? [text] : [values[i - 1] ?? '', text])));

/** What an error says, for another one that quotes it; names of settings stay open. */
export const textOf = (error: unknown): Message =>
  error instanceof Error && 'text' in error && error.text instanceof Message
    ? error.text
    : Message.of([error instanceof Error ? error.message : String(error)]);
