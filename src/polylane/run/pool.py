"""The process pool: starts, feeds and replaces lanes. One pool a run.

`Pool` is the seam: the runner knows only this protocol, and tests give it outcomes from a script.
Knows nothing of graphs or of what a task is for.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn, Protocol

from polylane.run import lane, protocol, tree
from polylane.run.protocol import Assignment, Report
from polylane.run.zygote import Zygote

#: How long lanes may take beyond their tasks' grace to end what they run, when the pool closes.
_CLOSE_LIMIT_S = 15.0


class Pool(Protocol):
    """Runs assignments side by side."""

    def assign(self, task: int, assignment: Assignment) -> None:
        """Start an assignment in a free lane."""

    def wait(self, timeout: float | None) -> list[tuple[int, Report]]:
        """Wait until a task ends, a signal comes or ``timeout`` seconds pass; what has ended."""

    def cancel(self, *, kill: bool = False) -> None:
        """End every running task; with ``kill`` without its grace. Their reports still come."""

    def suspend(self) -> None:
        """Stop every process of every running task."""

    def resume(self) -> None:
        """Let them go on."""

    def close(self) -> None:
        """End what runs, and every lane; returns when nothing is left."""


class LanePool:
    """Lanes forked from this process, as many as are used at once."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        bodies: Mapping[str, lane.Body],
        terminal: bool = False,
        wakeup: int | None = None,
    ) -> None:
        """``wakeup``: a descriptor that becomes readable when a signal came."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or each fork would print what is buffered

        def become_lane(channel: socket.socket, has_terminal: bool) -> NoReturn:  # noqa: FBT001
            lane.main(channel, environment=environment, bodies=bodies, terminal=has_terminal)

        self._terminal = terminal
        self._before = frozenset(tree.children())
        tree.become_subreaper()
        self._zygote = Zygote(become_lane)
        self._free: list[socket.socket] = []
        self._busy: dict[int, tuple[socket.socket, int]] = {}
        self._poller = select.poll()
        self._wakeup = wakeup
        if wakeup is not None:
            self._poller.register(wakeup, select.POLLIN)

    def assign(self, task: int, assignment: Assignment) -> None:
        """See `Pool`."""
        channel = self._free.pop() if self._free else self._new_lane()
        try:
            protocol.send(channel, protocol.RUN, tuple(assignment))
        except OSError:  # it died while it was idle
            self._forget(channel)
            channel = self._new_lane()
            protocol.send(channel, protocol.RUN, tuple(assignment))
        self._busy[channel.fileno()] = (channel, task)

    def wait(self, timeout: float | None) -> list[tuple[int, Report]]:
        """See `Pool`."""
        ended = []
        for descriptor, _ in self._poller.poll(None if timeout is None else timeout * 1000):
            if descriptor == self._wakeup:
                with suppress(BlockingIOError):
                    os.read(descriptor, 4096)
            elif descriptor in self._busy:
                channel, task = self._busy[descriptor]
                message = protocol.receive(channel)
                if message is None or message[0] != protocol.STOP:
                    del self._busy[descriptor]
                    ended.append((task, self._report(channel, message)))
            else:  # an idle lane died
                self._free = [each for each in self._free if each.fileno() != descriptor]
                self._poller.unregister(descriptor)
        return ended

    def _report(self, channel: socket.socket, message: tuple[object, ...] | None) -> Report:
        if message is None:
            self._forget(channel)
            self._sweep()
            return Report("crashed", reason="its lane died")
        self._free.append(channel)
        return Report(*message)  # type: ignore[arg-type]

    def _new_lane(self) -> socket.socket:
        channel = self._zygote.fork_lane(terminal=self._terminal)
        self._poller.register(channel, select.POLLIN)
        return channel

    def _forget(self, channel: socket.socket) -> None:
        with suppress(KeyError, ValueError):
            self._poller.unregister(channel)
        channel.close()

    def cancel(self, *, kill: bool = False) -> None:
        """See `Pool`."""
        self._tell(protocol.KILL if kill else protocol.CANCEL)

    def suspend(self) -> None:
        """See `Pool`."""
        self._tell(protocol.STOP)

    def resume(self) -> None:
        """See `Pool`."""
        self._tell(protocol.CONTINUE)

    def _tell(self, request: str) -> None:
        for channel, _ in self._busy.values():
            with suppress(OSError):
                protocol.send(channel, request)

    def close(self) -> None:
        """See `Pool`."""
        for channel in (*self._free, *(channel for channel, _ in self._busy.values())):
            self._forget(channel)
        self._free.clear()
        self._busy.clear()
        self._zygote.close()
        self._await_lanes()
        self._sweep()
        with suppress(ChildProcessError):
            os.waitpid(self._zygote.pid, 0)
        tree.become_subreaper(on=False)

    def _await_lanes(self) -> None:
        """Wait until the zygote and every lane have closed the pipe that only they hold."""
        poller = select.poll()
        poller.register(self._zygote.alive, select.POLLIN)
        poller.poll(_CLOSE_LIMIT_S * 1000)
        os.close(self._zygote.alive)

    def _sweep(self) -> None:
        """End by pid what a killed lane left to us. Never `waitpid(-1)`: others' children are here."""
        known = self._before | {self._zygote.pid}
        limit = time.monotonic() + _CLOSE_LIMIT_S
        while orphans := [pid for pid in tree.children() if pid not in known]:
            for pid in orphans:
                tree.signal_all([pid, *tree.descendants(pid)], 9)
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > limit:
                break
            time.sleep(0.001)
