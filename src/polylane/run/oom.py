"""Says whether it was the kernel that ended a task, because memory ran out.

The kernel counts its kills, and may say in its log whom it killed; it does not say whose child
that was. So a task is blamed when it fails and the count has moved since it started. A main process
that died of SIGKILL explains one kill; else another task that ran may have been the one.

Knows nothing of what happens to a task after that. proc_vmstat(5)
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from polylane.errors import SIGNAL_BASE
from polylane.plan.memory import in_words
from polylane.run.protocol import Report

#: The count is read no more often than this while tasks start.
_LOOK_S = 0.1

_RECORD_BYTES = 8192

#: mm/oom_kill.c, __oom_kill_process()
_KILLED = rb"ut of memory.*: Killed process \d+ \((.*)\) total-vm.* anon-rss:(\d+)kB"

_SHELL_SAYS_KILLED = SIGNAL_BASE + signal.SIGKILL


class Kills:
    """The kernel's kills for memory, while the tasks of a run start and fail."""

    def __init__(
        self,
        here: Callable[[], int | None],
        count: Callable[[], int] | None = None,
        log: str = "/dev/kmsg",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``count``: how many there were on this machine; ``log``: the kernel's log.

        ``here``: how many there were where we are; dear, and asked only when there were some.
        """
        self._here = here
        self._count = count or on_this_machine
        self._log = log
        self._clock = clock
        self._read_at = float("-inf")
        self._known = 0
        #: Kills that a task's own end explained.
        self._explained = 0
        #: By task: kills without an explanation when it started.
        self._at_start: dict[int, int] = {}

    def started(self, task: int) -> None:
        """Remember what there was before it."""
        now = self._clock()
        if now - self._read_at >= _LOOK_S:
            self._known, self._read_at = self._count(), now
        self._at_start[task] = self._known - self._explained

    def of(self, task: int, report: Report, *, beside: bool) -> str:
        """How memory ended a task that has failed, in words; empty where it did not.

        ``beside``: others ran at the same time.
        """
        if report.kind not in ("exited", "crashed"):
            return ""
        self._known, self._read_at = self._count(), self._clock()
        if self._known - self._explained <= self._at_start[task] or self._here() == 0:
            return ""
        certain = report.signal == signal.SIGKILL or report.kind == "crashed"
        if certain or report.exit_code == _SHELL_SAYS_KILLED:
            self._explained += 1
            beside = False
        who = last_killed(self._log) or "a process"
        if certain:
            return "the kernel killed it for memory"
        whose = ", which may be of a task beside it" if beside else ""
        return f"the kernel killed {who} in it for memory{whose}"


def on_this_machine(vmstat: str = "/proc/vmstat") -> int:
    """How often the kernel has killed for memory since it started; 0 where it does not say."""
    try:
        with open(vmstat, "rb") as file:
            return int(file.read().partition(b"\noom_kill ")[2].split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return 0


def last_killed(log: str = "/dev/kmsg") -> str:
    """What process the kernel killed last for memory, by its log; empty where it is not told.

    Only root, or everybody where ``kernel.dmesg_restrict`` is 0, may read it. The format of its
    records: https://www.kernel.org/doc/Documentation/ABI/testing/dev-kmsg
    """
    for record in reversed(_records(log)):
        if match := re.search(_KILLED, record):
            return f"{match[1].decode(errors='replace')} ({in_words(int(match[2]) * 1024)})"
    return ""


def _records(log: str) -> list[bytes]:
    """The lines of the kernel's log; each read returns a record."""
    read: list[bytes] = []
    with suppress(OSError):
        descriptor = os.open(log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while record := _record(descriptor):
                read.append(record)
        finally:
            os.close(descriptor)
    return b"".join(read).splitlines()


def _record(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, _RECORD_BYTES)
        except BrokenPipeError:  # it was overwritten meanwhile: the next one is read next
            continue
        except BlockingIOError:
            return b""
