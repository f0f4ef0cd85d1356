"""Scratch folders: theirs while the owner lives, and gone soon after."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from polylane.run.views import scratch
from polylane.run.views.scratch import Scratch
from tests.run.views.places import NOBODY, names
from tests.support import FORKS, forbid, in_fork, wait_for

pytestmark = FORKS


def abandoned(parent: Path, prefix: str = "") -> Path:
    """What an owner that was killed has left."""
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        made = Scratch(parent, prefix)
        (made.path / "deep").mkdir()
        (made.path / "deep/file").touch()
        (made.path / "deep").chmod(0)
        os.write(say, os.fsencode(made.path))
        signal.pause()
    path = Path(os.fsdecode(os.read(said, 4096)))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for descriptor in (said, say):
        os.close(descriptor)
    return path


def test_it_is_private_and_goes_when_it_is_closed(tmp_path: Path) -> None:
    """With all that is in it; the folder above is made where it is missing."""
    made = Scratch(tmp_path / "new/above", "x-")
    assert made.path.parent == tmp_path / "new/above"
    assert made.path.name.startswith("x-")
    assert made.path.stat().st_mode & 0o777 == 0o700
    (made.path / "folder").mkdir()
    (made.path / "folder/file").touch()
    made.close()
    assert names(tmp_path / "new/above") == []


def test_what_a_killed_owner_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """Whatever modes it has."""
    left = abandoned(tmp_path, "x-")
    assert left.exists()
    made = Scratch(tmp_path, "x-")
    assert names(tmp_path) == [made.path.name]
    made.close()


def test_what_has_an_owner_stays(tmp_path: Path) -> None:
    """Of this process or another one."""
    first = Scratch(tmp_path)
    assert in_fork(lambda: _swept(tmp_path)) == [first.path.name]
    second = Scratch(tmp_path)
    assert names(tmp_path) == sorted([first.path.name, second.path.name])
    first.close()
    second.close()


def test_a_fork_owns_it_too(tmp_path: Path) -> None:
    """As long as one of them lives."""
    said, say = os.pipe()
    made = Scratch(tmp_path)
    pid = os.fork()
    if pid == 0:
        os.close(say)
        os.read(said, 1)
        os._exit(0)
    os.close(made._lock)
    scratch.sweep(tmp_path)
    assert made.path.exists()
    os.close(say)
    os.waitpid(pid, 0)
    os.close(said)
    scratch.sweep(tmp_path)
    assert not made.path.exists()


@pytest.mark.parametrize("name", ["x-other", "x-ABCDEFGH", "x-abcdefghi", "y-abcdefgh", "abcdefgh"])
def test_other_names_are_not_ours(tmp_path: Path, name: str) -> None:
    """A sweep takes away nothing that only looks like it; nor a file or a link."""
    (tmp_path / name).mkdir()
    (tmp_path / "x-aaaaaaaa").touch()
    (tmp_path / "x-bbbbbbbb").symlink_to(tmp_path / name)
    scratch.sweep(tmp_path, "x-")
    assert names(tmp_path) == sorted([name, "x-aaaaaaaa", "x-bbbbbbbb"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make somebody else's folder")
def test_other_peoples_stay(tmp_path: Path) -> None:
    """The folder may be everybody's."""
    (tmp_path / "x-abcdefgh").mkdir()
    os.chown(tmp_path / "x-abcdefgh", NOBODY, NOBODY)
    scratch.sweep(tmp_path, "x-")
    assert names(tmp_path) == ["x-abcdefgh"]


def test_a_sweep_takes_little_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes longer is left to a later one, but one is always removed."""
    for letter in "abc":
        (tmp_path / (letter * 8)).mkdir()
    monkeypatch.setattr(scratch, "_SWEEP_S", -1.0)
    for count in (2, 1, 0):
        scratch.sweep(tmp_path)
        assert len(names(tmp_path)) == count


def test_several_at_once_do_not_take_each_others(tmp_path: Path) -> None:
    """Each has its own in the end, however they meet."""

    def own() -> bool:
        for _ in range(30):
            made = Scratch(tmp_path)
            (made.path / "file").touch()
            made.close()
        return True

    pids = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = 0 if own() else 1
            finally:
                os._exit(code)
        pids.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0, 0, 0]
    assert names(tmp_path) == []


def test_without_locks_none_is_made(tmp_path: Path) -> None:
    """Nobody could tell whether its owner lives."""

    def look() -> tuple[str, list[str]]:
        forbid("flock")
        try:
            Scratch(tmp_path)
        except OSError as error:
            return error.strerror or "", names(tmp_path)
        return "", []

    assert in_fork(look) == ("Operation not permitted", [])


def test_without_descriptors_none_is_made(tmp_path: Path) -> None:
    """And it does not try for ever; what was made is removed by the next."""

    def look() -> list[str]:
        free = max(map(int, os.listdir("/proc/self/fd"))) + 30  # noqa: PTH208
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
        made = []
        with suppress(OSError):
            while True:
                made.append(Scratch(tmp_path))
        return [str(each.path) for each in made]

    assert len(in_fork(look)) > 10
    Scratch(tmp_path).close()
    scratch.sweep(tmp_path)
    wait_for(lambda: not _swept(tmp_path), "the last sweep")


def _swept(folder: Path) -> list[str]:
    scratch.sweep(folder)
    return names(folder)
