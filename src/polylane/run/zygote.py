"""The zygote: a process forked from the loaded parent before any thread, which forks lanes.

A lane forked later from the parent would inherit its threads' locks and its siblings' sockets.
The zygote ends when its parent has closed its side, however that came about, and every lane has
ended. Knows nothing of tasks.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

#: Makes a lane of the current process: takes its channel, and whether it has the terminal.
BecomeLane = Callable[[socket.socket, bool], NoReturn]

#: A request is one of these and four bytes: the number of a lane, in the order of their forks.
_LANE = b"l"
_TERMINAL_LANE = b"t"
_GONE = b"g"
_PID = b"p"
_REQUEST_BYTES = 5


class Zygote:
    """The parent's handle on it."""

    def __init__(self, become_lane: BecomeLane) -> None:
        self._control, theirs = socket.socketpair()
        self._forked = 0
        self.pid = os.fork()
        if self.pid == 0:
            self._control.close()
            _main(theirs, become_lane)
        theirs.close()

    def fork_lane(self, *, terminal: bool) -> tuple[socket.socket, int]:
        """Fork a lane; returns the channel to it, whose end is the lane's, and its number.

        `OSError` where the zygote is gone.
        """
        ours, theirs = socket.socketpair()
        number = self._forked
        request = (_TERMINAL_LANE if terminal else _LANE) + number.to_bytes(4, "big")
        try:
            socket.send_fds(self._control, [request], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._forked += 1
        return ours, number

    def is_gone(self, number: int) -> bool:
        """Wait for the end of a lane whose channel has ended; False where nobody can tell.

        A channel ends before the kernel hands on the lane's children, its process after that.
        """
        try:
            self._control.sendall(_GONE + number.to_bytes(4, "big"))
            return bool(self._control.recv(1))
        except OSError:
            return False

    def pid_of(self, number: int) -> int:
        """The process id of a lane; 0 where nobody can tell."""
        try:
            self._control.sendall(_PID + number.to_bytes(4, "big"))
            return int.from_bytes(self._control.recv(4), "big")
        except OSError:
            return 0

    def close(self) -> None:
        """Ask it to end: it forks nothing more."""
        self._control.close()


def _main(control: socket.socket, become_lane: BecomeLane) -> NoReturn:
    code = 1
    try:
        # A signal to the runner's group is the runner's to answer; ours is the end of `control`.
        for number in (
            signal.SIGINT,
            signal.SIGTERM,
            signal.SIGHUP,
            signal.SIGQUIT,
            signal.SIGTSTP,
        ):
            signal.signal(number, _ignore)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _serve(control, become_lane)
        code = 0
    finally:
        os._exit(code)


def _serve(control: socket.socket, become_lane: BecomeLane) -> None:
    pids: list[int] = []
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, _REQUEST_BYTES, 1)
        if not request:
            break
        if request[:1] == _GONE:
            _await(pids[int.from_bytes(request[1:], "big")])
            with suppress(OSError):
                control.sendall(b".")
            continue
        if request[:1] == _PID:
            with suppress(OSError):
                control.sendall(max(0, pids[int.from_bytes(request[1:], "big")]).to_bytes(4, "big"))
            continue
        pid = _fork()
        if pid == 0:
            control.close()
            become_lane(socket.socket(fileno=descriptors[0]), request[:1] == _TERMINAL_LANE)
        os.close(descriptors[0])
        pids.append(pid)
    for pid in pids:
        _await(pid)


def _fork() -> int:
    try:
        return os.fork()
    except OSError:
        return -1  # its runner sees the end of its channel


def _await(pid: int) -> None:
    with suppress(ChildProcessError):  # awaited before
        if pid > 0:
            os.waitpid(pid, 0)


def _ignore(*_: object) -> None:
    """A handler, since an ignored signal would stay ignored in every program we start."""
