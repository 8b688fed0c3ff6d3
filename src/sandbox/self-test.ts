/**
 * Tries to get out before any untrusted program runs. A gate that does not hold, for instance after an
 * update of Pyodide or Node, must stop everything: there is nothing weaker to fall back to.
 */
import { T1Error } from '../errors.js';
import type { Job, ProgramResult } from './program.js';

const ESCAPED = 'ESCAPED';

/** Each prints ESCAPED only if it reached something outside. */
const PROBES: Readonly<Record<string, string>> = {
  'a host command by os.system': `
import os
if os.system('exit 0') == 0: print('${ESCAPED}')`,
  'a subprocess': `
import subprocess
subprocess.run(['node', '--version'], capture_output=True)
print('${ESCAPED}')`,
  'JavaScript by the js module': `
import sys
sys.modules.pop('js', None)
import js
# The mere question is denied; an answer, whatever it is, comes from JavaScript.
hasattr(js, 'process')
print('${ESCAPED}')`,
  'JavaScript by run_js': `
from pyodide.code import run_js
print('${ESCAPED}' if run_js('1 + 1') == 2 else '')`,
  'JavaScript by pyodide_js': `
import pyodide_js
hasattr(pyodide_js, 'FS')
print('${ESCAPED}')`,
  'JavaScript by ctypes': `
import _ctypes
run_script = _ctypes.dlsym(_ctypes.dlopen(None, 0), 'emscripten_run_script_int')
if _ctypes.call_cdeclfunction(run_script, (b'40 + 2',)) == 42: print('${ESCAPED}')`,
  'JavaScript by a leftover proxy': `
import sys
for module in list(sys.modules.values()):
    for value in list(getattr(module, '__dict__', {}).values()):
        if 'JsProxy' in [c.__name__ for c in type(value).__mro__]:
            if value.constructor.constructor('return 42')() == 42: print('${ESCAPED}')`,
  'a socket': `
import socket
socket.socket()
print('${ESCAPED}')`,
  'a file of the host': `
import os
for path in ('/etc/hostname', '/etc/passwd', '/mnt', '/usr', 'C:/Windows'):
    if os.path.exists(path): print('${ESCAPED}')`,
  'the host environment': `
import os
if 'PATH' in os.environ and '/usr' in os.environ['PATH']: print('${ESCAPED}')`,
  'writing a file': `
open('/tmp/t1-probe', 'w').write('x')
print('${ESCAPED}')`,
};

const CANARY = {
  code: 'import math, fractions\nprint(sum([1, 2, 3]), math.isqrt(17), fractions.Fraction(6, 4))\n2 ** 64',
  stdout: '6 4 3/2\n',
  value: '18446744073709551616',
};

const LIMITS = { timeoutMs: 20_000, outputBytes: 4096, seed: 0 };

/** As much as the cap, which Python itself has already used a part of. */
const memoryProbe = (bytes: number): string => `
x = bytearray(${bytes})
print('${ESCAPED}')`;

type Run = (job: Job) => Promise<ProgramResult>;

/** @throws T1Error SANDBOX_UNAVAILABLE naming the first probe that got out, or what does not work. */
export async function selfTest(run: Run, memoryBytes: number): Promise<void> {
  await expectCanary(run);
  const probes = { ...PROBES, 'memory above the limit': memoryProbe(memoryBytes) };
  for (const [name, code] of Object.entries(probes)) {
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
