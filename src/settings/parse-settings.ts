/** Values for a table of settings, checked, with one line of ours for what cannot be. */
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import { closest } from './closest.js';
import { entryAt, type RecordedName, type SchemaOf, type Setting, type SettingTable, type Settled } from './setting.js';

const schemas = new WeakMap<SettingTable, z.ZodType>();

/** @param table entries, some with `parts`, which become objects of their own */
export function schemaOf<Table extends SettingTable>(table: Table): SchemaOf<Table> {
  const schema = schemas.get(table) ?? makeSchema(table);
  schemas.set(table, schema);
  return schema as SchemaOf<Table>; // what `SchemaOf` says, entry by entry
}

function makeSchema(table: SettingTable): z.ZodType {
  const shape = Object.fromEntries(
    Object.entries(table).map(([name, entry]) => [
      name,
      'parts' in entry ? schemaOf(entry.parts).prefault({}) : entry.type,
    ]),
  );
  return z.strictObject(shape);
}

/**
 * @param above names of what the table is a part of, for messages: `['sandbox']`
 * @throws T1Error USAGE that names the setting, what it may be and what was given
 */
export function parseSettings<Table extends SettingTable>(
  table: Table,
  values: { readonly [Name in keyof Table]?: unknown },
  above: readonly string[] = [],
): Settled<Table> {
  const parsed = schemaOf(table).safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw issue ? wrong(table, values, issue, above) : new T1Error('USAGE', 'the settings are not usable');
}

function wrong(table: SettingTable, values: unknown, issue: z.core.$ZodIssue, above: readonly string[]): T1Error {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return unknownSetting(table, path, issue.keys[0] ?? '', above);
  const depth = settingDepth(table, path);
  const entry = entryAt(table, path.slice(0, depth));
  const setting = [...above, ...path.slice(0, depth)].join('.');
  const given = valueAt(values, path);
  if (!entry || 'parts' in entry)
    return new T1Error('USAGE', `must be an object of settings, not ${shown(given)}`, { setting });
  const schema = jsonOf(entry);
  const inList = depth < path.length && schema['type'] === 'array';
  const may = entry.expects ?? expected(inList ? (schema['items'] as JsonSchema) : schema);
  if (given === undefined) return new T1Error('USAGE', `must be given, and ${may}`, { setting });
  const names = namesIn(schema);
  const meant = typeof given === 'string' ? closest(given, names) : undefined;
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
  return new T1Error('USAGE', `must ${may}, not ${shown(given)}${hint}`, { setting });
}

/** As deep as there are objects and lists: a text may have been read as a list by its setting. */
function valueAt(values: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined || typeof values !== 'object' || values === null) return values;
  return valueAt((values as Readonly<Record<string, unknown>>)[name], rest);
}

function unknownSetting(table: SettingTable, path: readonly string[], key: string, above: readonly string[]): T1Error {
  const within = path.length === 0 ? { parts: table } : entryAt(table, path);
  const names = within && 'parts' in within ? Object.keys(within.parts) : [];
  const meant = closest(key, names);
  const where = (name: string): string => [...above, ...path, name].join('.');
  return new T1Error(
    'USAGE',
    meant === undefined
      ? `there is no setting ${where(key)}`
      : message`there is no setting ${where(key)} (did you mean ${named(where(meant))}?)`,
  );
}

/** How many names of a path lead to a setting; what follows is inside its value. */
function settingDepth(table: SettingTable, path: readonly string[]): number {
  for (let depth = 1; depth <= path.length; depth++) {
    const entry = entryAt(table, path.slice(0, depth));
    if (entry && !('parts' in entry)) return depth;
  }
  return path.length;
}

type JsonSchema = { readonly [key: string]: unknown };

/** Of the type alone, without what stands for it when it is absent. */
export const jsonOf = ({ type, json }: Setting): JsonSchema =>
  z.toJSONSchema(json ?? type, { io: 'input', unrepresentable: 'any' });

/** Names that a value is one of; [] where it is none of a few. */
export const namesIn = (schema: JsonSchema): readonly string[] => {
  const items = schema['items'] as JsonSchema | undefined;
  const names = schema['enum'] ?? items?.['enum'];
  return Array.isArray(names) ? names.map(String) : [];
};

/** Widest whole numbers that zod lets through; as a limit they say nothing. */
const isLimit = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;

/** `[0.5, 1]`, `(0, 1]`, `1 to 65536`, `0 or more`; '' where anything goes. */
export function rangeIn(schema: JsonSchema): string {
  const { minimum, exclusiveMinimum, maximum } = schema;
  const most = isLimit(maximum) ? maximum : undefined;
  if (isLimit(exclusiveMinimum))
    return most === undefined ? `more than ${exclusiveMinimum}` : `(${exclusiveMinimum}, ${most}]`;
  if (!isLimit(minimum)) return most === undefined ? '' : `at most ${most}`;
  if (most === undefined) return `${minimum} or more`;
  return schema['type'] === 'integer' ? `${minimum} to ${most}` : `[${minimum}, ${most}]`;
}

/** What follows "must". */
function expected(schema: JsonSchema): string {
  const names = namesIn(schema);
  if (names.length > 0) return names.length === 1 ? `be ${names[0]}` : `be one of ${names.join(', ')}`;
  const range = rangeIn(schema);
  switch (schema['type']) {
    case 'integer':
      return range.includes(' to ') ? `be a whole number from ${range}` : `be a whole number${range && `, ${range}`}`;
    case 'number':
      return /^[[(]/.test(range) ? `lie in ${range}` : `be a number${range && `, ${range}`}`;
    case 'boolean':
      return 'be true or false';
    case 'string':
      return 'be text, and not empty';
    case 'array':
      return 'be a list';
    default:
      return 'be something else';
  }
}

/**
 * What a run keeps of its settings, in JSON: all that the table does not leave out.
 *
 * @param values as they were parsed, or what was found for each: the hash of a file that a setting names
 */
export const recordedSettings = <Table extends SettingTable>(
  table: Table,
  values: Settled<Table> | { readonly [Name in RecordedName<Table>]: unknown },
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(table).flatMap(([name, entry]) => {
      const value = (values as Readonly<Record<string, unknown>>)[name];
      if ('parts' in entry) return [[name, value]];
      const { recorded, recordedAs = name } = entry;
      return recorded === false ? [] : [[recordedAs, recorded ? recorded(value) : value]];
    }),
  );

const MOST_SHOWN = 60;

function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value !== 'string') return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
  const line = value.replaceAll(/\s+/g, ' ');
  return `'${line.length <= MOST_SHOWN ? line : `${line.slice(0, MOST_SHOWN).toWellFormed()}…`}'`;
}
