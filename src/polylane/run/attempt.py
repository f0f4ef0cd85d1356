"""Sees one attempt at a task through: its main process, its limits, and the end of its tree.

The main process is reaped by its pid before anything else is, or a sweep would take its status.
Then ``ECHILD`` proves that nothing is left. All the while the runner is listened to.

Knows nothing of how the task was started or what it is for.
"""

from __future__ import annotations

import math
import os
import select
import signal
import socket
import time

from polylane.errors import SIGNAL_BASE
from polylane.run import protocol, tree
from polylane.run.peak import Peak
from polylane.run.protocol import Assignment, Report

#: What ends by itself so soon after its task was not left behind.
_SETTLE_S = 0.1

#: The tree's memory is looked at after so many seconds, then ever more rarely.
_FIRST_SAMPLE_S = 0.02
_SAMPLE_S = 0.25


class Attempt:
    """One attempt, from the start of its main process to the end of its tree."""

    def __init__(
        self, job: Assignment, pid: int, channel: socket.socket, spare: set[int], begun: float
    ) -> None:
        """``spare``: sessions of earlier tasks' processes, which may live on."""
        self._job = job
        self._pid = pid
        self._channel = channel
        self._spare = spare
        self._begun = begun
        self._limit = begun + job.timeout
        self._stopped_at: float | None = None
        #: ``timed-out`` or ``cancelled``, once it must end.
        self._ending = ""
        #: No grace: the runner said so, or is gone.
        self._hurry = False
        self.orphaned = False
        self._usage = tree.Usage()
        self._peak = Peak()
        self._runner = select.poll()
        self._runner.register(channel, select.POLLIN)

    def see_through(self) -> Report:
        """Return how it ended, when nothing is left of it."""
        status, grace = self._await_main()
        leftovers, left = self._settle(grace)
        code = None if status is None else os.waitstatus_to_exitcode(status)
        died = code is not None and code < 0
        return Report(
            kind=self._ending or "exited",
            exit_code=SIGNAL_BASE - code if code is not None and died else code,
            signal=-code if code is not None and died else None,
            reason=self._reason(status),
            wall_s=time.monotonic() - self._begun,
            cpu_s=self._usage.cpu_s,
            max_rss_bytes=self._peak.known(self._usage.max_rss_bytes),
            read_bytes=self._usage.read_bytes,
            write_bytes=self._usage.write_bytes,
            leftovers=leftovers,
            left=left,
        )

    def _reason(self, status: int | None) -> str:
        said = f"no end within {self._job.timeout:g} s" if self._ending == "timed-out" else ""
        if status is None:
            return f"{said or 'told to end'}; process {self._pid} cannot be killed"
        return said

    def _await_main(self) -> tuple[int | None, float]:
        """Wait for the main process, and end it where it must.

        Returns its status, None where it cannot be killed, and what is left of the grace.
        """
        main = os.pidfd_open(self._pid)
        try:
            both = select.poll()
            both.register(main, select.POLLIN)
            both.register(self._channel, select.POLLIN)
            if self._watch(main, both):
                return self._reap_main(), self._job.grace
            grace = self._end_main(main, both)
            tree.signal_all([self._pid], signal.SIGKILL)
            both.unregister(self._channel)
            if not both.poll(tree.KILL_LIMIT_S * 1000):
                return None, 0.0
            return self._reap_main(), grace
        finally:
            os.close(main)

    def _reap_main(self) -> int:
        _, status, used = os.wait4(self._pid, 0)
        self._usage.add(used)
        return status

    def _watch(self, main: int, both: select.poll) -> bool:
        """Watch until the main process ends by itself (True) or must be ended."""
        pause = _FIRST_SAMPLE_S
        while not self._ending:
            left = self._left_s()
            if left <= 0:
                self._ending = "timed-out"
                break
            ready = dict(both.poll(min(left, pause) * 1000))
            if main in ready:
                return True
            if ready:
                self._obey()
            if not self._job.trace:  # whose supervisor is a child, too, and its end means something
                # Each daemon that a task starts would keep its process id until the task's end.
                tree.reap_others(self._usage, self._pid)
            due = self._peak.look(self._members)
            pause = max(min(pause * 2, _SAMPLE_S), due)
        return False

    def _members(self) -> list[int]:
        """The tree, less the processes of ours that keep a private view or prepare it."""
        members = tree.below(self._spare)
        if self._job.view is None:
            return members
        ours = {self._pid, *tree.children(self._pid)}
        fork = tree.command_line(os.getpid()) if self._job.argv else None
        return [p for p in members if p not in ours and tree.command_line(p) != fork]

    def _left_s(self) -> float:
        return math.inf if self._stopped_at is not None else self._limit - time.monotonic()

    def _end_main(self, main: int, both: select.poll) -> float:
        """Ask the tree to end, and give its main process time to; returns the seconds left."""
        limit = time.monotonic() + self._job.grace
        if not self._hurry:
            tree.terminate(self._spare)
        while not self._hurry and (left := limit - time.monotonic()) > 0:
            ready = dict(both.poll(left * 1000))
            if main in ready:
                return left
            if ready:
                self._obey()
        return 0.0

    def _obey(self) -> None:
        """Obey one request of the runner, or its end."""
        message = protocol.receive(self._channel)
        request = protocol.KILL if message is None else message[0]
        self.orphaned = message is None
        if request == protocol.STOP:
            tree.freeze(self._spare)
            self._stopped_at = time.monotonic()
        elif request == protocol.CONTINUE:
            tree.thaw(self._spare)
            if self._stopped_at is not None:
                self._limit += time.monotonic() - self._stopped_at
                self._stopped_at = None
        elif request in (protocol.CANCEL, protocol.KILL):
            self._ending = self._ending or "cancelled"
            self._hurry = self._hurry or request == protocol.KILL

    def _pause(self, seconds: float) -> bool:
        """Listen for a moment after the main process; a request changes no verdict any more."""
        if not self._hurry and self._runner.poll(seconds * 1000):
            ending = self._ending
            self._obey()
            self._ending = ending
        return self._hurry

    def _settle(self, grace: float) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Find what is left, and end it where it must not live: its names, its sessions."""
        if self._ending:
            self._end_tree(grace)
            return (), ()
        if tree.settles(self._usage, within_s=_SETTLE_S, spare=self._spare, pause=self._pause):
            return (), ()
        living = [pid for pid in tree.below(self._spare) if not tree.is_zombie(pid)]
        if self._job.leave:
            sessions = {tree.session(pid) for pid in living} - {-1}
            self._spare |= sessions
            return (), tuple(sessions)
        names = tuple(filter(None, map(tree.command_line, living)))
        if not self._end_tree(grace):
            names = tuple(f"{name} (cannot be killed)" for name in names)
        return names, ()

    def _end_tree(self, grace: float) -> bool:
        return tree.end_all(self._usage, grace=grace, spare=self._spare, pause=self._pause)
