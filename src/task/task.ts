/** Benchmarks as data: where the problems are, what is asked, what the answer is. One JSON file each, versioned. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { T1Error } from '../errors.js';
import { packageRoot } from '../paths.js';
import { message } from '../prompt/profile.js';
import { verifiers } from '../verify/verify.js';

/** Jinja over the fields of a line. */
const template = z.string().min(1);

/** What a task does not say itself it has from the one that it extends. */
const extension = z.looseObject({ name: z.string(), extends: z.string().optional() });

const formats = ['jsonl', 'json', 'csv', 'parquet'] as const;

const taskSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** Raised when the same file would give other problems, prompts or answers. */
  version: z.int().positive(),
  title: z.string(),
  /** Home, licence, size; printed in the report. */
  source: z.string(),
  data: z.strictObject({
    format: z.enum(formats),
    /** Public home of the file, and what its content must be. */
    url: z.url().optional(),
    sha256: z.string().length(64).optional(),
    /** Path in this package, for what ships. */
    file: z.string().optional(),
  }),
  fields: z.strictObject({
    id: template.optional(),
    problem: template,
    answer: template,
    category: template.optional(),
    level: template.optional(),
  }),
  /** A file of this package with ids, one on each line, `#` before remarks: only these problems of the data. */
  only: z.string().optional(),
  /** The answer is what follows the last of these. */
  answerAfter: z.string().optional(),
  /** How the final answer is found in a solution. */
  extract: z.enum(['boxed', 'math', 'choice']),
  verifier: z.enum(Object.keys(verifiers) as [keyof typeof verifiers, ...(keyof typeof verifiers)[]]),
  /** What the solver is told, where the profile's own words do not fit. */
  solve: z.array(message).min(1).optional(),
});

export type Task = z.output<typeof taskSchema>;

const FOLDER = join(packageRoot, 'src', 'task', 'data');

export function builtInTasks(): Task[] {
  const written = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => extension.parse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))));
  return written.map(({ extends: base, ...own }) =>
    taskSchema.parse({ ...written.find(({ name }) => name === base), ...own }),
  );
}

export const FIELDS = ['id', 'problem', 'answer', 'category', 'level'] as const;

/** A file of the user's own: `{id?, problem, answer, category?, level?}`, other names by `mapping`. */
export const ownTask = (path: string, mapping: Readonly<Record<string, string>>): Task =>
  taskSchema.parse({
    name: 'own',
    version: 1,
    title: path,
    source: 'a file of the user',
    data: { format: formats.find((format) => new RegExp(`\\.${format}(\\.gz)?$`, 'i').test(path)) ?? 'jsonl' },
    fields: Object.fromEntries(FIELDS.map((field) => [field, `{{ ${mapping[field] ?? field} | default("") }}`])),
    extract: 'math',
    verifier: 'math',
  });

/** @throws T1Error USAGE that lists the known ones */
export function taskNamed(name: string): Task {
  const tasks = builtInTasks();
  const task = tasks.find((each) => each.name === name);
  if (task) return task;
  throw new T1Error(
    'USAGE',
    `no task '${name}': known are ${tasks.map((each) => each.name).join(', ')} and arithmetic; your own file is a path, as ./problems.jsonl`,
  );
}
