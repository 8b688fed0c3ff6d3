"""One program in a process of its own: started and locked ahead of time, given its program, watched to its end."""
import codecs
import io
import math
import os
import resource
import select
import signal
import struct
import sys
import time

# Descriptors of a program's process. Its own standard error goes nowhere.
_STDIN, _STDOUT, _STDERR, _RESULT, _PROGRAM = range(5)
KEPT_DESCRIPTORS = _PROGRAM
_HEADER = struct.Struct("=QI")  # seed, bytes of source that follow
_CHUNK = 65536
_RESULT_BYTES = 65536
_DESCRIPTORS = 32
# Stands behind the limit that the server keeps: the longest that a caller may set, and a second.
_CPU_SECONDS = 601
_DESCRIPTORS_OF_SERVER = 256
_LOCK_FAILED = 97
_PR_SET_PDEATHSIG = 1


_WARM_UP = b"def f(n):\n    return [i / 3 for i in range(n)]\nprint(sum(f(3)), f'{2:.1f}')\n2"


class Limits:
    """What every program gets.

    :param memory_bytes: of address space, Python itself included
    :param install_filter: puts the filter of system calls on the calling process
    :param prctl: of libc
    """

    def __init__(self, memory_bytes, install_filter, prctl):
        self._memory_bytes = memory_bytes
        self._install_filter = install_filter
        self._prctl = prctl
        self._server = os.getpid()

    def lock(self):
        """Nothing of this can be undone. :raises OSError:"""
        # A program does not outlive the server, whatever ends that.
        if self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError("PR_SET_PDEATHSIG was refused")
        if os.getppid() != self._server:
            os._exit(0)  # it was gone before that
        for what, limit in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NPROC, 0),
            (resource.RLIMIT_NOFILE, _DESCRIPTORS),
            (resource.RLIMIT_AS, self._memory_bytes),
            (resource.RLIMIT_CPU, _CPU_SECONDS),
        ):
            resource.setrlimit(what, (limit, limit))
        self._install_filter()


def _read_fully(descriptor, count):
    parts = []
    while count > 0:
        part = os.read(descriptor, min(count, _CHUNK))
        if not part:
            os._exit(0)  # the server is gone
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _be_the_program(standard, limits, run_program):
    """The life of the new process. :param standard: descriptors that become 0 to 4"""
    for want, have in enumerate(standard):
        os.dup2(have, want)
    os.closerange(len(standard), _DESCRIPTORS_OF_SERVER)
    try:
        limits.lock()
    except BaseException:
        os._exit(_LOCK_FAILED)
    # What this touches is copied from the server now, and not when the program waits for it.
    sys.stdout = io.StringIO()
    run_program(0, _WARM_UP, _STDERR)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(_STDOUT, "w", closefd=False)), encoding="utf-8", newline="\n")
    seed, length = _HEADER.unpack(_read_fully(_PROGRAM, _HEADER.size))
    source = _read_fully(_PROGRAM, length)
    os.close(_PROGRAM)
    run_program(seed, source, _RESULT)


class Program:
    """A process that waits for its program: `begin`, `finish` and `close`, once each."""

    def __init__(self, null, limits, run_program):
        program_read, self._program = os.pipe()
        self._stdout, stdout_write = os.pipe()
        self._result, result_write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _be_the_program((null, stdout_write, null, result_write, program_read), limits, run_program)
            finally:
                os._exit(0)
        for descriptor in (program_read, stdout_write, result_write):
            os.close(descriptor)
        os.set_blocking(self._stdout, False)
        self._process = os.pidfd_open(self._pid)

    def begin(self, request):
        """Gives it the program. :param request: code, seed, timeoutMs, outputBytes"""
        self._begin = time.monotonic()
        self._request = request
        source = request["code"].encode()
        self._write(_HEADER.pack(request["seed"], len(source)) + source)

    def finish(self, parent):
        """Waits for its result or its end, which comes no later than its limit.

        :param parent: descriptor that becomes readable or hangs up when the server is to end
        :returns: the answer to the host
        """
        output = _Output(self._request["outputBytes"])
        in_time = self._watch(self._begin + self._request["timeoutMs"] / 1000, output, parent)
        # After its result there is nothing to learn from its end.
        status = 0 if output.complete else self._end()
        return output.reply(in_time, status, (time.monotonic() - self._begin) * 1000)

    def close(self):
        """Ends it, if it has not ended."""
        if self._pid is not None:
            self._end()
        for descriptor in (self._stdout, self._result, self._process):
            os.close(descriptor)

    def _end(self):
        """:returns: exit code, or minus the signal that ended it"""
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        self._pid = None
        return os.waitstatus_to_exitcode(status)

    def _write(self, data):
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._program, view) :]
        except BrokenPipeError:
            pass  # it has ended already, and how is told below
        os.close(self._program)

    def _watch(self, deadline, output, parent):
        """Collects what it writes. :returns: False when its time is up"""
        poll = select.poll()
        for descriptor in (self._stdout, self._result, self._process, parent):
            poll.register(descriptor, select.POLLIN)
        while not output.full:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            ready = [descriptor for descriptor, _ in poll.poll(math.ceil(left * 1000))]
            if parent in ready:
                os.kill(self._pid, signal.SIGKILL)
                os._exit(0)
            for descriptor in ready:
                if descriptor != self._process and not output.take(descriptor == self._stdout, os.read(descriptor, _CHUNK)):
                    poll.unregister(descriptor)
            if output.complete:
                self._read_rest(output)
                return True
            # What it wrote last is still in the pipes when it has ended: read until nothing but its end is left.
            if ready == [self._process]:
                return True
        return True

    def _read_rest(self, output):
        """What it printed before its result is in the pipe already."""
        try:
            while not output.full and output.take(True, os.read(self._stdout, _CHUNK)):
                pass
        except BlockingIOError:
            pass


class _Output:
    """What a program wrote, up to fixed sizes."""

    def __init__(self, limit):
        self._limit = limit
        self._stdout = bytearray()
        self._result = bytearray()

    @property
    def full(self):
        return len(self._stdout) > self._limit or len(self._result) > _RESULT_BYTES

    @property
    def complete(self):
        """The runner ends the result with a line; a program that forges that only loses what would follow."""
        return self._result.endswith(b"\n")

    def take(self, is_stdout, data):
        """:returns: False at the end of the stream"""
        (self._stdout if is_stdout else self._result).extend(data)
        return bool(data)

    def reply(self, in_time, status, elapsed_ms):
        overflow = len(self._stdout) > self._limit
        if not in_time:
            return {"kind": "killed", "status": "timeout", "message": "", "ms": elapsed_ms}
        # One that wrote too much was ended here; any other signal or exit code is its own.
        if status != 0 and not self.full:
            return {"kind": "killed", "status": "died", "message": _describe(status), "ms": elapsed_ms}
        # `final` is False to leave out a character that the limit cut in two.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return {
            "kind": "outcome",
            "guest": self._result.decode("utf-8", "replace") if self._result else None,
            "denied": None,
            "stdout": decoder.decode(bytes(self._stdout[: self._limit]), not overflow),
            "overflow": overflow,
            "ms": elapsed_ms,
            "heapBytes": 0,
            "recycle": False,
        }


def _describe(status):
    if status == _LOCK_FAILED:
        return "the process of the program could not be locked"
    if status > 0:
        return f"the program ended its process with exit code {status}"
    return f"the program's process was ended by {signal.Signals(-status).name}"
