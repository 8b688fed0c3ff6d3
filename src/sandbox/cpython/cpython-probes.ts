/** Ways out of a CPython process. Each prints ESCAPED only if a layer of the sandbox is not there. */
import { COMMON_PROBES, ESCAPED, type Probes } from '../probes.js';

const LAYERS: Probes = {
  // bubblewrap or Landlock
  'a file of the host': `
for path in ('/etc/passwd', '/etc/hostname', '/etc/os-release', '/proc/self/environ', '/proc/version', '/proc/self/maps'):
    try:
        open(path).read(1)
        print('${ESCAPED}')
    except OSError: pass`,
  // an empty environment
  'the host environment': `
import os
if set(os.environ) - {'PYTHONHASHSEED', 'TZ', 'LANG', 'LC_CTYPE', 'PWD'}: print('${ESCAPED}')`,
  // another user
  "root's rights": `
import os
if 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid()): print('${ESCAPED}')`,
  // closed descriptors
  'a descriptor of the server': `
import os
for descriptor in range(4, 64):
    try:
        os.fstat(descriptor)
        print('${ESCAPED}')
    except OSError: pass`,
  // the filter of system calls
  'a new process': `
import os
if os.fork() >= 0: print('${ESCAPED}')`,
  'a thread': `
import threading
threading.Thread(target=print).start()
print('${ESCAPED}')`,
  'another process by a signal': `
import os
for process in (os.getppid(), 1, os.getpid(), -1):
    try:
        os.kill(process, 0)
        print('${ESCAPED}')
    except OSError: pass`,
  'exec by ctypes': `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
if libc.execve(b'/', None, None) != -1 or ctypes.get_errno() != errno.EPERM: print('${ESCAPED}')`,
  'tracing by ctypes': `
import ctypes
if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0: print('${ESCAPED}')`,
  // io_uring_setup, pidfd_open, clone3, close_range, openat2, memfd_secret: numbers that all machines share
  'the kernel by raw system calls': `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for number in (425, 434, 435, 436, 437, 447):
    if libc.syscall(number, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM: print('${ESCAPED}')`,
  'its own limits': `
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
print('${ESCAPED}')`,
};

/** @param topFolders names that the server's root folder may show, where it can be read at all */
export const cpythonProbes = (topFolders: readonly string[]): Probes => ({
  ...COMMON_PROBES,
  ...LAYERS,
  'a folder of the host': `
import os
for path, expected in (('/', ${JSON.stringify(topFolders)}), ('/etc', ['ld.so.cache']), ('/proc', []), ('/var', []), ('/sys', [])):
    try:
        if set(os.listdir(path)) - set(expected): print('${ESCAPED}')
    except OSError: pass`,
});
