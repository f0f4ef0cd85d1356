"""The handle of a trace: a lane forks its supervisor, installs the filter, collects the result.

    tracer = Tracer(reads=True)      # in the lane; keep `tracer.session` out of the task's tree
    tracer.install()                 # in the thread that starts the command, or the forked body
    touches = tracer.collect(5.0)    # in the lane, when that thread and the tree have ended

Knows nothing of tasks.
"""

from __future__ import annotations

import array
import ctypes
import errno
import marshal
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from polylane.run.tracing import bpf, peek, supervisor
from polylane.run.tracing.syscalls import ARCHITECTURES, Architecture
from polylane.run.tracing.touches import Touches, TraceFailedError

__all__ = ["Touches", "TraceFailedError", "Tracer", "available"]

#: A supervisor is told that nobody is left to be answered (POLLHUP) from here on.
_OLDEST = (5, 9)

#: Nearly always the tree has ended, and the result is there sooner.
_KNOCK_S = 0.02

_GET_ACTION_AVAIL = 2
_CAP_SYS_PTRACE = 19
_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"


class Tracer:
    """One trace of one tree; not for several."""

    def __init__(self, *, reads: bool) -> None:
        """Fork the supervisor. ``reads``: trace reads and lookups as well as writes.

        Ask `available` before. The caller has no other thread that holds a lock. `OSError` where
        no process can be forked.
        """
        architecture = _architecture()
        if architecture is None:
            raise OSError(errno.ENOSYS, available())
        self._filter = bpf.Filter(architecture, reads=reads)
        self._owner = os.getpid()
        self._channel, theirs = socket.socketpair()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.BLOCKED)
        try:
            self._pid = os.fork() or supervisor.main(theirs, architecture, reads=reads)
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._open = True
        #: After `collect`: the supervisor still answers processes, which its end would break.
        self.lives_on = False
        if self._channel.recv(1) != supervisor.READY:
            self.close()
            raise OSError(errno.EPIPE, "the tracer's process ended at once")

    @property
    def session(self) -> int:
        """The session (and process) of the supervisor, a child of ours which the tree is not.

        TERM does not reach it, and it ends by itself after the tree; whoever kills it early makes
        the calls of the tree fail with ENOSYS.
        """
        return self._pid

    def install(self) -> None:
        """Trace this thread, for ever, and what it starts from now on.

        In a thread of its own, so that the lane stays free, or in a forked child. Sets
        ``no_new_privs``: programs get no rights by setuid. Goes together with Landlock in the
        same thread. `OSError` where the kernel refuses: EBUSY inside of another trace, EPIPE where
        the supervisor is gone; nothing may be started in this thread then.
        """
        forked = os.getpid() != self._owner
        said = array.array("i", [-1])
        listener = self._filter.install()
        # From here on, until the supervisor has the listener, a call that is traced would hang.
        try:
            said[0] = listener
            self._channel.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, said)])
        finally:
            os.close(listener)
            if forked:
                self._channel.close()

    def collect(self, timeout: float) -> Touches:
        """What the tree touched, when it and the installing thread have ended; ends the trace.

        Processes that may live on (``leave``) are answered on, but no longer recorded.
        `TraceFailedError` where there is no whole result after ``timeout`` seconds.
        """
        limit = time.monotonic() + timeout
        try:
            self._channel.shutdown(socket.SHUT_WR)
            said = self._receive(limit)
        except OSError as error:
            self._kill()
            raise TraceFailedError(f"no result of the tracer: {error.strerror or error}") from None
        finally:
            self._channel.close()
        if not isinstance(said, tuple):
            why = self._reap(limit)
            raise TraceFailedError(said or f"the tracer's process ended too early ({why})")
        ended, found = said
        if ended:
            self._reap(limit)
        self._open = False
        self.lives_on = not ended
        return Touches(*found)

    def close(self) -> None:
        """End a trace whose result nobody wants, and whose tree has ended; any number of times."""
        if self._open:
            self._channel.close()
            self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._reap(time.monotonic() + 1.0)

    def _receive(self, limit: float) -> Any:
        """The result, ``(ended, fields)``, or the supervisor's traceback; empty: it is gone."""
        self._knock(limit)
        size = self._exactly(8, limit)
        data = self._exactly(int.from_bytes(size, "big"), limit)
        return marshal.loads(data) if data else ""  # noqa: S302 - from our own fork

    def _knock(self, limit: float) -> None:
        """Have it look into the channel, where it waits for calls of what lives on."""
        ready = select.poll()
        ready.register(self._channel, select.POLLIN)
        while not ready.poll(_KNOCK_S * 1000) and time.monotonic() < limit:
            with suppress(ProcessLookupError):
                os.kill(self._pid, supervisor.KNOCK)

    def _exactly(self, size: int, limit: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._channel.settimeout(max(limit - time.monotonic(), 0.001))
            try:
                chunk = self._channel.recv(min(size - len(data), 1 << 20))
            except ConnectionError:
                chunk = b""
            if not chunk:
                return b""
            data += chunk
        return bytes(data)

    def _reap(self, limit: float) -> str:
        """Wait for the supervisor's end; how it ended, for people."""
        self._open = False
        status = 0
        with suppress(ChildProcessError, ProcessLookupError):  # a sweep reaped it
            handle = os.pidfd_open(self._pid)
            ready = select.poll()
            ready.register(handle, select.POLLIN)
            ready.poll(max(limit - time.monotonic(), 0.0) * 1000)
            os.close(handle)
            _, status = os.waitpid(self._pid, os.WNOHANG)
        if os.WIFSIGNALED(status):
            return signal.Signals(os.WTERMSIG(status)).name
        return f"exit code {os.waitstatus_to_exitcode(status)}"


def _architecture() -> Architecture | None:
    return ARCHITECTURES.get(os.uname().machine) if sys.maxsize > 1 << 32 else None


def available() -> str:
    """Why there can be no trace here, for people; empty where there can."""
    if sys.platform != "linux":
        return f"tracing needs Linux, not {sys.platform}"
    architecture = _architecture()
    if architecture is None:
        return f"tracing needs 64-bit {' or '.join(ARCHITECTURES)}, not {os.uname().machine}"
    release = os.uname().release
    if supervisor.version(release) < _OLDEST:
        return f"tracing needs Linux {'.'.join(map(str, _OLDEST))}, not {release}"
    return _refused(architecture) or _yama()


def _refused(architecture: Architecture) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    action = ctypes.c_uint32(bpf.NOTIFY)
    call = ctypes.c_long(architecture.numbers["seccomp"])
    mode, flags = ctypes.c_ulong(_GET_ACTION_AVAIL), ctypes.c_ulong(0)
    if libc.syscall(call, mode, flags, ctypes.byref(action)) != 0:
        return f"the kernel has no seccomp notification: {os.strerror(ctypes.get_errno())}"
    try:
        peek.memory(os.getpid(), ctypes.addressof(action), 4)
    except OSError as error:
        return f"process memory cannot be read (process_vm_readv): {error.strerror}"
    return ""


def _yama() -> str:
    """Yama lets only ancestors, which the supervisor is not, read a process's memory."""
    try:
        with open(_SCOPE, "rb") as file:
            scope = int(file.read())
    except OSError:
        return ""
    if scope == 0 or (scope < 3 and _may_trace()):  # noqa: PLR2004 - 3: nobody may
        return ""
    return f"kernel.yama.ptrace_scope is {scope}: set it to 0 while you trace, or trace as root"


def _may_trace() -> bool:
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"CapEff:"):
                return bool(int(line.split()[1], 16) >> _CAP_SYS_PTRACE & 1)
    return False
