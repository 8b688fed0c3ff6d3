/** A task's file as problems. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Template } from '@huggingface/jinja';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { message, named } from '../message.js';
import { packageRoot } from '../paths.js';
import { isParquet, parquetRecords } from './parquet.js';
import type { Task } from './task.js';

export interface TaskProblem {
  readonly id: string;
  readonly problem: string;
  /** The right answer, as the file has it. */
  readonly gold: string;
  readonly category?: string | undefined;
  readonly level?: string | undefined;
}

export interface TaskData {
  readonly problems: readonly TaskProblem[];
  /** Of the file as it lies there. */
  readonly sha256: string;
}

/**
 * @param path of the file; text is UTF-8, `.gz` or not
 * @throws T1Error FILE_NOT_FOUND; INPUT with the line, or the number of the record, from 1
 */
export async function readTaskFile(task: Task, path: string): Promise<TaskData> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new T1Error('FILE_NOT_FOUND', `cannot read the data of ${task.name} at ${path}: check the path`, { cause });
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { format, records } = await recordsOf(task, path, bytes);
  const read = reader(task);
  const problems = records.map((record, i) =>
    read(record, `${path}, ${format === 'jsonl' ? 'line' : 'record'} ${i + 1}`, i),
  );
  if (problems.length === 0) throw new T1Error('INPUT', `${path} holds no problem`);
  const twice = firstTwice(problems.map(({ id }) => id));
  if (twice !== undefined)
    throw new T1Error('INPUT', `${path} has two problems with the id '${twice}': ids must differ`);
  return {
    problems: task.only === undefined ? problems : chosen(task, problems, path, await idsOf(task.only)),
    sha256,
  };
}

const idsOf = async (file: string): Promise<string[]> =>
  (await readFile(join(packageRoot, file), 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** In the order of the data. */
function chosen({ name }: Task, problems: readonly TaskProblem[], path: string, ids: readonly string[]): TaskProblem[] {
  const there = new Set(problems.map(({ id }) => id));
  const absent = ids.filter((id) => !there.has(id));
  if (absent.length > 0)
    throw new T1Error(
      'INPUT',
      `${path} lacks ${absent.length} of the ${ids.length} problems of ${name}, '${absent[0] ?? ''}' among them: it is another file, or a part of the right one`,
    );
  const wanted = new Set(ids);
  return problems.filter(({ id }) => wanted.has(id));
}

/**
 * @param categories names, in whatever case
 * @throws T1Error USAGE when one is in no problem
 */
export function inCategories(problems: readonly TaskProblem[], categories: readonly string[]): readonly TaskProblem[] {
  if (categories.length === 0) return problems;
  const known = [...new Set(problems.flatMap(({ category }) => category ?? []))].sort();
  const wanted = new Set(categories.map((name) => name.toLowerCase()));
  const unknown = categories.find((name) => !known.some((each) => each.toLowerCase() === name.toLowerCase()));
  if (unknown !== undefined)
    throw new T1Error(
      'USAGE',
      `no problem is in '${unknown}': ${known.length > 0 ? `known are ${known.slice(0, 40).join(', ')}` : 'they have no categories'}`,
      { setting: 'categories' },
    );
  return problems.filter(({ category = '' }) => wanted.has(category.toLowerCase()));
}

function decoded(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes,
    );
  } catch (cause) {
    throw new T1Error(
      'INPUT',
      `${path} is damaged, or no UTF-8 text: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

type Format = Task['data']['format'];

/** What a task publishes as Parquet may be given as JSONL; a Parquet file is known by its content. */
async function recordsOf(
  { data }: Task,
  path: string,
  bytes: Buffer,
): Promise<{ readonly format: Format; readonly records: readonly unknown[] }> {
  const written = data.format === 'parquet' ? 'jsonl' : data.format;
  const format = isParquet(bytes) || /\.parquet$/i.test(path) ? 'parquet' : written;
  if (format === 'jsonl') return { format, records: linesOf(path, decoded(path, bytes)) };
  try {
    if (format === 'parquet') return { format, records: await parquetRecords(bytes) };
    const text = decoded(path, bytes);
    if (format === 'json') return { format, records: z.array(z.unknown()).parse(JSON.parse(text)) };
    return { format, records: parseCsv(text, { columns: true, skip_empty_lines: true, bom: true }) as unknown[] };
  } catch (cause) {
    if (cause instanceof T1Error) throw cause;
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new T1Error('INPUT', `${path} is no ${NAMES[format]} of records, or damaged: ${why}`, { cause });
  }
}

const NAMES = { json: 'JSON', csv: 'CSV', parquet: 'Parquet' } as const;

function linesOf(path: string, text: string): unknown[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (cause) {
      throw new T1Error('INPUT', `${path}, line ${i + 1} is not JSON`, { cause });
    }
  });
}

/** One record → one problem. */
function reader({ fields, answerAfter }: Task): (record: unknown, where: string, number: number) => TaskProblem {
  const compiled = Object.fromEntries(
    Object.entries(fields).map(([field, source]) => [field, source === undefined ? undefined : new Template(source)]),
  );
  return (record, where, number) => {
    if (typeof record !== 'object' || record === null) throw new T1Error('INPUT', `${where} is no record`);
    const value = (field: string): string => {
      try {
        return (compiled[field]?.render(record as Record<string, unknown>) ?? '').trim();
      } catch (cause) {
        throw new T1Error(
          'INPUT',
          `${where}: its ${field} cannot be made (${cause instanceof Error ? cause.message : String(cause)})`,
          { cause },
        );
      }
    };
    const whole = value('answer');
    const gold =
      answerAfter === undefined ? whole : whole.slice(whole.lastIndexOf(answerAfter) + answerAfter.length).trim();
    const problem = value('problem');
    for (const [field, text] of Object.entries({ problem, answer: gold })) {
      if (text === '')
        throw new T1Error(
          'INPUT',
          message`${where} has no ${field}: name its column with ${named('map')} ${field}=COLUMN`,
        );
    }
    return {
      id: value('id') || String(number),
      problem,
      gold,
      category: value('category') || undefined,
      level: value('level') || undefined,
    };
  };
}

function firstTwice(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}
