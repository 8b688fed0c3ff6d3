/**
 * Public test vectors of other graders, where they lie beside the checkout; they are not part of this repository.
 * What is missed, and why: docs/grading.md.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { Grader } from '../../src/grade/grader.js';
import { packageRoot } from '../../src/paths.js';

const DATA = join(process.env['T1_SHARED'] ?? join(packageRoot, '..', 'shared'), 'data');
const grader = new Grader({ timeoutMs: 20_000 });
afterAll(() => grader.dispose());

const vector = z.object({
  id: z.string(),
  gold: z.string().nullable(),
  prediction: z.string().nullable(),
  expected: z.boolean(),
  kind: z.enum(['math', 'choice_letter']),
  tags: z.array(z.string()).default([]),
});

const lines = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

test('at least 98 % of the vectors without a tag', async ({ skip }) => {
  const path = join(DATA, 'grader_vectors', 'triples.jsonl');
  if (!existsSync(path)) return skip('the public test vectors are not here');
  const untagged = lines(path)
    .map((line) => vector.parse(line))
    .filter(({ tags }) => tags.length === 0);
  const missed: string[] = [];
  for (const { id, gold, prediction, expected, kind } of untagged) {
    const { equal } = await grader.grade(gold, prediction, { kind: kind === 'math' ? 'math' : 'choice' });
    if (equal !== expected) missed.push(id);
  }
  expect(1 - missed.length / untagged.length, missed.join(' ')).toBeGreaterThanOrEqual(0.98);
});

const problem = z.object({ answer: z.string(), solution: z.string() });

test("the answers of MATH-500 are what its solutions state, and nothing else's", { timeout: 120_000 }, async ({
  skip,
}) => {
  const path = join(DATA, 'math500', 'test.jsonl');
  if (!existsSync(path)) return skip('MATH-500 is not here');
  const problems = lines(path).map((line) => problem.parse(line));
  const verdicts = new Map<boolean | null, number>();
  for (const [i, { answer, solution }] of problems.entries()) {
    const { equal } = await grader.grade(answer, solution, { fromText: true, kind: 'math' });
    expect([answer, equal]).toEqual([answer, true]);
    const other = problems[(i + 137) % problems.length]?.answer ?? '';
    if (other === answer) continue;
    const verdict = (await grader.grade(answer, other, { kind: 'math' })).equal;
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  expect(verdicts.get(true) ?? 0).toBeLessThanOrEqual(1);
});
