"""The process pool: starts, feeds and replaces lanes. One pool a run.

`Pool` is the seam: the runner knows only this protocol, and tests give it outcomes from a script.
Knows nothing of graphs or of what a task is for.
"""

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn, Protocol

from polylane.records import NamedTuple
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


class _Handle(NamedTuple):
    """A lane as its runner knows it."""

    channel: socket.socket
    #: Its zygote's number for it.
    number: int


class LanePool:
    """Lanes forked from this process, as many as are used at once."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        bodies: Mapping[str, lane.Body],
        terminal: bool = False,
        wakeup: int | None = None,
        private: tuple[int, ...] = (),
        ready: int = 0,
    ) -> None:
        """``wakeup``: a descriptor that becomes readable when a signal came.

        ``private``: descriptors for lanes, and not for what they run. ``ready``: so many lanes
        start at once, beside whatever the caller does next.
        """
        for stream in filter(None, (sys.stdout, sys.stderr)):  # the host may have closed one
            stream.flush()  # or each fork would print what is buffered

        def become_lane(channel: socket.socket, has_terminal: bool) -> NoReturn:  # noqa: FBT001
            lane.main(
                channel,
                environment=environment,
                bodies=bodies,
                terminal=has_terminal,
                private=private,
            )

        # A collection in a lane would touch, and so copy, every object that was here before it.
        gc.freeze()
        self._terminal = terminal
        self._before = frozenset(tree.children())
        self._was_subreaper = tree.become_subreaper()
        self._zygote = Zygote(become_lane)
        self._free: list[_Handle] = []
        self._busy: dict[int, tuple[_Handle, int]] = {}
        #: Assignments that found no lane.
        self._refused: list[tuple[int, Report]] = []
        #: Sessions of processes that were left behind and may live.
        self._left: set[int] = set()
        self._poller = select.poll()
        self._wakeup = wakeup
        if wakeup is not None:
            self._poller.register(wakeup, select.POLLIN)
        with suppress(OSError):  # `assign` says what is wrong
            self._free.extend(self._new_lane() for _ in range(ready))

    def assign(self, task: int, assignment: Assignment) -> None:
        """See `Pool`."""
        while self._free:
            if self._sent(self._free.pop(), task, assignment):
                return  # else it died while it was idle
        try:
            if self._sent(self._new_lane(), task, assignment):
                return
            why = "its lane died"
        except OSError:
            why = "no lane can be started: the process that forks them was killed"
        self._refused.append((task, Report("crashed", reason=why)))

    def _sent(self, handle: _Handle, task: int, assignment: Assignment) -> bool:
        try:
            protocol.send(handle.channel, protocol.RUN, tuple(assignment))
        except OSError:
            self._forget(handle)
            return False
        self._busy[handle.channel.fileno()] = (handle, task)
        return True

    def wait(self, timeout: float | None) -> list[tuple[int, Report]]:
        """See `Pool`."""
        ended, self._refused = self._refused, []
        if ended:
            return ended
        for descriptor, _ in self._poller.poll(None if timeout is None else timeout * 1000):
            if descriptor == self._wakeup:
                with suppress(BlockingIOError):
                    os.read(descriptor, 4096)
            elif descriptor in self._busy:
                handle, task = self._busy.pop(descriptor)
                ended.append((task, self._report(handle)))
            else:  # an idle lane died
                for handle in [each for each in self._free if each.channel.fileno() == descriptor]:
                    self._free.remove(handle)
                    self._forget(handle)
        return ended

    def _report(self, handle: _Handle) -> Report:
        message = protocol.receive(handle.channel)
        if message is None:
            self._forget(handle)
            if self._zygote.is_gone(handle.number):
                self._sweep()
            return Report("crashed", reason="its lane died")
        self._free.append(handle)
        report = Report(*message)
        self._left.update(report.left)
        return report

    def _new_lane(self) -> _Handle:
        handle = _Handle(*self._zygote.fork_lane(terminal=self._terminal))
        self._poller.register(handle.channel, select.POLLIN)
        return handle

    def _forget(self, handle: _Handle) -> None:
        self._poller.unregister(handle.channel)
        handle.channel.close()

    def watch(self, descriptor: int, on: bool) -> None:  # noqa: FBT001
        """Have `wait` return when something can be read there, or no more."""
        if on:
            self._poller.register(descriptor, select.POLLIN)
        else:
            self._poller.unregister(descriptor)

    def resident_bytes(self, task: int) -> int:
        """What the process tree of a running task uses now; 0 where it does not run."""
        pid = self.pid_of(task)
        return tree.resident_bytes(tree.descendants(pid)) if pid else 0

    def pid_of(self, task: int) -> int:
        """The lane of a running task, which its process tree hangs on; 0 where it does not run."""
        for handle, running in self._busy.values():
            if running == task:
                return self._zygote.pid_of(handle.number)
        return 0

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
        for handle, _ in self._busy.values():
            with suppress(OSError):
                protocol.send(handle.channel, request)

    def dismiss(self) -> None:
        """Let every lane end, and what still runs in it; `close` waits for that."""
        for handle in (*self._free, *(handle for handle, _ in self._busy.values())):
            self._forget(handle)
        self._free.clear()
        self._busy.clear()
        self._zygote.close()

    def close(self) -> None:
        """See `Pool`."""
        self.dismiss()
        self._await_zygote()
        self._sweep()
        tree.become_subreaper(on=self._was_subreaper)
        gc.unfreeze()

    def _await_zygote(self) -> None:
        """Wait for the zygote, which waits for the lanes; what takes too long is killed."""
        with suppress(OSError):  # somebody else in this process reaped it
            done = os.pidfd_open(self._zygote.pid)
            try:
                poller = select.poll()
                poller.register(done, select.POLLIN)
                if not poller.poll(_CLOSE_LIMIT_S * 1000):
                    os.kill(self._zygote.pid, signal.SIGKILL)
            finally:
                os.close(done)
            os.waitpid(self._zygote.pid, 0)

    def _sweep(self) -> None:
        """Kill what a dead lane left to us, by pid: others' children may be here."""
        limit = time.monotonic() + _CLOSE_LIMIT_S
        while orphans := self._orphans():
            for pid in orphans:
                tree.signal_all([pid, *tree.descendants(pid)], signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > limit:
                break
            time.sleep(0.001)

    def _orphans(self) -> list[int]:
        """Children of ours that came from lanes, whose tasks never share our session."""
        spare = {-1, *self._left} if self._terminal else {-1, *self._left, os.getsid(0)}
        known = {*self._before, self._zygote.pid}
        return [
            pid for pid in tree.children() if pid not in known and tree.session(pid) not in spare
        ]
