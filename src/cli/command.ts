/** A command of the command line: its flags and words are tables of settings, and it gets them checked. */
import type { Argv } from 'yargs';
import { T1Error } from '../errors.js';
import { Message, message, named, type NameOf } from '../message.js';
import { jsonOf, namesIn, parseSettings, rangeIn } from '../settings/parse-settings.js';
import { GROUPS, settingsOf, type NamedSetting, type SettingTable, type Settled } from '../settings/setting.js';
import { inCommands } from './remedies.js';

export interface Call<Flags extends SettingTable, Words extends SettingTable> {
  readonly flags: Settled<Flags>;
  readonly words: Settled<Words>;
  /** The command line after `t1`, as it was written. */
  readonly line: readonly string[];
  /** How this command calls a setting. */
  readonly nameOf: NameOf;
  readonly signal: AbortSignal;
}

interface Description<Flags extends SettingTable, Words extends SettingTable> {
  readonly flags: Flags;
  /** What stands without a flag. */
  readonly words: Words;
  /** Name of the last word, where that is a text for which people forget the quotes. */
  readonly text?: keyof Words & string;
  readonly run: (call: Call<Flags, Words>) => void | Promise<void>;
}

/** Checked flags and words, on their way to `run`. */
export interface Command {
  readonly flags: SettingTable;
  readonly words: SettingTable;
  readonly text?: string | undefined;
  /** @throws T1Error */
  run(given: GivenArguments, line: readonly string[], signal: AbortSignal): Promise<void>;
}

export interface CommandEntry {
  /** As yargs writes it: `solve [problem]`. */
  readonly usage: string;
  readonly describe: string;
  readonly load: () => Promise<Command | { readonly actions: readonly CommandEntry[] }>;
}

/** As yargs hands them over. */
export type GivenArguments = Readonly<Record<string, unknown>>;

/** Errors that the command raises name its flags, and commands that help. */
export function command<Flags extends SettingTable, Words extends SettingTable>(
  description: Description<Flags, Words>,
): Command {
  const { flags, words, text, run } = description;
  const nameOf = namesOf(flags, words);
  return {
    flags,
    words,
    text,
    async run(given, line, signal) {
      try {
        await run({ ...parsed(description, given), line, nameOf, signal });
      } catch (error) {
        throw inNamesOf(nameOf, error);
      }
    },
  };
}

const parsed = <Flags extends SettingTable, Words extends SettingTable>(
  { flags, words }: Pick<Description<Flags, Words>, 'flags' | 'words'>,
  given: GivenArguments,
) => ({
  words: parseSettings(words, valuesOf(settingsOf(words), given)),
  flags: parseSettings(flags, valuesOf(settingsOf(flags), given)),
});

/** For a command line that was kept: as `run` would get it. */
export const parsedFlags = <Flags extends SettingTable>(flags: Flags, given: GivenArguments): Settled<Flags> =>
  parseSettings(flags, valuesOf(settingsOf(flags), given));

/** @returns the error with the names of flags and commands in it; any other one as it is */
function inNamesOf(nameOf: NameOf, error: unknown): unknown {
  if (!(error instanceof T1Error)) return error;
  const meansTokens = error.setting === 'samples' && nameOf('maxTokens') !== 'maxTokens';
  const text = meansTokens ? message`${error.text}${TOKENS_ARE_MEANT}` : error.text;
  return new T1Error(error.code, text.told(nameOf, inCommands), { cause: error });
}

/** `-n -1` and `-n 0` are llama.cpp's for tokens without end. */
const TOKENS_ARE_MEANT = message`: candidates are counted; llama.cpp's -n is ${named('maxTokens')} here`;

const dashed = (flag: string): string => (flag.length === 1 ? `-${flag}` : `--${flag}`);

/** Settings that the command does not have are called by their path. */
export function namesOf(flags: SettingTable, words: SettingTable = {}): NameOf {
  const names = new Map(settingsOf(words).map(({ path }) => [path, path]));
  for (const { path, flag } of settingsOf(flags)) if (flag !== undefined) names.set(path, dashed(flag));
  return (path) => names.get(path) ?? path;
}

type Kind = 'boolean' | 'list' | 'number' | 'text';

function kindOf({ setting }: NamedSetting): Kind {
  if (setting.values !== undefined) return 'list';
  switch (jsonOf(setting)['type']) {
    case 'boolean':
      return 'boolean';
    case 'array':
      return 'list';
    case 'integer':
    case 'number':
      return 'number';
    default:
      return 'text';
  }
}

/** yargs's values by path; of a flag that was given twice the last counts, but for lists. */
function valuesOf(settings: readonly NamedSetting[], given: GivenArguments): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const each of settings) {
    if (each.flag === undefined) continue;
    const value = given[each.flag];
    const last = Array.isArray(value) && kindOf(each) !== 'list' ? value.at(-1) : value;
    if (last !== undefined) put(values, each.path.split('.'), kindOf(each) === 'number' ? numberOf(last) : last);
  }
  return values;
}

function put(values: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) values[name] = value;
  else put((values[name] ??= {}) as Record<string, unknown>, rest, value);
}

/** What is no number stays text, so that the message can say it. */
const numberOf = (value: unknown): unknown =>
  typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;

/** Tells yargs of a command's flags and words; what they may be is checked by their types, not by yargs. */
export function declare<T>(yargs: Argv<T>, { flags, words }: Pick<Command, 'flags' | 'words'>): Argv<T> {
  const nameOf = namesOf(flags, words);
  const settings = settingsOf(flags).flatMap((each) => (each.flag === undefined ? [] : { ...each, flag: each.flag }));
  for (const each of settings) {
    const { flag, setting } = each;
    const kind = kindOf(each);
    const fallback = shownDefault(each);
    yargs.option(flag, {
      describe: helpLine(each, nameOf),
      ...(setting.alias !== undefined && { alias: setting.alias }),
      ...(fallback !== undefined && { defaultDescription: fallback }),
      ...(kind === 'boolean' && { type: 'boolean' as const }),
      ...(kind === 'text' && { type: 'string' as const, nargs: 1 }),
      // Of no type: yargs would make NaN of what is no number.
      ...(kind === 'number' && { nargs: 1 }),
      ...(kind === 'list' && { type: 'string' as const, array: true, nargs: setting.values ?? 1 }),
    });
  }
  for (const group of GROUPS) {
    const ofGroup = settings.filter(({ setting }) => setting.group === group).map(({ flag }) => flag);
    if (ofGroup.length > 0) yargs.group(ofGroup, `${group}:`);
  }
  for (const each of settingsOf(words)) {
    const list = kindOf(each) === 'list';
    yargs.positional(each.flag ?? each.path, {
      type: 'string',
      describe: helpLine(each, nameOf),
      ...(list && { array: true }),
    });
  }
  return yargs;
}

/** What it does, what it may be. */
export function helpLine({ setting }: NamedSetting, nameOf: NameOf): string {
  const schema = jsonOf(setting);
  const names = namesIn(schema);
  const help = Message.of([setting.help]).told(nameOf, inCommands);
  const range = names.length > 0 ? names.join(', ') : rangeIn(schema);
  const unit = setting.unit === 'ms' || setting.unit === 'bytes' ? ` ${setting.unit}` : '';
  if (range === '') return help;
  return /^[[(]/.test(range) ? `${help} ${range}` : `${help} [${range}${unit}]`;
}

export function shownDefault({ setting }: NamedSetting): string | undefined {
  const fallback = jsonOf(setting)['default'];
  if (fallback === undefined) return setting.absent;
  return Array.isArray(fallback) ? (fallback.length === 0 ? 'all' : fallback.join(', ')) : String(fallback);
}
