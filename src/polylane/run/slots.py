"""May one more task start? Jobs, cores and load.

Knows nothing of tasks; reads the kernel's counters, and nothing else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from polylane.plan.jobs import Trial, auto_jobs

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


@lru_cache
def _quota(
    group: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")
) -> float | None:
    """Cores that our control groups grant, of version 1 and 2, where one of them limits them.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu and
    https://docs.kernel.org/scheduler/sched-bwc.html
    """
    with suppress(OSError, ValueError):
        lines = group.read_text(encoding="utf-8").splitlines()
        return min((quota for line in lines for quota in _quotas(line, groups)), default=None)
    return None


def _quotas(line: str, groups: Path) -> Iterator[float]:
    """The quotas of a group and of those above it, by its line in cgroup(7)."""
    _, controllers, path = line.split(":", 2)
    old = "cpu" in controllers.split(",")
    if controllers and not old:
        return
    mount = groups / "cpu" if old else groups
    folder = mount / path.lstrip("/")
    if not folder.is_dir():
        folder = mount  # in a container its own group may be mounted, without its path
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if old else ("cpu.max",)
    for place in (folder, *folder.parents):
        if not place.is_relative_to(mount):
            return
        with suppress(OSError, ValueError):
            words = " ".join((place / name).read_text(encoding="ascii") for name in names).split()
            quota = int(words[0]) / int(words[1])  # ValueError: no limit is the word max
            if quota > 0:  # and in version 1 it is -1
                yield quota


def machine_slots(said: int | str) -> int | None:
    """Slots of the whole machine: as for a run, but ``auto`` is every core; None for ``off``."""
    if said == "off":
        return None
    return cores() if said == "auto" else resolve_jobs(said, cores())


def resolve_jobs(
    said: int | str, available: int, trials: Callable[[], Iterable[Trial]] = tuple
) -> int:
    """Slots of a run: ``said`` is a number, ``"auto"`` or a percentage of the available cores.

    ``trials``: what earlier runs took, asked for only where it matters.
    """
    if isinstance(said, int):
        return said
    if said == "auto":
        return auto_jobs(available, trials())
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
