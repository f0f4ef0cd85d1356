"""Conflicts with other runs in the same workspace: whole projects are locked for a run.

All locks lie in one file, as byte ranges that the kernel frees when this process ends, however it
ends. They are taken in sorted order, so that two runs cannot wait for each other. A run inside a
task of another run of the same workspace takes none: its parent has them.

Knows nothing of what a run does with a project.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from zlib import crc32

from polylane.errors import UserError
from polylane.model import Claim, Project
from polylane.plan.patterns import literal_prefix, parse
from polylane.run import tree

#: ``struct flock`` of 64-bit Linux: type, whence, start, length, pid.
_FLOCK = "hhqqi4x"

#: A byte that stands for no project.
_NOBODYS = 1 << 32


def wanted(claims: Iterable[Claim], projects: Mapping[str, Project]) -> dict[str, bool]:
    """The projects that claims touch, and whether one of them writes there."""
    owners = _Owners(projects)
    found: dict[str, bool] = {}
    for claim in claims:
        for patterns, writes in ((claim.reads, False), (claim.writes, True)):
            for pattern in patterns:
                if not pattern.startswith("!"):
                    for name in owners.of(pattern):
                        found[name] = found.get(name, False) or writes
    return found


class _Owners:
    """Finds the projects that a pattern reaches into."""

    def __init__(self, projects: Mapping[str, Project]) -> None:
        self._by_path = {
            () if p.path == "." else tuple(p.path.split("/")): p.name for p in projects.values()
        }
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, pattern: str) -> tuple[str, ...]:
        segments = parse(pattern)
        prefix = literal_prefix(segments)
        if prefix not in self._known:
            below = [n for path, n in self._by_path.items() if path[: len(prefix)] == prefix]
            lengths = range(len(prefix), -1, -1)
            above = next(
                (self._by_path[prefix[:i]] for i in lengths if prefix[:i] in self._by_path), ""
            )
            self._known[prefix] = tuple(dict.fromkeys([*below, above or "."]))
        return self._known[prefix]


class ProjectLocks:
    """Holds a run's locks until `release`, or the end of this process."""

    def __init__(self, folder: Path) -> None:
        """``folder``: where the lock file lies (``.polylane``)."""
        try:
            self._file = os.open(folder / "locks", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise UserError(f"{error.filename}: cannot be written: {error.strerror}") from None

    def acquire(self, projects: Mapping[str, bool], say: Callable[[str], None]) -> None:
        """Lock projects, those with True for this run alone; ``say`` is told who is waited for.

        Where the file system has no locks it is told that, and nothing is locked.
        """
        places: dict[int, tuple[bool, str]] = {}
        for name, alone in projects.items():  # where two share a byte, the stronger lock counts
            places[_place(name)] = max(places.get(_place(name), (False, "")), (alone, name))
        try:
            for place, (alone, name) in sorted(places.items()):
                self._lock(place, name, say, alone=alone)
        except OSError as error:
            say(f"another run at the same time is not kept out: no locks here: {error.strerror}")

    def _lock(self, place: int, name: str, say: Callable[[str], None], *, alone: bool) -> None:
        kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        try:
            fcntl.lockf(self._file, kind | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            what = "the workspace" if name == "." else f"the project {name}"
            say(f"waiting for {self._holder(place, alone=alone)}, which has {what}")
            fcntl.lockf(self._file, kind, 1, place)

    def _holder(self, place: int, *, alone: bool) -> str:
        kind = fcntl.F_WRLCK if alone else fcntl.F_RDLCK
        asked = struct.pack(_FLOCK, kind, os.SEEK_SET, place, 1, 0)
        pid = struct.unpack(_FLOCK, fcntl.fcntl(self._file, fcntl.F_GETLK, asked))[4]
        command = tree.command_line(pid) if pid > 0 else ""
        return f"process {pid} ({command})" if command else "another run"

    def release(self) -> None:
        """Let other runs go on."""
        os.close(self._file)


def why_not(folder: Path) -> str:
    """Why there are no locks in a folder's file system, in a few words; empty where there are."""
    try:
        file = os.open(folder / "locks", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        return f"{error.filename} cannot be written: {error.strerror}"
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, _NOBODYS)
    except OSError as error:
        return error.strerror or str(error)
    finally:
        os.close(file)
    return ""


def _place(name: str) -> int:
    """The byte that stands for a project, the same in every run; two may share one, and wait."""
    return crc32(name.encode(errors="surrogateescape"))
