/**
 * Tries to get out before any untrusted program runs. A wall that does not hold, for instance after an
 * update of Pyodide, Node or the kernel, must stop everything: there is nothing weaker to fall back to.
 */
import { T1Error } from '../errors.js';
import { ESCAPED, memoryProbe, type Probes } from './probes.js';
import type { Job, ProgramResult } from './program.js';

const CANARY = {
  code: 'import math, fractions\nprint(sum([1, 2, 3]), math.isqrt(17), fractions.Fraction(6, 4))\n2 ** 64',
  stdout: '6 4 3/2\n',
  value: '18446744073709551616',
};

const LIMITS = { timeoutMs: 20_000, outputBytes: 4096, seed: 0 };

type Run = (job: Job) => Promise<ProgramResult>;

/** @throws T1Error SANDBOX_UNAVAILABLE naming the first probe that got out, or what does not work. */
export async function selfTest(run: Run, probes: Probes, memoryBytes: number): Promise<void> {
  await expectCanary(run);
  const all = { ...probes, 'memory above the limit': memoryProbe(memoryBytes) };
  for (const [name, code] of Object.entries(all)) {
    const result = await run({ ...LIMITS, code });
    if (result.stdout.includes(ESCAPED)) throw refusal(`the self-test reached ${name}`);
    if (result.status === 'died' || result.status === 'timeout') {
      throw refusal(`the self-test could not finish its probe of ${name} (${result.error.message})`);
    }
  }
  await expectCanary(run);
}

async function expectCanary(run: Run): Promise<void> {
  const result = await run({ ...LIMITS, code: CANARY.code });
  if (result.status === 'ok' && result.stdout === CANARY.stdout && result.value === CANARY.value) return;
  const got = result.error ? `${result.error.type}: ${result.error.message}` : result.stdout;
  throw refusal(`Python computes wrongly in it (${got})`);
}

function refusal(why: string): T1Error {
  return new T1Error('SANDBOX_UNAVAILABLE', `the sandbox is not safe to use here, nothing was run: ${why}`);
}
