"""What a program may ask of the kernel: a list of allowed system calls as a BPF program, for x86-64 and arm64.

Everything else fails with EPERM: new processes and threads, exec, sockets, signals, ptrace, writing to files, io_uring,
bpf, userfaultfd, memfd, … A call in the numbering of another architecture (32-bit, x32) ends the process.
Sources: seccomp(2); <asm/unistd_64.h> and <asm-generic/unistd.h> for the numbers; <linux/filter.h> for the codes.
"""
import ctypes
import errno
import os
import platform
import struct

# AUDIT_ARCH_* of <linux/audit.h>
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_NUMBERS = {
    "x86_64": {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "ioctl": 16, "pread64": 17, "select": 23, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35,
        "getpid": 39, "exit": 60, "fcntl": 72, "getcwd": 79, "readlink": 89, "gettimeofday": 96, "getuid": 102,
        "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "sigaltstack": 131, "gettid": 186, "time": 201,
        "futex": 202, "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
        "clock_nanosleep": 230, "exit_group": 231, "openat": 257, "newfstatat": 262, "readlinkat": 267,
        "pselect6": 270, "getrandom": 318, "statx": 332,
    },
    "aarch64": {
        "getcwd": 17, "fcntl": 25, "ioctl": 29, "openat": 56, "close": 57, "getdents64": 61, "lseek": 62, "read": 63,
        "write": 64, "pread64": 67, "pselect6": 72, "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93,
        "exit_group": 94, "futex": 98, "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114,
        "clock_nanosleep": 115, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174,
        "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216,
        "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278, "statx": 291,
    },
}

# struct sock_filter {u16 code; u8 jt, jf; u32 k}; jumps count instructions from the next one.
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_REFUSE = _ERRNO | errno.EPERM
_PRETEND_SUCCESS = _ERRNO | 0
# struct seccomp_data {int nr; u32 arch; u64 instruction_pointer; u64 args[6]}, little-endian: the lower half comes first.
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

_TCGETS = 0x5401
_F_GETFL = 3
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


def _argument(index):
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * index)


def _checks(kept_descriptors):
    """Calls that are allowed with some arguments only: [argument, test, return if it holds, return if not]."""
    return {
        "open": (_argument(1), (_ANY_BIT, _WRITING), _REFUSE, _ALLOW),
        "openat": (_argument(2), (_ANY_BIT, _WRITING), _REFUSE, _ALLOW),
        "ioctl": (_argument(1), (_EQUAL, _TCGETS), _ALLOW, _REFUSE),
        "fcntl": (_argument(1), (_AT_LEAST, _F_GETFL + 1), _REFUSE, _ALLOW),
        # The result must get out whatever a program closes.
        "close": (_argument(0), (_AT_LEAST, kept_descriptors), _ALLOW, _PRETEND_SUCCESS),
    }


def _instructions(machine, kept_descriptors):
    yield (_LOAD, 0, 0, _ARCHITECTURE_AT)
    yield (_EQUAL, 1, 0, _ARCHITECTURES[machine])
    yield (_RETURN, 0, 0, _KILL_PROCESS)
    yield (_LOAD, 0, 0, _NUMBER_AT)
    if machine == "x86_64":
        yield (_AT_LEAST, 0, 1, _X32_BIT)
        yield (_RETURN, 0, 0, _KILL_PROCESS)
    checks = _checks(kept_descriptors)
    for name, number in _NUMBERS[machine].items():
        if name not in checks:
            yield (_EQUAL, 0, 1, number)
            yield (_RETURN, 0, 0, _ALLOW)
            continue
        load, (test, operand), if_true, if_false = checks[name]
        yield (_EQUAL, 0, 4, number)
        yield load
        yield (test, 0, 1, operand)
        yield (_RETURN, 0, 0, if_true)
        yield (_RETURN, 0, 0, if_false)
    yield (_RETURN, 0, 0, _REFUSE)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


class Filter:
    """The filter for this machine, ready to be put on.

    :param kept_descriptors: file descriptors below this stay open; closing them only seems to succeed
    :raises OSError: ENOTSUP where there is no table for the machine
    """

    def __init__(self, kept_descriptors):
        machine = platform.machine()
        if machine not in _NUMBERS or struct.calcsize("P") != 8:
            raise OSError(errno.ENOTSUP, f"no table of system calls for {machine}")
        instructions = [_INSTRUCTION.pack(*each) for each in _instructions(machine, kept_descriptors)]
        self._bytes = ctypes.create_string_buffer(b"".join(instructions))
        self._program = _Program(len(instructions), ctypes.addressof(self._bytes))
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def install(self):
        """Puts the filter on this process, for good. :raises OSError:"""
        for arguments in (
            (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(self._program), 0, 0),
        ):
            if self._prctl(*arguments) != 0:
                raise OSError(ctypes.get_errno(), "the kernel refused the filter of system calls")
