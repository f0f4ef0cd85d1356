"""The zygote: a process forked from the loaded parent before any thread, which forks lanes.

A lane forked later from the parent would inherit its threads' locks and its siblings' sockets.
Knows nothing of tasks.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import NoReturn

#: Makes a lane of the current process: takes its channel, and whether it has the terminal.
BecomeLane = Callable[[socket.socket, bool], NoReturn]

_LANE = b"lane"
_TERMINAL_LANE = b"term"


class Zygote:
    """The parent's handle on it."""

    def __init__(self, become_lane: BecomeLane) -> None:
        self._control, theirs = socket.socketpair()
        #: Readable at its end when the zygote and all of its lanes are gone.
        self.alive, alive_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._control.close()
            os.close(self.alive)
            _main(theirs, become_lane)
        theirs.close()
        os.close(alive_end)

    def fork_lane(self, *, terminal: bool) -> socket.socket:
        """Fork a lane; returns the channel to it, whose end is the lane's end."""
        ours, theirs = socket.socketpair()
        try:
            request = _TERMINAL_LANE if terminal else _LANE
            socket.send_fds(self._control, [request], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def close(self) -> None:
        """Ask it to end: it forks nothing more."""
        self._control.close()


def _main(control: socket.socket, become_lane: BecomeLane) -> NoReturn:
    try:
        # A signal to the runner's group is the runner's to answer; ours is the end of `control`.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, _ignore)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps lanes
        while True:
            request, descriptors, _, _ = socket.recv_fds(control, 4, 1)
            if not request:
                break
            if os.fork() == 0:
                control.close()
                become_lane(socket.socket(fileno=descriptors[0]), request == _TERMINAL_LANE)
            os.close(descriptors[0])
    finally:
        os._exit(0)


def _ignore(*_: object) -> None:
    """A handler, since an ignored signal would stay ignored in every program we start."""
