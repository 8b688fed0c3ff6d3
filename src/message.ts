/**
 * What is told to people, with places for the names of settings: the library calls one by its path, the command line by
 * its flag.
 */

/** A setting that a message names; `path` as in `src/settings/`. */
class SettingName {
  constructor(readonly path: string) {}
}

export type NameOf = (path: string) => string;

/** Never made from text that holds names already: what a user wrote stays as it is, whatever it looks like. */
export class Message {
  constructor(private readonly parts: readonly (string | SettingName)[]) {}

  /** Paths of the settings that are named. */
  get settings(): readonly string[] {
    return this.parts.flatMap((part) => (part instanceof SettingName ? part.path : []));
  }

  told(nameOf: NameOf): string {
    return this.parts.map((part) => (part instanceof SettingName ? nameOf(part.path) : part)).join('');
  }

  toString(): string {
    return this.told((path) => path);
  }

  /** One message out of several pieces. */
  static of(pieces: readonly (string | number | SettingName | Message)[]): Message {
    return new Message(
      pieces.flatMap((piece) =>
        piece instanceof Message ? piece.parts : piece instanceof SettingName ? piece : String(piece),
      ),
    );
  }
}

/** @param path of a setting, as `select` or `sandbox.backend` */
export const named = (path: string): SettingName => new SettingName(path);

/** ``message`give ${named('rewardModel')} a file` `` */
export const message = (
  texts: TemplateStringsArray,
  ...values: readonly (string | number | SettingName | Message)[]
): Message => Message.of(texts.flatMap((text, i) => (i === 0 ? [text] : [values[i - 1] ?? '', text])));

/** What an error says, for another one that quotes it; names of settings stay open. */
export const textOf = (error: unknown): Message =>
  error instanceof Error && 'text' in error && error.text instanceof Message
    ? error.text
    : Message.of([error instanceof Error ? error.message : String(error)]);
