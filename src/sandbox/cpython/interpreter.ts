/** The system's Python: which one, and what of the disk it needs. Only our own script runs here, never a program. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { T1Error } from '../../errors.js';
import { message, named, type Message } from '../../message.js';
import { executablesOnPath } from './on-path.js';

/** The Python files are run from the source tree by the build as well. */
export const serverFolder = fileURLToPath(new URL('../../../src/sandbox/cpython/server/', import.meta.url));

const DESCRIBE_TIMEOUT_MS = 20_000;
const OTHERWISE = message`name another with ${named('sandbox.python')}, or use ${named('sandbox.backend')} pyodide`;

const version = z
  .array(z.number())
  .length(3)
  .transform((parts) => parts.join('.'));
const installed = z.strictObject({ folder: z.string(), version: z.string() }).nullable();
const Description = z.union([
  z.strictObject({ tooOld: version }),
  z.strictObject({
    /** The program itself, behind shims, links and virtual environments. */
    executable: z.string(),
    implementation: z.string(),
    version,
    hasPidfd: z.boolean(),
    /** Folders and archives of the standard library. */
    library: z.array(z.string()).min(1),
    /** Folders of the shared libraries. */
    libraries: z.array(z.string()),
    packages: z.strictObject({ sympy: installed, mpmath: installed }),
  }),
]);

export type Interpreter = Extract<z.infer<typeof Description>, { executable: string }>;

const described = new Map<string, Promise<Interpreter>>();

/**
 * The interpreter that the user names, or the first usable python3 on the PATH.
 *
 * @throws T1Error FILE_NOT_FOUND if the one that is named cannot be run; SANDBOX_UNAVAILABLE if there is none that can
 *   be used
 */
export async function findInterpreter(chosen?: string): Promise<Interpreter> {
  if (chosen !== undefined) return describe(chosen, true);
  const reasons: Message[] = [];
  for (const path of executablesOnPath('python3')) {
    try {
      return await describe(path, false);
    } catch (error) {
      if (!(error instanceof T1Error)) throw error;
      reasons.push(error.text);
    }
  }
  throw unavailable(reasons[0] ?? message`there is no python3 on the PATH: install Python 3.9 or newer, ${OTHERWISE}`);
}

/** One question to each interpreter per process, whatever the number of sandboxes. */
function describe(path: string, isChosen: boolean): Promise<Interpreter> {
  const known = described.get(path);
  if (known) return known;
  const asked = ask(path, isChosen);
  described.set(path, asked);
  asked.catch(() => described.delete(path));
  return asked;
}

async function ask(path: string, isChosen: boolean): Promise<Interpreter> {
  const answer = Description.safeParse(await run(path, isChosen));
  if (!answer.success) throw unavailable(message`${path} did not say what it is, so it is no Python 3: ${OTHERWISE}`);
  const found = answer.data;
  if ('tooOld' in found)
    throw unavailable(message`${path} is Python ${found.tooOld}, and 3.9 or newer is needed: ${OTHERWISE}`);
  if (found.implementation !== 'cpython')
    throw unavailable(message`${path} is ${found.implementation}, and CPython is needed: ${OTHERWISE}`);
  if (!found.hasPidfd) throw unavailable(message`${path} has no os.pidfd_open (Linux 5.3 and newer): ${OTHERWISE}`);
  return found;
}

async function run(path: string, isChosen: boolean): Promise<unknown> {
  try {
    // A shim finds its interpreter by the user's variables; -I keeps them from Python itself.
    const options = { timeout: DESCRIBE_TIMEOUT_MS, maxBuffer: 1 << 20 };
    const { stdout } = await promisify(execFile)(path, ['-I', '-S', join(serverFolder, 'describe.py')], options);
    return JSON.parse(stdout) as unknown;
  } catch (cause) {
    const why = firstLine(cause);
    const code = isChosen ? 'FILE_NOT_FOUND' : 'SANDBOX_UNAVAILABLE';
    const mend = isChosen ? message`check ${named('sandbox.python')}` : OTHERWISE;
    throw new T1Error(code, message`cannot run ${path} as a Python (${why}): ${mend}`, { cause });
  }
}

function firstLine(error: unknown): string {
  if (error instanceof SyntaxError) return 'it does not answer like one';
  const text = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
  return text.split('\n')[0] ?? text;
}

const unavailable = (text: string | Message): T1Error => new T1Error('SANDBOX_UNAVAILABLE', text);
