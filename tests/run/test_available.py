"""What memory is left, by the kernel's files: those of this machine, and some made here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.run.available import Available
from polylane.run.oom import on_this_machine
from tests.limited import group
from tests.support import FORKS, in_fork, python

MB = 1 << 20


class Kernel:
    """A machine with 1,000 MB, of which 800 are left, as its files say it."""

    def __init__(self, folder: Path, groups: str) -> None:
        self.proc = folder / "proc"
        self.groups = folder / "groups"
        self.groups.mkdir(parents=True)
        self.write("proc/self/cgroup", groups)
        self.write(
            "proc/meminfo",
            f"MemTotal:  {1000 << 10} kB\nMemFree:  1 kB\nMemAvailable:  {800 << 10} kB\n",
        )

    def write(self, name: str, text: str | int) -> None:
        path = self.proc.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="ascii")

    def limit(self, name: str, limit: str | int, used: int, cache: int = 0) -> None:
        """A group of version 2."""
        self.write("groups/cgroup.controllers", "memory")
        self.write(f"groups/{name}/memory.max", limit)
        self.write(f"groups/{name}/memory.current", used)
        self.write(f"groups/{name}/memory.stat", f"anon 5\ninactive_file {cache}\n")

    def old_limit(self, name: str, limit: int, used: int, cache: int = 0) -> None:
        """A group of version 1."""
        self.write(f"groups/memory/{name}/memory.limit_in_bytes", limit)
        self.write(f"groups/memory/{name}/memory.usage_in_bytes", used)
        self.write(
            f"groups/memory/{name}/memory.stat", f"inactive_file 9\ntotal_inactive_file {cache}"
        )

    def available(self) -> Available:
        return Available(self.proc, self.groups)


def test_a_machine_without_groups_says_what_is_available(tmp_path: Path) -> None:
    """Not what is free: the kernel can give back its caches."""
    found = Kernel(tmp_path, "0::/").available()
    assert (found.whole, found.left()) == (1000 * MB, 800 * MB)


def test_it_is_read_each_time(tmp_path: Path) -> None:
    """Others use memory too."""
    kernel = Kernel(tmp_path, "")
    found = kernel.available()
    kernel.write("proc/meminfo", "MemTotal: 1 kB\nMemAvailable: 7 kB")
    assert found.left() == 7 << 10


def test_a_group_limits(tmp_path: Path) -> None:
    """What it uses is taken off, but for the cache that nobody has used for long."""
    kernel = Kernel(tmp_path, "0::/a")
    kernel.limit("a", 500 * MB, 300 * MB, 100 * MB)
    found = kernel.available()
    assert (found.whole, found.left()) == (500 * MB, 300 * MB)


def test_the_groups_above_limit_too(tmp_path: Path) -> None:
    """The least of all counts."""
    kernel = Kernel(tmp_path, "0::/a/b")
    kernel.limit("a", 600 * MB, 590 * MB)
    kernel.limit("a/b", 500 * MB, 0)
    found = kernel.available()
    assert (found.whole, found.left()) == (500 * MB, 10 * MB)


def test_a_group_that_slows_down_limits(tmp_path: Path) -> None:
    """Beyond `memory.high` the kernel throttles whoever asks for more."""
    kernel = Kernel(tmp_path, "0::/a")
    kernel.limit("a", "max", 0)
    kernel.write("groups/a/memory.high", 400 * MB)
    assert kernel.available().left() == 400 * MB


@pytest.mark.parametrize("limit", ["max", 1 << 60])
def test_a_group_without_a_limit_does_not(tmp_path: Path, limit: str | int) -> None:
    """However it says so; and its files are not read again."""
    kernel = Kernel(tmp_path, "0::/a")
    kernel.limit("a", limit, 5 * MB)
    found = kernel.available()
    assert (found.whole, found.left(), found._limiting) == (1000 * MB, 800 * MB, [])


def test_old_groups_limit(tmp_path: Path) -> None:
    """Version 1, beside a version 2 without memory."""
    kernel = Kernel(tmp_path, "4:cpu,memory:/a/b\n0::/")
    kernel.old_limit("a", 500 * MB, 450 * MB, 20 * MB)
    kernel.old_limit("a/b", 1 << 62, 5 * MB)
    found = kernel.available()
    assert (found.whole, found.left()) == (500 * MB, 70 * MB)


@pytest.mark.parametrize("path", ["/docker/1f2e", "/../above"])
def test_in_a_container_the_mounted_group_is_the_own_one(tmp_path: Path, path: str) -> None:
    """Its path is that of another view of the groups."""
    kernel = Kernel(tmp_path, f"0::{path}")
    kernel.limit(".", 500 * MB, 100 * MB)
    kernel.write("groups/memory.events", "oom_kill 2")
    found = kernel.available()
    assert (found.left(), found.kills()) == (400 * MB, 2)


@pytest.mark.parametrize(
    "text", ["", "MemTotal: 5 kB", "MemAvailable: 5 kB", "MemTotal: x\nMemAvailable: y"]
)
def test_where_nobody_says_nothing_is_known(tmp_path: Path, text: str) -> None:
    """Such as on another system."""
    kernel = Kernel(tmp_path, "")
    kernel.write("proc/meminfo", text)
    found = kernel.available()
    assert found.whole is None or found.left() is None
    (kernel.proc / "meminfo").unlink()
    (kernel.proc / "self" / "cgroup").unlink()
    found = kernel.available()
    assert (found.whole, found.left()) == (None, None)


def test_kills_of_the_own_group_are_counted(tmp_path: Path) -> None:
    """Where it counts; not those of others on the machine."""
    kernel = Kernel(tmp_path, "0::/a")
    kernel.limit("a", "max", 0)
    kernel.write("groups/a/memory.events", "max 4\noom 9\noom_kill 2\noom_group_kill 0")
    assert kernel.available().kills() == 2


@pytest.mark.parametrize("groups", ["4:memory:/a\n0::/", "0::/", ""])
def test_else_nobody_knows_how_many_were_ours(tmp_path: Path, groups: str) -> None:
    """Version 1 does not count what is in groups below, and the topmost group not at all."""
    kernel = Kernel(tmp_path, groups)
    kernel.old_limit("a", 500 * MB, 0)
    assert kernel.available().kills() is None


def test_this_machine_says_it() -> None:
    """Something is there, and something is left."""
    found = Available()
    assert found.whole is not None
    left = found.left()
    assert left is not None
    assert 0 < left <= found.whole
    assert (found.kills() or 0) >= 0


@FORKS
def test_a_real_group_limits() -> None:
    """What is taken in it is missing from what is left."""

    def look() -> list[int | None]:
        made.enter()
        found = Available()
        before = found.left()
        held = bytearray(os.urandom(MB)) * 100
        return [found.whole, before, found.left(), len(held)]

    with group(300 * MB) as made:
        whole, before, after, held = in_fork(look)
    assert whole == 300 * MB
    assert before <= whole
    assert 0.9 * held < before - after < 1.2 * held


@FORKS
def test_a_real_kill_is_counted() -> None:
    """Of a child in a group that has not enough."""

    def look() -> list[int | None]:
        made.enter()
        found = Available()
        before = found.kills(), on_this_machine()
        # The first to be killed: the fork around it is as large as the tests before made it.
        first = "open('/proc/self/oom_score_adj', 'w').write('1000')"
        words = python(f"{first}; x = b'x' * 200_000_000")
        status = os.spawnv(os.P_WAIT, words[0], words)
        after = found.kills(), on_this_machine()
        return [*before, *after, status]

    with group(100 * MB) as made:
        here, everywhere, then_here, then_everywhere, status = in_fork(look)
    assert here is None or then_here == here + 1
    assert then_everywhere > everywhere
    assert status == -9
