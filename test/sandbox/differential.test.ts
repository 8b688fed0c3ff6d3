/**
 * The same programs in both Pythons: status, standard output, value, and type and line of errors are to be the same.
 * 200 generated programs, or as many as T1_DIFFERENTIAL says (2000 is the whole set).
 */
import { expect, test } from 'vitest';
import type { ProgramResult } from '../../src/sandbox/sandbox.js';
import { allSandboxes, cpythonSandboxes, type TestedSandbox } from './backends.js';
import { generateProgram, type Difference, type GeneratedProgram } from './fixtures/generated-programs.js';

const count = Number(process.env['T1_DIFFERENTIAL'] ?? 200);

interface Shown {
  readonly status: string;
  readonly stdout: string;
  readonly value: string | null;
  readonly error: { readonly type: string; readonly message: string; readonly line: number | null } | null;
}

const textual =
  (change: (text: string) => string) =>
  ({ stdout, value, ...rest }: Shown): Shown => ({
    ...rest,
    stdout: change(stdout),
    value: value === null ? null : change(value),
  });

/** Every kind of difference that is known: why, and what is left to compare. Nothing else may differ. */
const EXPLAINED: Readonly<Record<Difference, { readonly why: string; readonly rest: (shown: Shown) => Shown }>> = {
  message: {
    why: 'Pyodide is Python 3.14, which words many exceptions otherwise than the versions that systems have; their types and lines are the same',
    rest: ({ stdout, error, ...others }) => ({
      ...others,
      stdout: stdout.replace(/^(\w+(?:Error|Exception|StopIteration|InvalidOperation)): .*$/gm, '$1'),
      error: error && { ...error, message: '' },
    }),
  },
  'last digits': {
    why: 'WebAssembly brings a C library of its own, whose sin, exp or gamma is rounded otherwise in the last digits',
    rest: textual((text) => text.replace(/\d+\.\d{8,}(e[-+]\d+)?/g, (number) => Number(number).toPrecision(12))),
  },
  'order of a set': {
    why: "the order of a set is nobody's promise: hashes of strings have 32 bits in WebAssembly and 64 elsewhere, and where hashes collide (in a united set of whole numbers, 2 of 2000 programs) versions of Python place them otherwise",
    rest: textual((text) => text.replace(/\{[^{}:]*\}/g, (set) => set.slice(1, -1).split(', ').sort().join(', '))),
  },
  'size of a word': {
    why: 'sys.maxsize, hash() and sys.getsizeof() tell of 32 bits in WebAssembly and 64 bits elsewhere',
    rest: textual((text) => text.replace(/^(2147483647|9223372036854775807) -?\d+ \d+ \d+$/gm, 'sizes')),
  },
};

async function runAll(
  { start }: TestedSandbox,
  programs: readonly GeneratedProgram[],
): Promise<Map<number, ProgramResult>> {
  await using sandbox = await start();
  const results = new Map<number, ProgramResult>();
  for await (const { id, result } of sandbox.runBatch(programs, { timeoutMs: 30_000 })) results.set(id, result);
  return results;
}

const shown = ({ status, stdout, value, error }: ProgramResult): Shown => ({
  status,
  stdout,
  value,
  error: error && { type: error.type, message: error.message, line: error.line },
});

const same = (a: Shown, b: Shown): boolean => JSON.stringify(a) === JSON.stringify(b);

test.skipIf(cpythonSandboxes.length === 0)(
  `${count} generated programs come to the same in both`,
  { timeout: 60_000 + 200 * count },
  async () => {
    const programs = Array.from({ length: count }, (_, id) => generateProgram(id));
    const [pyodide, cpython] = [allSandboxes[0], cpythonSandboxes[0]];
    if (!pyodide || !cpython) throw new Error('two sandboxes are needed');
    const [left, right] = [await runAll(pyodide, programs), await runAll(cpython, programs)];
    const explained = new Map<string, number>();
    const statuses = new Map<string, number>();
    const unexplained: object[] = [];
    for (const { id, code, differs } of programs) {
      const [a, b] = [left.get(id), right.get(id)].map((result) => (result ? shown(result) : undefined));
      if (!a || !b) throw new Error(`program ${id} did not run`);
      statuses.set(b.status, (statuses.get(b.status) ?? 0) + 1);
      if (same(a, b)) continue;
      const kinds = [...differs].filter(
        (kind) => !same(EXPLAINED[kind].rest(a), a) || !same(EXPLAINED[kind].rest(b), b),
      );
      const rest = (result: Shown) => kinds.reduce((left, kind) => EXPLAINED[kind].rest(left), result);
      if (!same(rest(a), rest(b))) unexplained.push({ id, code, pyodide: a, cpython: b });
      else for (const kind of kinds) explained.set(kind, (explained.get(kind) ?? 0) + 1);
    }
    const different = [...explained].map(([kind, times]) => `${times} ${kind}`).join(', ');
    console.log(
      `${count} programs (${[...statuses].map(([status, times]) => `${times} ${status}`).join(', ')}); explained differences: ${different || 'none'}`,
    );
    for (const each of unexplained.slice(0, 10)) console.log(each);
    expect(unexplained).toHaveLength(0);
    expect(statuses.get('ok') ?? 0).toBeGreaterThan(count / 2);
  },
);
