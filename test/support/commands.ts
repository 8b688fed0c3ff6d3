/** The commands of the command line, all of them loaded. */
import { z } from 'zod';
import type { Command, CommandEntry } from '../../src/cli/command.js';
import { commands } from '../../src/cli/commands.js';
import { settingsOf } from '../../src/settings/setting.js';

export interface NamedCommand {
  /** `runs show` */
  readonly name: string;
  readonly command: Command;
}

/** With the words that make another one of a command: actions, and what stands for one in its first word. */
export const allCommands = async (): Promise<readonly NamedCommand[]> =>
  (await Promise.all(commands.map((entry) => named(entry)))).flat();

async function named({ usage, load }: CommandEntry, before = ''): Promise<NamedCommand[]> {
  const name = `${before}${usage.split(' ')[0] ?? ''}`;
  const found = await load();
  if ('actions' in found) return (await Promise.all(found.actions.map((each) => named(each, `${name} `)))).flat();
  const [first] = settingsOf(found.words);
  const kinds = first?.setting.type instanceof z.ZodEnum ? first.setting.type.options : [];
  return kinds.length === 0
    ? [{ name, command: found }]
    : kinds.map((kind) => ({ name: `${name} ${String(kind)}`, command: found }));
}
