/**
 * What a setting is. One entry says all of it: type, default, unit, group, help line, and how the command line calls it
 * where that is not its name in kebab case. Types, checks, messages, flags, `docs/settings.md`, the JSON Schema and
 * what a run records are made from the entries.
 */
import { z } from 'zod';
import type { Message } from '../message.js';

/** Headings of help and documentation, in their order. */
export const GROUPS = [
  'Model',
  'Sampling',
  'Budget',
  'Tool',
  'Knowledge',
  'Reward',
  'Answer',
  'Engine',
  'Sandbox',
  'Storage',
  'Benchmark',
  'Training data',
  'Indexing',
  'Search',
  'Options',
] as const;
export type Group = (typeof GROUPS)[number];

export interface Setting<Type extends z.ZodType = z.ZodType> {
  /** Range and default; `optional` where something else says what applies when it is absent. */
  readonly type: Type;
  readonly group: Group;
  /** One line, for people. A `Message` where it names another setting. */
  readonly help: string | Message;
  /** What applies when it is absent and the type has no default. */
  readonly absent?: string;
  /** Of the number: `ms`, `tokens`, … */
  readonly unit?: string;
  /** What it must be, where its type does not say that well: "be an amount of memory, as 512MiB". */
  readonly expects?: string;
  /** Without the dashes; absent: its name in kebab case. `false`: the library alone has it. */
  readonly flag?: string | false;
  /** One letter. */
  readonly alias?: string;
  /** Of a list: how many values follow its flag, which may be given again for more; 1 when absent. */
  readonly values?: number;
  /**
   * What a run keeps of it, where that is not the value itself. `false`: nothing, since no record depends on it, or
   * something else in the run says what became of it.
   */
  readonly recorded?: false | ((value: unknown) => unknown);
  /** What a run calls it, where that is not its name. */
  readonly recordedAs?: string;
  /** What can be said in JSON, where that is less than the type takes. */
  readonly json?: z.ZodType;
}

/** An object of settings inside another: `bm25` with `k1` and `b`. */
export interface SettingParts {
  readonly parts: SettingTable;
  /** What their flags begin with: `bm25-`. */
  readonly flagPrefix?: string;
}

export type SettingTable = { readonly [name: string]: Setting | SettingParts };

type TypeOf<Entry> = Entry extends { readonly parts: infer Parts extends SettingTable }
  ? z.ZodPrefault<SchemaOf<Parts>>
  : Entry extends { readonly type: infer Type extends z.ZodType }
    ? Type
    : never;

/** The zod schema of a whole table. */
export type SchemaOf<Table extends SettingTable> = z.ZodObject<
  { -readonly [Name in keyof Table]: TypeOf<Table[Name]> },
  z.core.$strict
>;
/** What a caller may give. */
export type Given<Table extends SettingTable> = z.input<SchemaOf<Table>>;
/** With every default filled in. */
export type Settled<Table extends SettingTable> = z.output<SchemaOf<Table>>;

/** Names of what a run keeps. */
export type RecordedName<Table extends SettingTable> = {
  [Name in keyof Table]: Table[Name] extends { readonly recorded: false } ? never : Name;
}[keyof Table];

export interface NamedSetting {
  /** `bm25.k1` */
  readonly path: string;
  readonly setting: Setting;
  /** Without the dashes; undefined: the library alone has it. */
  readonly flag: string | undefined;
}

/** Every setting of a table, those inside others too, in order. */
export const settingsOf = (table: SettingTable, above = '', prefix = ''): NamedSetting[] =>
  Object.entries(table).flatMap(([name, entry]) => {
    const path = `${above}${name}`;
    if ('parts' in entry) return settingsOf(entry.parts, `${path}.`, `${prefix}${entry.flagPrefix ?? ''}`);
    const flag = entry.flag === false ? undefined : `${prefix}${entry.flag ?? kebab(name)}`;
    return [{ path, setting: entry, flag }];
  });

/** Of values by name those that a table has, as long as there is one. */
export const ownValues = <Table extends SettingTable, Values extends object>(table: Table, values: Values) =>
  Object.fromEntries(
    Object.entries(values).filter(([name, value]) => Object.hasOwn(table, name) && value !== undefined),
  ) as Partial<Pick<Values, keyof Values & keyof Table>>;

/** The others. */
export const otherValues = <Table extends SettingTable, Values extends object>(table: Table, values: Values) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(table, name))) as Omit<
    Values,
    keyof Table
  >;

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** @returns undefined where the path leads to none */
export function entryAt(table: SettingTable, path: readonly string[]): Setting | SettingParts | undefined {
  const [name, ...rest] = path;
  if (name === undefined || !Object.hasOwn(table, name)) return undefined;
  const entry = table[name];
  if (rest.length === 0 || !entry) return entry;
  return 'parts' in entry ? entryAt(entry.parts, rest) : undefined;
}

/** One of the names of a map. */
export const keysOf = <T extends object>(map: T) =>
  z.enum(Object.keys(map) as [keyof T & string, ...(keyof T & string)[]]);
