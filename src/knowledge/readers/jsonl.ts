/** JSONL: one `{"id", "title"?, "text"}` a line, as BEIR and Anserini have them; other keys are left alone. */
import { z } from 'zod';
import { T1Error } from '../../errors.js';
import type { Passage } from '../passage.js';
import { linesOf } from './lines.js';

const idValue = z.union([z.string().min(1), z.int().transform(String)]);

const passageLine = z
  .looseObject({ id: idValue.optional(), _id: idValue.optional(), title: z.string().nullish(), text: z.string() })
  .transform(({ id, _id, title, text }, context) => {
    const used = id ?? _id;
    if (used === undefined) {
      context.addIssue({ code: 'custom', message: 'id is missing' });
      return z.NEVER;
    }
    // A lone surrogate could not be stored as it is.
    return { id: used.toWellFormed(), title: title ? title.toWellFormed() : null, text: text.toWellFormed() };
  });

const queryLine = z
  .looseObject({ id: idValue.optional(), _id: idValue.optional(), text: z.string() })
  .transform(({ id, _id, text }, context) => {
    const used = id ?? _id;
    if (used === undefined) {
      context.addIssue({ code: 'custom', message: 'id is missing' });
      return z.NEVER;
    }
    return { id: used, text };
  });

export type Query = z.output<typeof queryLine>;

export interface PlacedPassage {
  readonly passage: Passage;
  /** For messages: `FILE:LINE`, or whatever says where it is. */
  readonly where: string;
}

/** @throws T1Error INPUT that says which line and what is wrong with it */
export async function* jsonlPassages(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<PlacedPassage, void> {
  for await (const { text, number } of linesOf(chunks, name)) {
    const where = `${name}:${number}`;
    if (text.trim() !== '') yield { passage: parsedLine(text, passageLine, where, '{"id", "title"?, "text"}'), where };
  }
}

/** @throws T1Error INPUT that says which line and what is wrong with it */
export async function* jsonlQueries(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Query, void> {
  for await (const { text, number } of linesOf(chunks, name)) {
    if (text.trim() !== '') yield parsedLine(text, queryLine, `${name}:${number}`, '{"id", "text"}');
  }
}

function parsedLine<T>(line: string, shape: z.ZodType<T>, where: string, wanted: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new T1Error('INPUT', `${where}: not JSON, where a line of ${wanted} belongs: mend the line`, { cause });
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  throw new T1Error('INPUT', `${where}: no line of ${wanted} (${key}${issue?.message ?? 'not usable'}): mend the line`);
}
