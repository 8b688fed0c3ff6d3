/** `t1 grade`: answers against right answers, line by line. */
import { createReadStream } from 'node:fs';
import type { Argv, CommandModule } from 'yargs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { Grader, type Grade, type GradePair } from '../grade/grader.js';
import { withJson } from './flags.js';
import { isStandardInput, sourceName } from './input.js';

const builder = (yargs: Argv) =>
  withJson(yargs)
    .positional('file', {
      type: 'string',
      demandOption: true,
      describe: 'JSONL of {gold, prediction}; - reads standard input',
    })
    .option('kind', {
      choices: ['math', 'choice', 'auto'] as const,
      default: 'auto' as const,
      requiresArg: true,
      describe: 'how answers are compared',
    })
    .option('from-text', {
      type: 'boolean',
      default: false,
      describe: 'predictions are whole solutions: extract the answer first',
    })
    .option('choices', {
      type: 'number',
      default: 10,
      requiresArg: true,
      describe: 'options of a multiple-choice question',
    })
    .option('decimals', {
      type: 'number',
      requiresArg: true,
      describe: 'numbers need to agree to so many digits after the point (default: exactly)',
    })
    .option('timeout', {
      type: 'number',
      default: 3000,
      requiresArg: true,
      describe: 'time limit of a comparison, ms; beyond it is undecided',
    })
    .option('workers', {
      type: 'number',
      requiresArg: true,
      describe: 'worker threads (default: one for each processor, at most 8)',
    })
    .describe('json', 'print {equal, extracted, why} for each line, in order');

type Arguments = Awaited<ReturnType<typeof builder>['argv']>;

const flags = z.object({
  choices: z.int().min(1).max(26),
  decimals: z.int().min(0).max(100).optional(),
  timeout: z.int().min(1).max(600_000),
  workers: z.int().min(1).max(256).optional(),
});

export const gradeCommand = (signal: AbortSignal): CommandModule<object, Arguments> => ({
  command: 'grade <file>',
  describe: 'is each answer the same as the right one?',
  builder: (yargs) => builder(yargs as Argv) as never,
  handler: async (args) => {
    const { timeout: timeoutMs, workers, choices, decimals } = parseFlags(args);
    await using grader = new Grader({ timeoutMs, ...(workers === undefined ? {} : { workers }) });
    const options = {
      kind: args.kind,
      fromText: args.fromText,
      choices,
      signal,
      ...(decimals === undefined ? {} : { decimals }),
    };
    const counts = new Map<Grade['equal'], number>();
    try {
      for await (const grade of grader.gradeAll(readPairs(args.file), options)) {
        counts.set(grade.equal, (counts.get(grade.equal) ?? 0) + 1);
        await print(args.json ? JSON.stringify(grade) : told(grade));
        signal.throwIfAborted();
      }
    } catch (cause) {
      process.stdin.destroy(); // whoever writes to it may go on for long
      if (signal.aborted)
        throw new T1Error('ABORTED', 'interrupted; what is printed is graded, nothing is stored', { cause });
      throw cause;
    }
    const [equal, different, undecided] = [counts.get(true) ?? 0, counts.get(false) ?? 0, counts.get(null) ?? 0];
    if (!args.json) await print(`${equal} equal, ${different} different, ${undecided} undecided`);
  },
});

function parseFlags(args: Arguments): z.infer<typeof flags> {
  const result = flags.safeParse({
    choices: args.choices,
    decimals: args.decimals,
    timeout: args.timeout,
    workers: args.workers,
  });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new T1Error('USAGE', `--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not usable'}`);
}

const MARK = new Map<Grade['equal'], string>([
  [true, '='],
  [false, '≠'],
  [null, '?'],
]);
const told = ({ equal, extracted, why }: Grade): string =>
  `${MARK.get(equal) ?? '?'} ${(extracted ?? '(none)').replace(/\s+/g, ' ').slice(0, 60)}  (${why})`;

/** Waits for a reader that is slower than the grader. */
async function print(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}

const answer = z.union([z.string(), z.number().transform(String), z.null()]);
const pairLine = z.object({ gold: answer, prediction: answer });

/**
 * Lines as they come, so that a file of any length streams through. Fields other than gold and prediction are left alone.
 *
 * @throws T1Error FILE_NOT_FOUND, INPUT
 */
async function* readPairs(source: string): AsyncGenerator<GradePair, void> {
  let number = 0;
  for await (const line of readLines(source)) {
    number++;
    if (line.trim() !== '') yield parseLine(line, `${sourceName(source)}:${number}`);
  }
}

function parseLine(line: string, where: string): GradePair {
  try {
    return pairLine.parse(JSON.parse(line));
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? `${cause.issues[0]?.path.join('.') ?? ''}: ${cause.issues[0]?.message ?? ''}`
        : 'not JSON';
    throw new T1Error(
      'INPUT',
      `${where}: not a line of {"gold", "prediction"} (${why.replace(/^: /, '')}): mend the line`,
      { cause },
    );
  }
}

async function* readLines(source: string): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest: string[] = [];
  try {
    for await (const chunk of isStandardInput(source) ? process.stdin : createReadStream(source)) {
      const lines = decoder.decode(chunk as Uint8Array, { stream: true }).split('\n');
      const last = lines.pop() ?? '';
      for (const line of lines) {
        yield rest.join('') + line;
        rest = [];
      }
      rest.push(last);
    }
    yield rest.join('') + decoder.decode();
  } catch (cause) {
    if (cause instanceof TypeError)
      throw new T1Error('INPUT', `${sourceName(source)} is not UTF-8 text: convert it first`, { cause });
    if (cause instanceof Error && 'syscall' in cause) {
      throw new T1Error(
        'FILE_NOT_FOUND',
        `cannot read ${sourceName(source)} (${'code' in cause ? String(cause.code) : cause.message}): check the path`,
        { cause },
      );
    }
    throw cause;
  }
}
