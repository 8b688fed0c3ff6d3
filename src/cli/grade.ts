/** `t1 grade`: answers against right answers, line by line. */
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { Grader, type Grade, type GradePair } from '../grade/grader.js';
import { command } from './command.js';
import { jsonFlag } from './flags.js';
import { isStandardInput, sourceName } from './input.js';
import { jsonLine } from './json.js';

export const gradeCommand = command({
  flags: {
    kind: {
      type: z.enum(['math', 'choice', 'auto']).default('auto'),
      group: 'Options',
      help: 'how answers are compared',
    },
    fromText: {
      type: z.boolean().default(false),
      group: 'Options',
      help: 'predictions are whole solutions: extract the answer first',
    },
    choices: {
      type: z.int().min(1).max(26).default(10),
      group: 'Options',
      help: 'options of a multiple-choice question',
    },
    decimals: {
      type: z.int().min(0).max(100).optional(),
      group: 'Options',
      help: 'numbers need to agree to so many digits after the point',
      absent: 'exactly',
    },
    timeout: {
      type: z.int().min(1).max(600_000).default(3000),
      group: 'Options',
      help: 'time limit of a comparison; beyond it is undecided',
      unit: 'ms',
    },
    workers: {
      type: z.int().min(1).max(256).optional(),
      group: 'Options',
      help: 'worker threads',
      absent: 'one for each processor, at most 8',
    },
    json: { ...jsonFlag.json, help: 'print {version, equal, extracted, why} for each line, in order' },
  },
  words: {
    file: {
      type: z.string().min(1),
      group: 'Options',
      help: 'JSONL of {gold, prediction}; - reads standard input',
    },
  },
  run: async ({ flags, words: { file }, signal }) => {
    const { timeout: timeoutMs, workers, kind, fromText, choices, decimals, json } = flags;
    await using grader = new Grader({ timeoutMs, ...(workers === undefined ? {} : { workers }) });
    const options = {
      kind,
      fromText,
      choices,
      signal,
      ...(decimals === undefined ? {} : { decimals }),
    };
    const counts = new Map<Grade['equal'], number>();
    try {
      for await (const grade of grader.gradeAll(readPairs(file), options)) {
        counts.set(grade.equal, (counts.get(grade.equal) ?? 0) + 1);
        await print(json ? jsonLine('grade', grade) : told(grade));
        signal.throwIfAborted();
      }
    } catch (cause) {
      process.stdin.destroy(); // whoever writes to it may go on for long
      if (signal.aborted)
        throw new T1Error('ABORTED', 'interrupted; what is printed is graded, nothing is stored', { cause });
      throw cause;
    }
    const [equal, different, undecided] = [counts.get(true) ?? 0, counts.get(false) ?? 0, counts.get(null) ?? 0];
    if (!json) await print(`${equal} equal, ${different} different, ${undecided} undecided\n`);
  },
});

const MARK = new Map<Grade['equal'], string>([
  [true, '='],
  [false, '≠'],
  [null, '?'],
]);
const told = ({ equal, extracted, why }: Grade): string =>
  `${MARK.get(equal) ?? '?'} ${(extracted ?? '(none)').replace(/\s+/g, ' ').slice(0, 60)}  (${why})\n`;

/** Waits for a reader that is slower than the grader. */
async function print(text: string): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}

const answer = z.union([z.string(), z.number().transform(String), z.null()]);
const pairLine = z.object({ gold: answer, prediction: answer });

/**
 * Lines as they come, so that a file of any length streams through. Fields other than gold and prediction are left
 * alone.
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
