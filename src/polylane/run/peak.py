"""The peak memory of a process tree, by looking at it now and then.

Resident memory counts a page in each process that shares it: a hundred forked workers of 5 MB may
be 20 MB together. Shares of pages (PSS) are exact, and dear to read (20 us a process and 15 us a
megabyte, against 15 us); they are asked for only where several processes may be a new peak: when
they have grown, and now and then, for what is shared may become each one's own.

Knows nothing of whose processes they are. proc_pid_smaps_rollup(5)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from polylane.run import tree

#: Looking takes at most this share of a core; there are several lanes.
_SHARE = 0.005
#: And so much of one to ask again for shares of pages of a tree that does not grow.
_SHARE_AGAIN = 0.002

#: A tree that is so much larger than all before has grown.
_GROWN = 1.02


class Peak:
    """The largest size that was seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.sampled = 0
        self._clock = clock
        #: The largest resident memory whose shares were asked for, and when they may be again.
        self._asked = 0
        self._again = 0.0

    def look(self, members: Callable[[], Collection[int]]) -> float:
        """Look once; returns after how many seconds it may be done again."""
        begun = time.thread_time()
        pids = members()
        size = tree.resident_bytes(pids)
        if size > self.sampled:
            self.sampled = max(self.sampled, size if len(pids) == 1 else self._shares(pids, size))
        return (time.thread_time() - begun) / _SHARE

    def _shares(self, pids: Collection[int], size: int) -> int:
        """The size of several processes, less what they share; 0 where it is hardly a new peak."""
        if size < self._asked * _GROWN and self._clock() < self._again:
            return 0
        begun = time.thread_time()
        shares = shared_bytes(pids)
        self._asked = max(self._asked, size)
        self._again = self._clock() + (time.thread_time() - begun) / _SHARE_AGAIN
        return shares

    def known(self, reaped: int) -> int | None:
        """The peak, by the samples and by the largest of the tree's processes that were reaped.

        A child's own maximum includes ours from before it became another program, so that a small
        one says nothing.
        """
        known = max(self.sampled, reaped if reaped > tree.own_peak() * 1.05 else 0)
        return known or None


def shared_bytes(pids: Collection[int]) -> int:
    """The resident memory of processes, a page that several share counted once among all of them.

    One that does not let us look counts with all of its own.
    """
    return sum(map(_share, pids))


def _share(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            _, _, rest = file.read().partition(b"\nPss:")
        return int(rest.split(maxsplit=1)[0]) * 1024
    except (OSError, IndexError):
        return tree.resident_bytes([pid])
