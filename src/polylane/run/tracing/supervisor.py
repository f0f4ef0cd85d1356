"""The process that answers a traced tree's calls: it notes what they touch, and lets them go on.

It must be another process than the one that starts commands, which holds Python's lock between
vfork and exec, when the child's calls wait already. It ends when no process is left that it must
answer; before that, were it to end, their calls would fail. The protocol is that of
seccomp_unotify(2).

Knows nothing of tasks.
"""

from __future__ import annotations

import array
import errno
import fcntl
import gc
import marshal
import os
import select
import signal
import socket
import struct
import time
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from polylane.run.tracing.ledger import Note
from polylane.run.tracing.recorder import Recorder
from polylane.run.tracing.syscalls import Architecture

_RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
_SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
_SET_FLAGS = 0x40082104  # SECCOMP_IOCTL_NOTIF_SET_FLAGS, from Linux 6.6; the flags by value
_SYNC_WAKE_UP = 1
_CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE

#: struct seccomp_notif: id, pid, flags; number, architecture, instruction pointer, arguments.
_REQUEST = struct.Struct("=QII iIQ6Q")
#: struct seccomp_notif_resp: id, value, error, flags.
_RESPONSE = struct.Struct("=QqiI")
_ZERO = bytes(_REQUEST.size)
_ioctl, _unpack, _pack_into = fcntl.ioctl, _REQUEST.unpack, _RESPONSE.pack_into

#: From here on the kernel ends a wait for calls when nobody is left to make one.
_WAIT_ENDS = (6, 11)

#: Says that a word waits in the channel: it interrupts a wait for calls, if it is under way, and
#: so is to be repeated until there is an answer.
KNOCK = signal.SIGUSR1

#: After the tree's end was told, the thread that installed the filter may still be ending.
_ENDING_S = 0.1

#: The first word, when this process is no part of the lane's tree any more.
READY = b"."

#: Blocked when this process is forked, and for ever.
BLOCKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)


def main(channel: socket.socket, architecture: Architecture, *, reads: bool) -> NoReturn:
    """Be a supervisor, in a process just forked for it, and never return."""
    code = 0
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(KNOCK, lambda *_: None)
        _close_all_but(channel.fileno())
        channel.sendall(READY)
        gc.disable()
        listener = _receive_listener(channel)
        if listener is None:
            channel.sendall(_framed("nothing was ever traced"))
        else:
            _Supervisor(channel, listener, Recorder(architecture, reads=reads)).serve()
    except BaseException:  # noqa: BLE001 - the tracer sees that there is no result
        code = 3
        with suppress(Exception):
            channel.sendall(_framed(traceback.format_exc()))
    finally:
        os._exit(code)


def _close_all_but(kept: int) -> None:
    """Hold nothing of the lane's: its lifeline above all."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        if descriptor != kept:
            os.dup2(null, descriptor)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a Path costs as much
        if int(name) not in {0, 1, 2, kept}:
            with suppress(OSError):  # the one of this listing
                os.close(int(name))


def _receive_listener(channel: socket.socket) -> int | None:
    """The descriptor that `Tracer.install` sends; None where it never will."""
    found = array.array("i")
    _, sent, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(found.itemsize))
    for _, _, data in sent:
        found.frombytes(data[: found.itemsize])
    return found[0] if found else None


def _framed(said: Any) -> bytes:
    data = marshal.dumps(said)
    return len(data).to_bytes(8, "big") + data


def version(release: str) -> tuple[int, ...]:
    """A kernel's version, by what it says of itself: ``(6, 18)``."""
    digits = "".join(c if c.isdigit() else " " for c in release).split()
    return tuple(map(int, digits[:2]))


def wake_on_same_core(listener: int) -> bool:
    """Have caller and supervisor take turns on one core; False where the kernel cannot.

    Waking another core costs more than all else that a call does here.
    """
    try:
        fcntl.ioctl(listener, _SET_FLAGS, _SYNC_WAKE_UP)
    except OSError:
        return False
    return True


class _Supervisor:
    def __init__(self, channel: socket.socket, listener: int, recorder: Recorder) -> None:
        self._channel = channel
        self._listener = listener
        self._recorder = recorder
        self._calls = 0
        self._reported = False
        self._request = bytearray(_REQUEST.size)
        self._response = bytearray(_RESPONSE.size)
        wake_on_same_core(listener)

    def serve(self) -> None:
        """Answer until nobody can ask; report when the lane says so, or is gone."""
        if version(os.uname().release) >= _WAIT_ENDS:
            self._wait_in_calls()
        ready = select.poll()
        ready.register(self._listener, select.POLLIN)
        ready.register(self._channel, select.POLLIN)
        while self._asks(ready.poll()):
            self._answer()
        # When all are gone, the end of this process would look like one of the task's.
        self._channel.recv(1)
        alone = select.poll()
        alone.register(self._listener, select.POLLIN)
        limit = time.monotonic() + _ENDING_S
        over = False
        while not over and (left := limit - time.monotonic()) > 0:
            events = alone.poll(left * 1000)
            over = bool(events) and not self._asks(events)
            if events and not over:
                self._answer()
        self._report(ended=over)
        self._reported = True
        while self._asks(alone.poll()):
            self._answer()

    def _wait_in_calls(self) -> None:
        """Answer until nobody is left, or the lane has a word: without a poll before each call."""
        word = select.poll()
        word.register(self._channel, select.POLLIN)
        word.register(self._listener, 0)  # POLLHUP
        answer = self._answer
        while answer() or not word.poll(0):
            pass

    def _asks(self, events: list[tuple[int, int]]) -> bool:
        """Whether a call waits; not: nobody is left to be answered, or a report is due."""
        return bool(dict(events).get(self._listener, 0) & select.POLLIN)

    def _answer(self) -> bool:
        """Receive a call, waiting for it, and answer it; False where there was none."""
        request = self._request
        request[:] = _ZERO
        try:
            _ioctl(self._listener, _RECEIVE, request, True)  # noqa: FBT003
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.EINTR}:  # it was killed, or took the call back
                return False
            raise
        name, tid, _, number, audit, _, *args = _unpack(request)
        notes = () if self._reported else self._notes(tid, number, audit, args)
        _pack_into(self._response, 0, name, 0, 0, _CONTINUE)
        try:
            _ioctl(self._listener, _SEND, self._response, True)  # noqa: FBT003
        except OSError as error:
            if error.errno == errno.ENOENT:  # killed meanwhile: what we read may be another's
                return False
            raise
        self._calls += 1
        for act, what in notes:
            act(what)
        return True

    def _notes(self, tid: int, number: int, audit: int, args: list[int]) -> list[Note]:
        try:
            return self._recorder.see(tid, number, audit, args)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not end the task
            return [self._recorder.lose(f"BUG: {type(error).__name__}: {error}")]

    def _report(self, *, ended: bool) -> None:
        touches = self._recorder.touches(self._calls, time.process_time())
        with suppress(OSError):  # the lane is gone
            self._channel.sendall(_framed((ended, tuple(touches))))
