"""Of the disk, only some folders, and these for reading: Landlock, which needs no privileges (Linux 5.13 and newer).

It hides the content of files and folders; that a file exists, and how long it is, can still be asked.
Source: landlock(7), <linux/landlock.h>.
"""
import ctypes
import errno
import os
import struct

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIRECTORY = 1 << 2, 1 << 3
_PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)


def _syscall(what, *arguments):
    result = _libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock cannot {what}")
    return result


def _attributes(version):
    """struct landlock_ruleset_attr: every right on files, TCP, abstract sockets and signals that the kernel can take away."""
    file_rights = 13 if version == 1 else 14 if version == 2 else 15 if version < 5 else 16
    fields = [(1 << file_rights) - 1]
    if version >= 4:
        fields.append(0b11)  # bind, connect
    if version >= 6:
        fields.append(0b11)  # abstract sockets, signals
    return struct.pack(f"={len(fields)}Q", *fields)


def restrict(folders):
    """Takes from this process and its children all of the disk but reading below `folders`.

    :raises OSError: ENOSYS or EOPNOTSUPP where the kernel has no Landlock
    """
    size = ctypes.c_size_t
    version = _syscall("say its version", _CREATE_RULESET, None, size(0), _VERSION_FLAG)
    attributes = _attributes(version)
    ruleset = _syscall("make rules", _CREATE_RULESET, attributes, size(len(attributes)), 0)
    for folder in folders:
        beneath = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        rights = _READ_FILE | _READ_DIRECTORY if os.path.isdir(folder) else _READ_FILE
        # struct landlock_path_beneath_attr, packed
        _syscall("add a rule", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, beneath), 0)
        os.close(beneath)
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(errno.EPERM, "no_new_privs was refused")
    _syscall("restrict the process", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
