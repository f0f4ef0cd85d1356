"""What memory is there, and what is left of it: the machine's, and that of our control groups.

Also how often the kernel killed a process for memory. Reads the kernel's files, version 1 and 2 of
control groups; knows nothing of tasks or budgets.

proc_meminfo(5), https://docs.kernel.org/admin-guide/cgroup-v2.html#memory and
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from polylane.records import NamedTuple

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")


class _Version(NamedTuple):
    """The names of one version's files, and of what they hold."""

    limits: tuple[str, ...]
    usage: str
    #: In ``memory.stat``: what of the usage is cache that nobody has used for long.
    cache: str


_ONE = _Version(("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")
_TWO = _Version(("memory.max", "memory.high"), "memory.current", "inactive_file")


class _Group(NamedTuple):
    """A control group that limits memory."""

    folder: Path
    version: _Version
    limit: int

    def available(self) -> int:
        usage = int((self.folder / self.version.usage).read_bytes())
        cache = _field(self.folder / "memory.stat", self.version.cache)
        return self.limit - usage + min(usage, cache)


class Available:
    """The memory that this process and its children may use."""

    def __init__(self, proc: Path = PROC, groups: Path = GROUPS) -> None:
        self._meminfo = proc / "meminfo"
        self._folders = list(_folders(proc, groups))
        self._limiting: list[_Group] = []
        self.whole = self._whole()

    def _whole(self) -> int | None:
        """All of it, in bytes: the machine's, or the least limit; None where nobody says."""
        try:
            whole = _field(self._meminfo, "MemTotal:") * 1024
        except (OSError, ValueError):
            return None
        for folder, version in self._folders:
            limit = _limit(folder, version)
            if limit is not None and limit < whole:
                self._limiting.append(_Group(folder, version, limit))
        return min([whole, *(group.limit for group in self._limiting)])

    def left(self) -> int | None:
        """What is left now, in bytes, with what the kernel can give back; None: nobody says."""
        try:
            left = _field(self._meminfo, "MemAvailable:") * 1024
        except (OSError, ValueError):
            return None
        for group in self._limiting:
            with suppress(OSError, ValueError):
                left = min(left, group.available())
        return left

    def kills(self) -> int | None:
        """How often the kernel has killed for memory in our control group, or in one below it.

        None where it does not count: version 1 leaves out those below, and the topmost group has
        no count.
        """
        if not self._folders or self._folders[0][1] is not _TWO:
            return None
        try:
            return _field(self._folders[0][0] / "memory.events", "oom_kill")
        except (OSError, ValueError):
            return None


def _folders(proc: Path, groups: Path) -> Iterator[tuple[Path, _Version]]:
    """The folders of our own control group and of those above it, the own one first."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        if "memory" in controllers.split(","):
            yield from _upwards(groups / "memory", path, _ONE)
        elif not controllers and (groups / "cgroup.controllers").exists():
            yield from _upwards(groups, path, _TWO)


def _upwards(mount: Path, path: str, version: _Version) -> Iterator[tuple[Path, _Version]]:
    folder = mount / path.lstrip("/")
    if not folder.is_dir():
        folder = mount  # inside a container only its own group may be mounted, and with no path
    while folder != mount:
        yield folder, version
        folder = folder.parent
    yield mount, version


def _limit(folder: Path, version: _Version) -> int | None:
    found = []
    for name in version.limits:
        with suppress(OSError, ValueError):  # "max"
            found.append(int((folder / name).read_bytes()))
    return min(found, default=None)


def _field(file: Path, name: str) -> int:
    """The number behind a name that begins a line; `ValueError` where there is none."""
    with open(file, "rb") as opened:
        text = b"\n" + opened.read()
    _, found, rest = text.partition(f"\n{name} ".encode())
    if not found:
        raise ValueError(f"{file}: no {name}")
    return int(rest.split(maxsplit=1)[0])
