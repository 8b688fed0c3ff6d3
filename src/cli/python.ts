/** `t1 python`: the sandbox alone. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Argv, CommandModule } from 'yargs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { Sandbox, type ProgramResult } from '../sandbox/sandbox.js';
import { withJson } from './flags.js';
import { argumentText, readText } from './input.js';

const builder = (yargs: Argv) =>
  withJson(yargs)
    .positional('file', { type: 'string', describe: 'a Python file; - reads standard input' })
    .option('timeout', { type: 'number', default: 2000, requiresArg: true, describe: 'time limit of a program, ms' })
    .option('batch', { type: 'string', requiresArg: true, describe: 'JSONL file of {id, code}; prints a line per program as each ends' });

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;
void argumentText;
