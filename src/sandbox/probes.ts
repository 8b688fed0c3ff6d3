/** Ways out that the self-test tries. Each prints ESCAPED only if it reached something outside. */

export type Probes = Readonly<Record<string, string>>;

export const ESCAPED = 'ESCAPED';

export const COMMON_PROBES: Probes = {
  'a host command by os.system': `
import os
if os.system('exit 0') == 0: print('${ESCAPED}')`,
  'a subprocess': `
import subprocess
subprocess.run(['node', '--version'], capture_output=True)
print('${ESCAPED}')`,
  'a socket': `
import socket
socket.socket()
print('${ESCAPED}')`,
  'writing a file': `
open('/tmp/t1-probe', 'w')
print('${ESCAPED}')`,
};

/** As much as the cap, which Python itself has already used a part of. */
export const memoryProbe = (bytes: number): string => `
x = bytearray(${bytes})
print('${ESCAPED}')`;

export const PYODIDE_PROBES: Probes = {
  ...COMMON_PROBES,
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
  'a file of the host': `
import os
for path in ('/etc/hostname', '/etc/passwd', '/mnt', '/usr', 'C:/Windows'):
    if os.path.exists(path): print('${ESCAPED}')`,
  'the host environment': `
import os
if 'PATH' in os.environ and '/usr' in os.environ['PATH']: print('${ESCAPED}')`,
};
