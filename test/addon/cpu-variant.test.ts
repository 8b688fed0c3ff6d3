/** T1_CPU_VARIANT: llama.cpp's CPU code, chosen for a process. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { libraryFolder } from '../../native/llama.mjs';
import { packageRoot } from '../../src/paths.js';
import { t1 } from '../support/t1.js';

const addon = join(packageRoot, 'build', 'Release', 't1_engine.node');
const Answer = z.union([
  z.object({ build: z.string(), cpu: z.string() }),
  z.object({ code: z.string(), message: z.string() }),
]);

/**
 * What the addon says in a process of its own. It asks twice: a refusal must not leave a half-loaded backend to the
 * next call.
 */
function ask(variant: string | undefined): z.infer<typeof Answer> {
  const program = `
    const { build, devices } = require(${JSON.stringify(addon)});
    try { devices(); } catch {}
    try { console.log(JSON.stringify({ build: build(0, ''), cpu: devices().find(({ type }) => type === 'cpu').description })); }
    catch ({ code, message }) { console.log(JSON.stringify({ code, message })); }`;
  const { T1_CPU_VARIANT: _, ...environment } = process.env;
  const output = execFileSync(process.execPath, ['-e', program], {
    env: { ...environment, ...(variant !== undefined && { T1_CPU_VARIANT: variant }) },
    encoding: 'utf8',
  });
  return Answer.parse(JSON.parse(output));
}

const NO_NAME = 'no-such';
const refusal = ask(NO_NAME);
/** None where the CPU backend is built in: there is nothing to choose. */
const usable = 'message' in refusal ? (/ \(it can run (.+)\)$/.exec(refusal.message)?.[1]?.split(', ') ?? []) : [];
const answers = new Map(usable.map((variant) => [variant, ask(variant)]));
const installed =
  usable.length > 0
    ? readdirSync(libraryFolder(packageRoot)).flatMap((name) => /^libggml-cpu-(.+)\.so$/.exec(name)?.[1] ?? [])
    : [];
const refused = installed.filter((variant) => !usable.includes(variant));
if (usable.length < 2) console.log('cpu variant: choosing one skipped, llama.cpp has no two here');
if (refused.length === 0)
  console.log('cpu variant: refusal of code for a newer processor skipped, this one runs all there is');

describe.skipIf(usable.length < 2)('a variant that this processor runs', () => {
  test("is loaded, and no other; the engine's build names it", () => {
    for (const [variant, answer] of answers) {
      expect(answer).toEqual({
        cpu: expect.stringMatching(`\\(code for ${variant}\\)$`) as string,
        build: expect.stringMatching(`CPU .*\\(code for ${variant}\\)$`) as string,
      });
    }
    expect(new Set([...answers.values()].map((answer) => 'build' in answer && answer.build)).size).toBe(usable.length);
  });

  test('is chosen where none is named, and then named as well', () => {
    const chosen = ask(undefined);
    expect([...answers.values()]).toContainEqual(chosen);
    expect(ask('')).toEqual(chosen);
  });

  test('is what t1 inspect gpu tells', async () => {
    const [variant = ''] = usable;
    const { code, stdout } = await t1(['inspect', 'gpu'], { environment: { T1_CPU_VARIANT: variant } });
    expect(stdout).toContain(`(code for ${variant})`);
    expect(code).toBe(0);
  });
});

test.skipIf(refused.length === 0)('a variant that this processor lacks instructions for is refused', () => {
  for (const variant of refused) {
    expect(ask(variant)).toEqual({
      code: 'USAGE',
      message: expect.stringMatching(`^T1_CPU_VARIANT='${variant}': this processor cannot run it`) as string,
    });
  }
});

test.skipIf(usable.length === 0)('a name that is none is refused, with those that can be run', () => {
  for (const name of [NO_NAME, '../zen4', 'x64.so']) {
    expect(ask(name)).toEqual({
      code: 'USAGE',
      message: `T1_CPU_VARIANT='${name}': there is no variant of this name (it can run ${[...usable].sort().join(', ')})`,
    });
  }
});

test.each([
  ['inspect', 'gpu'],
  ['inspect', 'model'],
  ['solve', 'What is 1 + 1?'],
])('t1 %s %s says so in one line', async (...args) => {
  const { code, stdout, stderr } = await t1(args, { environment: { T1_CPU_VARIANT: NO_NAME } });
  expect(stderr).toMatch(/^t1: USAGE: T1_CPU_VARIANT[^\n]*\n$/);
  expect([code, stdout]).toEqual([2, '']);
});
