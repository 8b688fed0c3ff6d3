/** What the paper reports for the same task, to be printed beside a run's own figures. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../paths.js';

const schema = z.strictObject({
  source: z.string(),
  /** Candidates of each column. */
  n: z.array(z.int()),
  /** Accuracy in %, one for each of `n`. */
  tasks: z.record(
    z.string(),
    z.array(z.strictObject({ model: z.string(), strategy: z.string(), accuracy: z.array(z.number()) })),
  ),
});

export interface PaperFigures {
  readonly source: string;
  readonly n: readonly number[];
  readonly rows: readonly { readonly model: string; readonly strategy: string; readonly accuracy: readonly number[] }[];
}

/** @returns undefined for a task that the paper has no table of */
export function paperFigures(task: string): PaperFigures | undefined {
  const { source, n, tasks } = schema.parse(
    JSON.parse(readFileSync(join(packageRoot, 'src', 'runs', 'data', 'paper.json'), 'utf8')),
  );
  const rows = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
  return rows && { source, n, rows };
}
