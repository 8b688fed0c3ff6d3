/** Problems with their answers, a line each. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { T1Error } from '../errors.js';

export interface DistillProblem {
  readonly id: string;
  readonly problem: string;
  /** Absent where nobody knows it: then nothing is dropped for disagreeing with it. */
  readonly answer?: string | undefined;
}

const line = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  problem: z.string().optional(),
  question: z.string().optional(),
  answer: z.union([z.string(), z.number()]).optional(),
});

/** GSM8K ends its solutions so (github.com/openai/grade-school-math). */
const GSM8K_ANSWER = /####\s*(.+?)\s*$/;

/**
 * @param path JSONL of `{id?, problem | question, answer?}`
 * @param range which lines, from 0, the second exclusive
 * @throws T1Error FILE_NOT_FOUND, INPUT with the line's number
 */
export function readProblems(path: string, range: readonly [number, number]): DistillProblem[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new T1Error('FILE_NOT_FOUND', `cannot read the task ${path}: check the path`, { cause });
  }
  const problems = text
    .split('\n')
    .flatMap((row, i) => (row.trim() === '' ? [] : [toProblem(row, `${path}, line ${i + 1}`, i)]));
  if (problems.length === 0) throw new T1Error('INPUT', `${path} holds no problem`);
  return problems.slice(...range);
}

function toProblem(row: string, where: string, number: number): DistillProblem {
  let value: unknown;
  try {
    value = JSON.parse(row);
  } catch (cause) {
    throw new T1Error('INPUT', `${where} is not JSON`, { cause });
  }
  const parsed = line.safeParse(value);
  const problem = parsed.data?.problem ?? parsed.data?.question;
  if (!parsed.success || problem === undefined || problem.trim() === '') {
    throw new T1Error('INPUT', `${where} has no text in 'problem' or 'question'`);
  }
  const answer = parsed.data.answer === undefined ? undefined : String(parsed.data.answer);
  return {
    id: String(parsed.data.id ?? number),
    problem,
    answer: answer === undefined ? undefined : (GSM8K_ANSWER.exec(answer)?.[1] ?? answer),
  };
}
