/** `docs/settings.md` and the JSON Schema, from the tables. */
import { z } from 'zod';
import { Message } from '../message.js';
import { jsonOf, namesIn, rangeIn } from './parse-settings.js';
import { GROUPS, settingsOf, type NamedSetting, type SettingTable } from './setting.js';
import type { SettingSection } from './settings-table.js';

const HEAD = `# Settings

<!-- Generated from src/settings/ by \`npm run docs:settings\`: change the tables, not this file. -->

Every setting is written once, in a table of \`src/settings/\`. The library calls it by its name, the command line by its
flag; a message names it as you do. A flag that is a switch has an opposite, \`--no-…\`. \`[a, b]\` includes its ends, \`(a, b]\`
does not include the first.
`;

/** The whole page, in Markdown. */
export const settingsPage = (sections: readonly SettingSection[]): string =>
  [HEAD, ...sections.map(sectionOf)].join('\n');

function sectionOf({ title, about, table }: SettingSection): string {
  const settings = settingsOf(table);
  const groups = GROUPS.map((group) => settings.filter(({ setting }) => setting.group === group));
  const rows = groups.flat().map(row);
  return [
    `## ${title}\n`,
    `${about}\n`,
    '| setting | flag | may be | default | what it does |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function row(each: NamedSetting): string {
  const { path, flag, setting } = each;
  const { alias } = setting;
  const flags = flag === undefined ? '' : [...(alias === undefined ? [] : [`\`-${alias}\``]), `\`${dashed(flag)}\``];
  const cells = [
    `\`${path}\``,
    Array.isArray(flags) ? flags.join(', ') : flags,
    mayBe(each),
    defaultOf(each),
    Message.of([setting.help]).told((name) => `\`${name}\``),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const dashed = (flag: string): string => (flag.length === 1 ? `-${flag}` : `--${flag}`);

function mayBe({ setting }: NamedSetting): string {
  const schema = jsonOf(setting);
  const names = namesIn(schema);
  if (names.length > 0 && setting.expects === undefined) return names.map((name) => `\`${name}\``).join(', ');
  if (setting.expects !== undefined) return setting.expects.replace(/^be /, '');
  const kinds: Readonly<Record<string, string>> = { boolean: 'on or off', string: 'text', array: 'a list of texts' };
  const range = rangeIn(schema);
  return range === '' ? (kinds[String(schema['type'])] ?? '') : `${range}${setting.unit ? ` ${setting.unit}` : ''}`;
}

function defaultOf({ setting }: NamedSetting): string {
  const fallback = jsonOf(setting)['default'];
  if (fallback === undefined) return setting.absent ?? 'must be given';
  return Array.isArray(fallback) && fallback.length === 0 ? 'all' : `\`${JSON.stringify(fallback)}\``;
}

/** What a request may say of these settings: JSON Schema (draft 2020-12), with the help lines as descriptions. */
export const jsonSchemaOf = (table: SettingTable): Readonly<Record<string, unknown>> =>
  z.toJSONSchema(describedSchema(table), { io: 'input' });

function describedSchema(table: SettingTable): z.ZodType {
  const shape = Object.entries(table).map(([name, entry]) => {
    if ('parts' in entry) return [name, describedSchema(entry.parts).optional()] as const;
    const unit = entry.unit === undefined ? '' : ` (${entry.unit})`;
    return [name, (entry.json ?? entry.type).describe(`${String(Message.of([entry.help]))}${unit}`)] as const;
  });
  return z.strictObject(Object.fromEntries(shape));
}
