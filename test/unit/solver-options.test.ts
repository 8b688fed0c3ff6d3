/** What a solver says of options that are none: the option's name and what may be, never a TypeError. */
import { expect, test } from 'vitest';
import { createSolver, type SolverOptions } from '../../src/solver.js';

test.each([
  [{ sandbox: 'cpython' }, 'sandbox', /an object, as/],
  [{ engine: 'x' }, 'engine', /what loadEngine gives/],
  [{ engine: { threads: 0 } }, 'engine', /what loadEngine gives/],
  [{ adapters: { tool: 'x.gguf' } }, 'adapters', /a list of/],
  [{ adapters: ['x.gguf'] }, 'adapters', /a list of/],
  [{ signal: 5 }, 'signal', /an AbortSignal/],
  [{ model: '' }, 'model', /path of a GGUF/],
  [{ model: 5 }, 'model', /path of a GGUF/],
  [{ database: true }, 'database', /path of a file, false/],
  [null, undefined, /an object with settings/],
  [5, undefined, /an object with settings/],
])('%j', async (options, setting, message) => {
  await expect(createSolver(options as unknown as SolverOptions)).rejects.toMatchObject({
    code: 'USAGE',
    setting,
    message: expect.stringMatching(message) as string,
  });
});
