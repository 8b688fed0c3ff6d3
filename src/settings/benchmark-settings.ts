/** Which problems a benchmark has, and where its run is kept. */
import { z } from 'zod';
import { FIELDS } from '../task/task.js';
import type { Given, SettingTable } from './setting.js';

const range = z.tuple([z.int().min(0), z.int().min(1)]).readonly();
type Range = z.output<typeof range>;

/** As it is written: `100`, or `50-100`. */
export const limitText = ([from, to]: Range): string => (from === 0 ? String(to) : `${from}-${to}`);

/** `100` is the first hundred, `50-100` those from the 50th on. */
const rangeText = z.string().transform((text, context): readonly [number, number] => {
  const match = /^(?:(\d+)-)?(\d+)$/.exec(text);
  if (match) return [Number(match[1] ?? 0), Number(match[2])];
  context.addIssue({ code: 'custom' });
  return z.NEVER;
});

const columns = z.partialRecord(z.enum(FIELDS), z.string().regex(/^[\p{L}_][\p{L}\p{N}_]*$/u)).readonly();

const columnTexts = z
  .array(z.string())
  .transform((pairs) => Object.fromEntries(pairs.map((pair) => pair.split('='))) as unknown)
  .pipe(columns);

export const limitSetting = {
  type: z
    .union([range, rangeText])
    .refine(([from, to]) => from < to)
    .optional(),
  group: 'Benchmark',
  help: 'how many problems, or which: 0-100',
  absent: 'all',
  expects: 'be a range, as 100 or 50-100',
  recorded: (limit: unknown) => (limit === undefined ? null : limitText(limit as Range)),
} as const;

/** A run keeps what its file holds, by its hash, and which problems of it. */
export const benchmarkSettings = {
  data: {
    type: z.string().min(1).optional(),
    group: 'Benchmark',
    help: "the task's file",
    absent: 'fetched once, where the task says from where',
    recorded: false,
  },
  map: {
    type: z.union([columns, columnTexts]).optional(),
    group: 'Benchmark',
    help: `FIELD=COLUMN for a file of one's own: ${FIELDS.join(', ')}`,
    absent: 'columns of these names',
    expects: `be FIELD=COLUMN with one of ${FIELDS.join(', ')}`,
    values: 1,
    recorded: false,
  },
  limit: limitSetting,
  categories: {
    type: z.array(z.string()).readonly().default([]),
    group: 'Benchmark',
    help: 'only problems of this one; several add up',
    flag: 'category',
    recordedAs: 'category',
  },
  seeds: {
    type: z.int().min(1).max(1000).default(1),
    group: 'Benchmark',
    help: 'how many seeds, from the first one on; intervals then include them',
    unit: 'seeds',
  },
  folder: {
    type: z.string().min(1).optional(),
    group: 'Benchmark',
    help: 'folder of the run; one that is there goes on',
    absent: 't1-runs/TASK-DATE',
    flag: 'out',
    recorded: false,
  },
} satisfies SettingTable;

export type BenchmarkSettings = Given<typeof benchmarkSettings>;
