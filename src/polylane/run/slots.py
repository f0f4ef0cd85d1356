"""May one more task start? Jobs, cores and load.

Knows nothing of tasks; reads the kernel's counters, and nothing else.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

#: The default cap: more side by side helps few repositories until their history says so.
AUTO_CAP = 4

#: More threads than this for each core want to run where a machine is overloaded.
_CROWD = 3

#: Load is looked at no more often than this.
_LOOK_S = 0.1


def cores() -> int:
    """The cores that this process may use: its affinity, and its control group's quota."""
    affinity = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota = _quota()
    return max(1, min(affinity, round(quota))) if quota else affinity


def _quota(
    group: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")
) -> float | None:
    """Cores that the control group (version 2) grants, where it limits them."""
    with suppress(OSError, ValueError, IndexError):
        path = group.read_text(encoding="ascii").rpartition("::")[2].strip()
        limit, period = (groups / path[1:] / "cpu.max").read_text(encoding="ascii").split()
        if limit != "max":
            return int(limit) / int(period)
    return None


def resolve_jobs(said: int | str, available: int) -> int:
    """Slots of a run: ``said`` is a number, ``"auto"`` or a percentage of the available cores."""
    if isinstance(said, int):
        return said
    if said == "auto":
        return min(available, AUTO_CAP)
    return max(1, available * int(said[:-1]) // 100)


class LoadGate:
    """Holds back further tasks while the machine is overloaded; one task may always run."""

    def __init__(self, max_load: float, available: int) -> None:
        """``max_load``: a fraction; of time lost to waiting for a CPU, where the kernel says it."""
        self._max_load = max_load
        self._available = available
        self._looked = 0.0
        self._overloaded = False

    def may_start(self, running: int) -> bool:
        """Whether one more task may start beside ``running`` others."""
        if running == 0:
            return True
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            self._overloaded = self._is_overloaded()
        return not self._overloaded

    def _is_overloaded(self) -> bool:
        # Two tasks with threads of their own press hard on two cores, and yet run well together:
        # it takes a crowd as well.
        pressure, crowd = cpu_pressure(), runnable()
        if pressure is not None and crowd is not None:
            return pressure > self._max_load and crowd > self._available * _CROWD
        with suppress(OSError):
            return os.getloadavg()[0] > self._available * (1 + self._max_load)
        return False


def runnable(file: Path = Path("/proc/loadavg")) -> int | None:
    """How many threads run or want to run at this moment; None if unknown. See proc_loadavg(5)."""
    try:
        return int(file.read_text(encoding="ascii").split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return None


def cpu_pressure(file: Path = Path("/proc/pressure/cpu")) -> float | None:
    """The share of the last ten seconds in which some process waited for a CPU; None if unknown.

    https://docs.kernel.org/accounting/psi.html
    """
    try:
        text = file.read_text(encoding="ascii")
        return float(text.partition("avg10=")[2].split()[0]) / 100
    except (OSError, ValueError, IndexError):
        return None
