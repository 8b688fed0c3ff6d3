/** Flags of the command line alone that several commands share. */
import { z } from 'zod';
import type { NameOf } from '../message.js';
import type { SandboxOptions } from '../sandbox/sandbox.js';
import type { SandboxSettings } from '../settings/sandbox-settings.js';
import type { SettingTable } from '../settings/setting.js';
import { inCommands } from './remedies.js';

export const jsonFlag = {
  json: {
    type: z.boolean().default(false),
    group: 'Options',
    help: 'print one JSON object: t1 schema says what is in it',
  },
} satisfies SettingTable;

export const promptFile = {
  file: {
    type: z.string().min(1).optional(),
    group: 'Options',
    help: 'read it from this file, as with - from standard input',
    alias: 'f',
  },
} satisfies SettingTable;

/** A sandbox of these flags, which says on standard error what it took. */
export const sandboxOptions = (sandbox: SandboxSettings, nameOf: NameOf): SandboxOptions => ({
  ...sandbox,
  python: sandbox.python ?? process.env['T1_PYTHON'],
  onChoice: (_, text) => process.stderr.write(`t1: ${text.told(nameOf, inCommands)}\n`),
});
