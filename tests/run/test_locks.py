"""Locks of projects between runs: real processes, and the kernel's word."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.model import Claim, Project
from polylane.run import locks
from polylane.run.locks import ProjectLocks, wanted
from tests.support import FORKS, in_fork, wait_for

pytestmark = FORKS

PROJECTS = {
    "root": Project("root", "."),
    "api": Project("api", "packages/api"),
    "web": Project("web", "packages/web"),
}


class TestWanted:
    """Which projects claims touch, and whether they write there."""

    @pytest.mark.parametrize(
        ("claim", "projects"),
        [
            (Claim(reads=("packages/api/src/**",)), {"api": False}),
            (Claim(writes=("packages/api",)), {"api": True}),
            (Claim(reads=("packages/api/**",), writes=("packages/api/dist",)), {"api": True}),
            (Claim(reads=("packages/**",)), {"api": False, "web": False, "root": False}),
            (Claim(writes=("**",)), {"api": True, "web": True, "root": True}),
            (Claim(reads=("packages/api/**", "!packages/web/**")), {"api": False}),
            (Claim(reads=("README.md",)), {"root": False}),
            (Claim(caches=("packages/api/.cache",)), {}),
            (Claim(), {}),
        ],
    )
    def test_projects_of_patterns(self, claim: Claim, projects: dict[str, bool]) -> None:
        """The project that owns a path, and those below it."""
        assert wanted([claim], PROJECTS) == projects

    def test_one_writer_is_enough(self) -> None:
        """Of all claims together."""
        claims = [Claim(reads=("packages/api",)), Claim(writes=("packages/api/x",))]
        assert wanted([*claims, claims[0]], PROJECTS) == {"api": True}

    def test_paths_outside_every_project(self) -> None:
        """They belong to the workspace itself."""
        only = {"api": PROJECTS["api"]}
        assert wanted([Claim(writes=("docs/x",))], only) == {".": True}


@contextmanager
def _holder(folder: Path, projects: Mapping[str, bool]) -> Iterator[tuple[int, Callable[[], None]]]:
    """Another process that holds locks; its pid, and how to let it release them."""
    ready, is_ready = os.pipe()
    end, do_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ProjectLocks(folder).acquire(projects, print)
            os.write(is_ready, b".")
            os.read(end, 1)
        finally:
            os._exit(0)
    os.close(is_ready)
    assert os.read(ready, 1) == b"."
    released: list[bool] = []

    def release() -> None:
        if not released:
            released.append(True)
            os.write(do_end, b".")  # its close would mean nothing: other forks have it open
            os.waitpid(pid, 0)

    try:
        yield pid, release
    finally:
        release()
        for descriptor in (ready, end, do_end):
            os.close(descriptor)


def _acquires(folder: Path, projects: Mapping[str, bool]) -> str:
    """Whether a further run gets its locks at once; else what it says."""

    def acquire() -> str:
        try:
            ProjectLocks(folder).acquire(projects, _say)
        except _WaitsError as error:
            return str(error)
        return ""

    said: str = in_fork(acquire)
    return said


class _WaitsError(Exception):
    """Raised instead of waiting."""


def _say(text: str) -> None:
    raise _WaitsError(text)


def _locking_often(folder: Path, order: list[str]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for _ in range(200):
                taken = ProjectLocks(folder)
                taken.acquire(dict.fromkeys(order, True), lambda _: None)
                taken.release()
            code = 0
        finally:
            os._exit(code)
    return pid


def _note(file: Path, text: str) -> None:
    file.write_text(text)


class TestConflicts:
    """Readers share a project, a writer has it for itself."""

    @pytest.mark.parametrize(
        ("has", "wants", "waits"),
        [
            ({"api": True}, {"api": True}, True),
            ({"api": True}, {"api": False}, True),
            ({"api": False}, {"api": True}, True),
            ({"api": False}, {"api": False}, False),
            ({"api": True}, {"web": True}, False),
            ({"api": True, "web": False}, {"web": True}, True),
        ],
    )
    def test_who_waits(
        self, *, tmp_path: Path, has: dict[str, bool], wants: dict[str, bool], waits: bool
    ) -> None:
        """A run waits only where one of the two writes."""
        with _holder(tmp_path, has):
            assert bool(_acquires(tmp_path, wants)) is waits
        assert _acquires(tmp_path, wants) == ""

    def test_the_holder_is_named(self, tmp_path: Path) -> None:
        """By process and command line, with the project."""
        with _holder(tmp_path, {"api": True}) as (pid, _):
            said = _acquires(tmp_path, {"api": False})
        assert said.startswith(f"waiting for process {pid} (")
        assert said.endswith("), which has the project api")

    def test_a_killed_holder_frees_its_locks(self, tmp_path: Path) -> None:
        """The kernel does, however a run ends."""
        with _holder(tmp_path, {"api": True}) as (pid, release):
            os.kill(pid, signal.SIGKILL)
            release()
            assert _acquires(tmp_path, {"api": True}) == ""

    def test_releasing_lets_others_go_on(self, tmp_path: Path) -> None:
        """Who waited gets the lock; children that were forked meanwhile keep nothing."""
        mine = ProjectLocks(tmp_path)
        mine.acquire({"api": True}, _say)
        ready, is_ready = os.pipe()
        waiting = os.fork()
        if waiting == 0:
            os.read(ready, 1)  # a lane forked by the holder has the file open too
            os._exit(0)
        assert _acquires(tmp_path, {"api": True}) != ""
        mine.release()
        assert _acquires(tmp_path, {"api": True}) == ""
        os.write(is_ready, b".")
        os.waitpid(waiting, 0)
        os.close(ready)
        os.close(is_ready)

    def test_who_waits_gets_it_at_the_end(self, tmp_path: Path) -> None:
        """Waiting is told once, and ends with the holder."""
        told = tmp_path / "told"
        with _holder(tmp_path, {"api": True}) as (_, release):
            waiting = os.fork()
            if waiting == 0:
                try:
                    ProjectLocks(tmp_path).acquire({"api": True}, lambda text: _note(told, text))
                    os._exit(7)
                finally:
                    os._exit(1)
            wait_for(told.exists, "message")
            assert os.waitpid(waiting, os.WNOHANG) == (0, 0)
            release()
        _, status = os.waitpid(waiting, 0)
        assert os.waitstatus_to_exitcode(status) == 7

    def test_two_runs_never_wait_for_each_other(self, tmp_path: Path) -> None:
        """Whatever the order in which they name their projects."""
        names = [f"project-{i}" for i in range(8)]
        pids = [_locking_often(tmp_path, order) for order in (names, names[::-1])]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]

    def test_every_run_takes_them_in_one_order(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which is why no two can wait for each other."""
        taken: list[int] = []
        monkeypatch.setattr(
            "polylane.run.locks.fcntl.lockf", lambda _file, _kind, _size, place: taken.append(place)
        )
        names = [f"project-{i}" for i in range(8)]
        for order in (names, names[::-1]):
            made = ProjectLocks(tmp_path)
            made.acquire(dict.fromkeys(order, True), _say)
            made.release()
        assert len(taken) == 16
        assert taken[:8] == taken[8:]

    def test_projects_that_share_a_byte(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They wait for each other, and a shared lock does not weaken an exclusive one."""
        monkeypatch.setattr(locks, "_place", lambda _: 7)
        for has in ({"a": True, "b": False}, {"a": False, "b": True}):
            with _holder(tmp_path, has):
                assert _acquires(tmp_path, {"c": False}) != ""


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    """A folder's name may be any bytes."""
    taken = ProjectLocks(tmp_path)
    taken.acquire({"\udcff": True}, _say)
    taken.release()


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """One line that says which."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/locks: cannot be written: Not a directory"):
        ProjectLocks(tmp_path / "file")
