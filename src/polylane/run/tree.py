"""A process tree as /proc shows it: who is in it, what it uses, and its end.

Linux only: the caller is a subreaper, so that whatever its children leave behind becomes its own
child, and ``ECHILD`` proves that nothing is left. Knows nothing of tasks.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress

_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_PAGE = os.sysconf("SC_PAGE_SIZE")
#: A process in uninterruptible sleep cannot be killed; after so long it is left and reported.
KILL_LIMIT_S = 10.0

#: Waits for so many seconds at most; returns True where nothing is left of any grace.
Pause = Callable[[float], bool]


def become_subreaper(on: bool = True) -> bool:  # noqa: FBT001, FBT002 - a switch
    """Make orphans below this process its children (`prctl(2)`), or undo that; what it was."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = ctypes.c_int(0)
    libc.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)
    return bool(before.value)


def children(pid: int | str = "self") -> list[int]:
    """The direct children of a process, zombies with them; empty where it is gone."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - a Path costs as much
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def descendants(pid: int | str = "self") -> list[int]:
    """All below a process, parents first."""
    found: list[int] = []
    todo = children(pid)
    while todo:
        each = todo.pop(0)
        found.append(each)
        todo += children(each)
    return found


def command_line(pid: int) -> str:
    """What a process was started as, for people; its name where it hides that."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
        text = b" ".join(words).decode(errors="replace")
        if text:
            return text
        with open(f"/proc/{pid}/comm", "rb") as file:
            return f"[{file.read().decode(errors='replace').strip()}]"
    except OSError:
        return ""


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be reaped (or is gone)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in b"ZX"
    except OSError:
        return True


def resident_bytes(pids: Collection[int]) -> int:
    """The resident memory of processes, shared pages counted in each."""
    total = 0
    for pid in pids:
        with suppress(OSError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
            total += int(file.read().split()[1])
    return total * _PAGE


def signal_all(pids: Collection[int], number: int) -> None:
    """Signal each process that still lives."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


class Usage:
    """CPU seconds and block I/O of reaped processes, summed."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.max_rss_bytes = 0
        self.read_bytes = 0
        self.write_bytes = 0

    def add(self, used: resource.struct_rusage) -> None:
        """Add what `os.wait4` said."""
        self.cpu_s += used.ru_utime + used.ru_stime
        self.max_rss_bytes = max(self.max_rss_bytes, used.ru_maxrss * 1024)
        self.read_bytes += used.ru_inblock * 512
        self.write_bytes += used.ru_oublock * 512


def reap(usage: Usage) -> bool:
    """Reap every child that has ended; whether none is left at all."""
    while True:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            return False
        usage.add(used)


def reap_others(usage: Usage, main: int) -> None:
    """Reap the children that have ended, but one, whose status somebody waits for."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid == main:
            return
        _, _, used = os.wait4(ended.si_pid, 0)
        usage.add(used)


def sleep(seconds: float) -> bool:
    """The `Pause` of those who hear nothing meanwhile."""
    time.sleep(seconds)
    return False


def settles(
    usage: Usage, *, within_s: float, spare: Collection[int] = (), pause: Pause = sleep
) -> bool:
    """Whether all below this process ends by itself within a moment."""
    limit = time.monotonic() + within_s
    step = 0.001
    while not _gone(usage, spare):
        left = limit - time.monotonic()
        if left <= 0 or pause(min(step, left)):
            return False
        step = min(step * 2, 0.02)
    return True


def end_all(
    usage: Usage, *, grace: float, spare: Collection[int] = (), pause: Pause = sleep
) -> bool:
    """End everything below this process: TERM, ``grace`` seconds, KILL until nothing is left.

    ``spare``: sessions whose processes may live. Returns whether nothing else is left, by the
    kernel's word.
    """
    if grace > 0:
        terminate(spare)
        if settles(usage, within_s=grace, spare=spare, pause=pause):
            return True
    limit = time.monotonic() + KILL_LIMIT_S
    step = 0.0005
    while not _gone(usage, spare):
        if time.monotonic() > limit:
            return False
        signal_all(below(spare), signal.SIGKILL)
        time.sleep(step)
        step = min(step * 2, 0.02)
    return True


def terminate(spare: Collection[int] = ()) -> None:
    """Ask everything below this process to end, also what is stopped."""
    targets = below(spare)
    signal_all(targets, signal.SIGTERM)
    signal_all(targets, signal.SIGCONT)


def freeze(spare: Collection[int] = ()) -> None:
    """Stop everything below this process; what is stopped forks nothing, so that this ends."""
    seen: set[int] = set()
    while fresh := [pid for pid in below(spare) if pid not in seen]:
        signal_all(fresh, signal.SIGSTOP)
        seen.update(fresh)


def thaw(spare: Collection[int] = ()) -> None:
    """Let everything below this process go on."""
    signal_all(below(spare), signal.SIGCONT)


def below(spare: Collection[int] = ()) -> list[int]:
    """All below this process, less those of some sessions."""
    if not spare:
        return descendants()
    return [pid for pid in descendants() if session(pid) not in spare]


def session(pid: int) -> int:
    """The session of a process; -1 where it is gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def _gone(usage: Usage, spare: Collection[int]) -> bool:
    return reap(usage) or bool(spare and not below(spare))


def own_peak() -> int:
    """The peak of our own resident memory, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
