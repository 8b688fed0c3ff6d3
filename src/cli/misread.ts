/** What is wrong with a command line that yargs could not read, and what was meant. */
import { T1Error } from '../errors.js';
import { closest } from '../settings/closest.js';
import { settingsOf } from '../settings/setting.js';
import type { Command } from './command.js';
import { commands } from './commands.js';

const HELP = '(t1 --help lists commands and flags)';

/**
 * @param said by yargs
 * @param words of the command line
 * @param command undefined where none was found
 */
export function misread(said: string, words: readonly string[], command: Command | undefined): T1Error {
  const line = said.replaceAll('\n', ' ');
  if (!/^(Unknown|Did you mean)/.test(line)) return new T1Error('USAGE', `${mended(line)} ${HELP}`);
  const flag = command && unknownFlag(words, command);
  if (flag !== undefined) return new T1Error('USAGE', flag);
  const [first = '', ...others] = line.replace(/^[^:]*: /, '').split(', ');
  if (!command) return new T1Error('USAGE', `there is no command ${first}${meant(first, commandNames())} ${HELP}`);
  if (command.text === undefined) return new T1Error('USAGE', `'${first}' is one word too many ${HELP}`);
  const before = words.slice(0, words.indexOf(first)).findLast((word) => !word.startsWith('-')) ?? '';
  return new T1Error(
    'USAGE',
    `the shell split the ${command.text} into words ('${before}', '${first}'${others.length > 0 ? ', …' : ''}): put the ${command.text} in quotes: "${before} ${first}${others.length > 0 ? ' …' : ''}"`,
  );
}

const commandNames = (): string[] => commands.map(({ usage }) => usage.split(' ')[0] ?? '');

const meant = (word: string, names: readonly string[]): string => {
  const name = closest(word, names);
  return name === undefined ? '' : `: did you mean ${name}?`;
};

/** yargs's words where ours are clearer. */
function mended(line: string): string {
  const flag = /^Not enough arguments following: (\S+)/.exec(line)?.[1];
  return flag === undefined ? line : `${flag.length === 1 ? '-' : '--'}${flag}: its value is missing`;
}

/** Of yargs itself. */
const ALWAYS = ['help', 'version'];

/** @returns what to say of the first flag that the command does not have */
function unknownFlag(words: readonly string[], { flags }: Command): string | undefined {
  const settings = settingsOf(flags).flatMap(({ flag, setting }) => (flag === undefined ? [] : { flag, setting }));
  const names = [...settings.map(({ flag }) => flag).filter((flag) => flag.length > 1), ...ALWAYS];
  const letters = [
    ...settings.flatMap(({ flag, setting: { alias } }) => (flag.length === 1 ? flag : (alias ?? []))),
    'h',
  ];
  for (const word of words.slice(0, words.includes('--') ? words.indexOf('--') : words.length)) {
    if (!word.startsWith('-') || /^-[\d.]/.test(word) || word === '-') continue;
    const name = word.replace(/^-+/, '').replace(/=.*$/s, '');
    if (word.startsWith('--')) {
      if (names.includes(name) || letters.includes(name) || names.includes(name.replace(/^no-/, ''))) continue;
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
