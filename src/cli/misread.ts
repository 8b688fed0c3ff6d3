/** What is wrong with a command line that yargs could not read, and what was meant. */
import { T1Error } from '../errors.js';
import { closest } from '../settings/closest.js';
import { jsonOf } from '../settings/parse-settings.js';
import { settingsOf } from '../settings/setting.js';
import type { Command, CommandEntry } from './command.js';
import { commands } from './commands.js';

const HELP = '(t1 --help lists commands and flags)';

/**
 * @param said by yargs
 * @param words of the command line
 * @param command undefined where none was found
 * @param known the commands, or actions of one, that there are
 */
export function misread(
  said: string,
  words: readonly string[],
  command: Command | undefined,
  known: readonly CommandEntry[],
): T1Error {
  const line = said.replaceAll('\n', ' ');
  if (!/^(Unknown|Did you mean)/.test(line)) return new T1Error('USAGE', `${mended(line, command)} ${HELP}`);
  const flag = command && unknownFlag(words, command);
  if (flag !== undefined) return new T1Error('USAGE', flag);
  const plain = words.filter((word) => !word.startsWith('-'));
  if (!command) {
    const names = namesOf(known);
    // Of an action's words the first is its command.
    const name = plain[known === commands ? 0 : 1] ?? '';
    return new T1Error('USAGE', `there is no command ${name}${meant(name, names)} ${HELP}`);
  }
  const unread = line.replace(/^[^:]*: /, '');
  const first = plain.slice(1).find((word) => unread.startsWith(word)) ?? unread;
  const more = unread.length > first.length ? ' …' : '';
  if (command.text === undefined) return new T1Error('USAGE', `'${first}' is one word too many ${HELP}`);
  const before = words.slice(0, words.indexOf(first)).findLast((word) => !word.startsWith('-')) ?? '';
  return new T1Error(
    'USAGE',
    `the shell split the ${command.text} into words ('${before}', '${first}'${more && ', …'}): put the ${command.text} in quotes: "${before} ${first}${more}"`,
  );
}

const namesOf = (entries: readonly CommandEntry[]): string[] => entries.map(({ usage }) => usage.split(' ')[0] ?? '');

const meant = (word: string, names: readonly string[]): string => {
  const name = closest(word, names);
  return name === undefined ? '' : `: did you mean ${name}?`;
};

/** yargs's words where ours are clearer. */
function mended(line: string, command: Command | undefined): string {
  const given = /^Not enough non-option arguments: got (\d+)/.exec(line)?.[1];
  const missing = given === undefined ? undefined : Object.keys(command?.words ?? {})[Number(given)];
  if (missing !== undefined) return `<${missing}> is missing`;
  const flag = /^Not enough arguments following: (\S+)/.exec(line)?.[1];
  return flag === undefined ? line : `${flag.length === 1 ? '-' : '--'}${flag}: its value is missing`;
}

/** Of yargs itself. */
const ALWAYS = ['help', 'version'];

/** @returns what to say of the first flag that the command does not have */
function unknownFlag(words: readonly string[], { flags }: Command): string | undefined {
  const settings = settingsOf(flags).flatMap(({ flag, setting }) => (flag === undefined ? [] : { flag, setting }));
  const names = [
    ...settings.map(({ flag }) => flag).filter((flag) => flag.length > 1),
    ...settings.flatMap(({ flag, setting }) => (jsonOf(setting)['type'] === 'boolean' ? `no-${flag}` : [])),
    ...ALWAYS,
  ];
  const letters = [
    ...settings.flatMap(({ flag, setting: { alias } }) => (flag.length === 1 ? flag : (alias ?? []))),
    'h',
  ];
  for (const word of words.slice(0, words.includes('--') ? words.indexOf('--') : words.length)) {
    if (!word.startsWith('-') || /^-[\d.]/.test(word) || word === '-') continue;
    const name = word.replace(/^-+/, '').replace(/=.*$/s, '');
    if (word.startsWith('--')) {
      if (names.includes(name) || letters.includes(name)) continue;
      const near = closest(name, names);
      return `there is no flag --${name}${near === undefined ? ` ${HELP}` : `: did you mean --${near}?`}`;
    }
    const letter = [...name].find((each) => /[a-z]/i.test(each));
    if (letter === undefined || letters.includes(letter)) continue;
    const near = closest(name, names);
    return `there is no flag -${name.length > 1 ? name : letter}${near === undefined ? ` ${HELP}` : `: did you mean --${near}?`}`;
  }
  return undefined;
}
