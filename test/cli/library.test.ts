/** T1 as a library, in a process of its own: as README shows it, and how it ends. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/paths.js';
import { temporaryFolder } from '../support/t1.js';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** @returns how a module with this text ended by itself; killed, and `code` null, where it does not */
function run(text: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    cwd: packageRoot,
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, 'cache') },
    timeout: 90_000,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (data: Buffer) => (output[name] += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}

test('what README shows runs as it stands, and the process ends by itself', async () => {
  const [, example = ''] =
    /```ts\n(import \{ createSolver \}[^`]*)```/.exec(readFileSync(join(packageRoot, 'README.md'), 'utf8')) ?? [];
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(7);
  expect(await run(example)).toEqual({ code: 0, stdout: '142 true\n', stderr: '' });
});

test('what still runs when a solver closes ends with DISPOSED, and so does the process', async () => {
  const { code, stdout, stderr } = await run(`
    import { createSolver } from 't1';
    const solver = await createSolver({ database: false, samples: 64 });
    const solving = solver.solve('Tom has 2 pens and buys 3 more. How many pens does Tom have now?');
    const failed = solving.catch(({ code }) => console.log(code));
    for await (const { type } of solving) if (type === 'candidate') break;
    await Promise.all([solver.close(), solver.close(), failed]);
    await solver.solve('again').catch(({ code }) => console.log(code));
  `);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'DISPOSED\nDISPOSED\n', stderr: '' });
});

test('many problems side by side share what is loaded', async () => {
  const { code, stdout, stderr } = await run(`
    import { createSolver } from 't1';
    const solver = await createSolver({ database: false, samples: 4 });
    const answers = await Promise.all([2, 3, 4].map(async (pens) => {
      const { problem, candidates } = await solver.solve(\`Tom has \${pens} pens and buys 3 more. How many pens does Tom have now?\`);
      return [problem.includes(\`has \${pens} pens\`), candidates.length];
    }));
    await solver.close();
    console.log(JSON.stringify(answers));
  `);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '[[true,4],[true,4],[true,4]]\n', stderr: '' });
});
