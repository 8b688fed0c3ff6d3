/**
 * Programs that a large model wrote for GSM8K, with what they printed when they were recorded. The data
 * is not part of the repository; where it is absent this test is skipped.
 *
 * Two of 1,307 differ, and only in how a failure is told: record 587 holds the text of a SyntaxError,
 * which is our status `error`; record 881 holds its recorder's time-out, which is our status `timeout`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { allSandboxes } from './backends.js';
import { repositoryRoot } from './support.js';

const shared = process.env['T1_SHARED'] ?? join(repositoryRoot, '..', 'shared');
const file = join(shared, 'data', 'tora_gsm8k_outputs', 'tora-70b-v1.0.jsonl');
const present = existsSync(file);
if (!present) console.log(`skipped: ${file} is not there; T1_SHARED names its folder`);

const Record = z.object({ idx: z.number(), code: z.array(z.string()).min(1) });

interface Recorded {
  readonly id: number;
  readonly code: string;
  readonly output: string;
}

function readRecorded(): Recorded[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { idx, code } = Record.parse(JSON.parse(line) as unknown);
    const blocks = /```python\n(?<code>[^]*?)```\s*```output\n(?<output>[^]*?)```/.exec(code[0] ?? '')?.groups;
    return { id: idx, code: blocks?.['code'] ?? '', output: (blocks?.['output'] ?? '').trim() };
  });
}

test.skipIf(!present).each(allSandboxes)(
  'recorded programs print what the record says: $name',
  { timeout: 240_000 },
  async ({ name, start }) => {
    const all = readRecorded();
    const needSympy = all.filter(({ code }) => /\bsympy\b/.test(code));
    const programs = all.filter((program) => !needSympy.includes(program));
    const expected = new Map(programs.map(({ id, output }) => [id, output]));
    await using sandbox = await start();
    const differences: string[] = [];
    let same = 0;
    for await (const { id, result } of sandbox.runBatch(programs, { timeoutMs: 5000 })) {
      if (result.stdout.trim() === expected.get(id)) same++;
      else
        differences.push(
          `${id}: ${result.status}, printed ${JSON.stringify(result.stdout)}, recorded ${JSON.stringify(expected.get(id))}; ${result.error?.type}: ${result.error?.message}`,
        );
    }
    console.log(
      `${name}: ${all.length} records, ${needSympy.length} need sympy, ${same} of ${programs.length} as recorded`,
    );
    for (const difference of differences) console.log(`  differs: ${difference}`);
    expect(all).toHaveLength(1319);
    expect(same / programs.length).toBeGreaterThanOrEqual(0.99);
  },
);
