"""The fork server: imports Python's usual modules once, locks itself in, then forks a process for each program.

Started as `python3 main.py OPTIONS`, OPTIONS being JSON. Speaks frames with its parent on descriptor 3: four bytes of
length, little-endian, then JSON. When the parent closes that, it ends.
"""
import ctypes
import gc
import importlib
import json
import os
import signal
import struct
import sys
import types
import warnings

import landlock
import program
import seccomp

_PARENT = 3
_LENGTH = struct.Struct("<I")
_PR_SET_PDEATHSIG = 1


def _receive():
    """:returns: the parent's next message, or None when it is gone"""

    def read(count):
        data = b""
        while len(data) < count:
            part = os.read(_PARENT, count - len(data))
            if not part:
                return None
            data += part
        return data

    header = read(_LENGTH.size)
    body = header and read(_LENGTH.unpack(header)[0])
    return None if body is None else json.loads(body)


def _send(message):
    body = json.dumps(message).encode()
    view = memoryview(_LENGTH.pack(len(body)) + body)
    while view:
        view = view[os.write(_PARENT, view) :]


def _import_modules(names, folders):
    """:param folders: where else to look; not after this, so that nothing but what was asked for is found there"""
    before = sys.path[:]
    sys.path.extend(folders)
    for name in names:
        importlib.import_module(name)
    sys.path[:] = before


def _warm_up_sympy():
    """What SymPy imports and builds at first use, programs then find done."""
    sympy = sys.modules["sympy"]
    x = sympy.Symbol("x")
    sympy.solve(x**2 - 1, x)
    sympy.simplify(x + x)
    sympy.integrate(sympy.sin(x), x)
    sympy.factorint(360)


def _load_runner(path):
    """The function that runs a program, the same as in the other backend."""
    scope = {"__name__": "runner"}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), "<runner>", "exec"), scope)
    return scope["run_program"]


def _hide_ourselves():
    """Programs find a plain interpreter: no arguments, modules or paths of the server."""
    sys.path.pop(0)
    sys.argv = [""]
    sys.orig_argv = [""]
    for name in ("landlock", "program", "seccomp"):
        sys.modules.pop(name, None)
    sys.modules["__main__"] = types.ModuleType("__main__")


def _drop_root(user):
    """For good: group and user `user`, no other group. :raises OSError:"""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def main(options):
    warnings.simplefilter("ignore")
    # Ctrl-C in a terminal reaches every process there; what it ends is for the parent to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl = ctypes.CDLL(None).prctl
    _import_modules(options["modules"], options["folders"])
    if "sympy" in options["modules"]:
        _warm_up_sympy()
    run_program = _load_runner(options["runner"])
    null = os.open(os.devnull, os.O_RDWR)
    limits = program.Limits(options["memoryBytes"], seccomp.Filter(program.KEPT_DESCRIPTORS).install, prctl)
    if options["readable"] is not None:
        landlock.restrict(options["readable"])
    if options["user"] is not None:
        _drop_root(options["user"])
    # Set after the user changed, which clears it.
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _hide_ourselves()
    # Programs share this memory until they write to it; the collector would write to all of it.
    gc.collect()
    gc.freeze()
    _serve(lambda: program.Program(null, limits, run_program))


def _serve(start_program):
    waiting = start_program()
    _send({"kind": "ready"})
    while True:
        request = _receive()
        if request is None:
            os._exit(0)
        running = waiting
        running.begin(request)
        # The next one gets ready on another core meanwhile.
        waiting = start_program()
        _send(running.finish(_PARENT))
        running.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
