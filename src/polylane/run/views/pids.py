"""A PID namespace around a task: whoever is killed, nothing of it lives on.

Three processes: the *guard*, which was the caller, waits and ends as the task does; the *init* is
process 1 of the namespace and reaps; the *task* is the one that returns from `enter`. The kernel
kills all in the namespace when its init ends. The init ends with its guard, and the guard with its
parent, by SIGKILL (``PR_SET_PDEATHSIG``, prctl(2); pid_namespaces(7)).

Knows nothing of overlays, nor of what the task does.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from polylane.run.views import namespaces
from polylane.run.views.namespaces import Namespace, Refused

_PR_SET_PDEATHSIG = 1

#: What the init says to the guard: the task's status, or the error that kept it from starting.
_ENDED = struct.Struct("ci")
_SAID_BYTES = 512

#: Runs in the init when the task has ended and others are left, which are its children; when it
#: returns they are killed.
Left = Callable[[], object]


def enter(space: Namespace, *, parent: int, left: Left | None = None) -> None:
    """Fork into the namespace that ``unshare(pids=True)`` made; returns in the task's process only.

    ``parent``: the process with which all of it ends; its pid was read before the caller was
    forked. Guard and init take no signals but SIGKILL and SIGSTOP, so that a task that is asked to
    end has its grace. `Refused` (in the caller, which is then no guard) where /proc cannot be
    mounted, as in containers that hide parts of it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    _die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    guard = os.pidfd_open(os.getpid())
    said, say = os.pipe()
    init = os.fork()
    if init:
        os.close(say)
        os.close(guard)
        try:
            _guard(init, said)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(said)
    if task := _start(guard, say):
        _be_init(task, say, left)
    os.close(say)
    os.close(guard)
    space.give_up_rights()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _guard(init: int, said: int) -> None:
    """Wait for the init and end as the task did; returns only by raising `Refused`."""
    with open(said, "rb", buffering=0) as file:
        answer = file.read(_SAID_BYTES)
    os.waitpid(init, 0)
    if not answer:
        _end_by(signal.SIGKILL)  # so did the init
    kind, number = _ENDED.unpack(answer[: _ENDED.size])
    if kind == b"r":
        raise Refused(number, answer[_ENDED.size :].decode())
    if os.WIFSIGNALED(number):
        _end_by(os.WTERMSIG(number))
    os._exit(os.waitstatus_to_exitcode(number))


def _end_by(number: int) -> NoReturn:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the task has left its own
    with suppress(OSError):  # SIGKILL has no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os._exit(128 + number)


def _start(guard: int, say: int) -> int:
    """Prepare the namespace as its init, and fork the task; its pid, which is 0 in itself."""
    try:
        _die_with_parent()
        if select.select([guard], [], [], 0)[0]:
            os._exit(1)
        namespaces.mount_proc()
        return os.fork()
    except OSError as error:
        why = (error.strerror or "").encode()
        os.write(say, _ENDED.pack(b"r", error.errno or 0) + why)
        os._exit(1)


def _be_init(task: int, say: int, left: Left | None) -> NoReturn:
    """Reap until the task has ended; what is left then ends with this process."""
    try:
        status = _await(task)
        os.write(say, _ENDED.pack(b"e", status))
        if left is not None and not _is_alone():
            left()
    finally:
        os._exit(0)


def _await(task: int) -> int:
    """Reap all that ends until the task does; returns its status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == task:
            return status


def _is_alone() -> bool:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return False
    return True
