/** `t1 python`: the sandbox alone. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import {
  decodeProgram,
  Sandbox,
  type BatchProgram,
  type ProgramResult,
  type SandboxOptions,
} from '../sandbox/sandbox.js';
import { sandboxSettings } from '../settings/sandbox-settings.js';
import { command } from './command.js';
import { jsonFlag, sandboxOptions } from './flags.js';
import { isStandardInput, readBytes, sourceName } from './input.js';
import { jsonLine } from './json.js';

export const pythonCommand = command({
  flags: {
    timeout: {
      type: z.int().min(1).max(600_000).default(2000),
      group: 'Options',
      help: 'time limit of a program',
      unit: 'ms',
    },
    batch: {
      type: z.string().min(1).optional(),
      group: 'Options',
      help: 'JSONL of {id, code}; one line per program, in order of completion',
    },
    ...jsonFlag,
    sandbox: { parts: sandboxSettings },
  },
  words: {
    file: { type: z.string().optional(), group: 'Options', help: 'a Python file; - reads standard input' },
  },
  run: async ({ flags: { timeout: timeoutMs, batch, json, sandbox }, words: { file }, nameOf, signal }) => {
    const limits = { timeoutMs, signal };
    if ((file === undefined) === (batch === undefined)) {
      throw new T1Error('USAGE', 'name one Python file, or - for standard input, or --batch FILE.jsonl');
    }
    const options = sandboxOptions(sandbox, nameOf);
    if (batch !== undefined) await runBatch(batch, options, limits);
    else await runOne(file ?? '-', options, limits, json);
  },
});

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Exit code 0 only for a program that ended well. */
async function runOne(source: string, options: SandboxOptions, limits: Limits, json: boolean): Promise<void> {
  const code = decodeProgram(await readBytes(source), sourceName(source));
  await using sandbox = await Sandbox.start({ ...options, workers: 1, spares: 0 });
  const result = await sandbox.run({ code, ...limits });
  if (json) process.stdout.write(jsonLine('python', inJson(result)));
  else {
    process.stdout.write(result.stdout);
    if (result.error) process.stderr.write(`t1: program ended with ${result.status}: ${describeError(result)}\n`);
  }
  process.exitCode = result.status === 'ok' ? 0 : 1;
}

/** Exit code 0 when every line could be read; how the programs ended is in the output. */
async function runBatch(path: string, options: SandboxOptions, limits: Limits): Promise<void> {
  const programs = readPrograms(path);
  const first = await programs.next(); // a missing file or a bad first line is told before anything starts
  await using sandbox = await Sandbox.start(options);
  for await (const { id, result } of sandbox.runBatch(chained(first, programs), limits)) {
    process.stdout.write(jsonLine('python batch', { id, ...inJson(result) }));
  }
}

const programLine = z.strictObject({ id: z.union([z.string(), z.number()]), code: z.string() });
type ProgramId = z.infer<typeof programLine>['id'];

async function* readPrograms(path: string): AsyncGenerator<BatchProgram<ProgramId>, void> {
  const stream = isStandardInput(path) ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      number++;
      if (line.trim() !== '') yield parseLine(line, `${sourceName(path)}:${number}`);
    }
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    throw new T1Error('FILE_NOT_FOUND', `cannot read ${path} (${String(cause)}): check the path`, { cause });
  }
}

function parseLine(line: string, where: string): BatchProgram<ProgramId> {
  try {
    return programLine.parse(JSON.parse(line));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? cause.issues[0]?.message : 'not JSON';
    throw new T1Error('INPUT', `${where}: not a line of {"id", "code"} (${why}): mend the line`, { cause });
  }
}

async function* chained<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

const inJson = ({ status, stdout, value, error, ms }: ProgramResult) => ({ status, stdout, value, error, ms });

const describeError = ({ error }: ProgramResult): string =>
  error ? `${error.type}: ${error.message}${error.line === null ? '' : ` (line ${error.line})`}` : '';
