"""A control group with little memory, for tests in which the kernel kills.

It lies below the group of the tests themselves, and is removed when they are done. Where no such
group can be made, `group` skips the test and says why.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import wait_for

GROUPS = Path("/sys/fs/cgroup")


class Group(NamedTuple):
    """The group's folder."""

    folder: Path

    def enter(self) -> None:
        """Move this process into it: for a fork of the test's."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def pids(self) -> list[int]:
        """Who is in it."""
        text = (self.folder / "cgroup.procs").read_text(encoding="ascii")
        return [int(line) for line in text.splitlines()]


@contextmanager
def group(limit: int) -> Iterator[Group]:
    """A group that may use so many bytes, and no swap."""
    folder, names = _place()
    path = folder / f"polylane-test-{os.getpid()}"
    try:
        path.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made in {folder}: {error.strerror}")
    try:
        try:
            (path / names[0]).write_text(str(limit), encoding="ascii")
            for name, value in names[1]:
                if (path / name).exists():
                    (path / name).write_text(value, encoding="ascii")
        except OSError as error:
            pytest.skip(f"memory cannot be limited in {path}: {error.strerror}")
        yield Group(path)
    finally:
        _remove(Group(path))


def _place() -> tuple[Path, tuple[str, tuple[tuple[str, str], ...]]]:
    """Where a group can be made, and the files that limit it."""
    lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            own = GROUPS / "memory" / path.lstrip("/")
            return own, ("memory.limit_in_bytes", (("memory.swappiness", "0"),))
    for line in lines:
        own = GROUPS / line.rpartition("::")[2].lstrip("/")
        passed_on = own / "cgroup.subtree_control"
        if passed_on.exists() and "memory" in passed_on.read_text(encoding="ascii").split():
            return own, ("memory.max", (("memory.swap.max", "0"),))
    pytest.skip("no control group hands its memory on to groups below it")


def _remove(made: Group) -> None:
    for pid in made.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not made.pids(), "empty control group")
    made.folder.rmdir()
