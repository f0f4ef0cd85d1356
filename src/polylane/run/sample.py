"""What a process tree uses at the moment, as /proc shows it.

Linux only, by proc(5); elsewhere nothing is used. Knows nothing of tasks.
"""

from __future__ import annotations

import os
from contextlib import suppress

from polylane.records import NamedTuple
from polylane.run import tree

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

#: Fields of /proc/PID/stat behind the name: utime, stime, cutime and cstime, and rss.
_TIMES = slice(11, 15)
_RSS = 21


class Sample(NamedTuple):
    """CPU seconds so far, of what has ended too, and resident bytes now."""

    cpu_s: float = 0.0
    rss_bytes: int = 0


def sample(pid: int) -> Sample:
    """What a process, whose own memory does not count, and all below it use."""
    ticks = pages = 0
    for each in (pid, *tree.descendants(pid)):
        with suppress(OSError, IndexError), open(f"/proc/{each}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            ticks += sum(map(int, fields[_TIMES]))
            pages += int(fields[_RSS]) if each != pid else 0
    return Sample(ticks / _TICKS, pages * _PAGE)
