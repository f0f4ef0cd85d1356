"""Which tasks of a run get a private view, where it lies, and what is said where none can be."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polylane.model import Claim, Task
from polylane.run.private_views import TEMPORARY, PrivateViews
from polylane.run.strict import Private
from polylane.run.views import overlay
from tests.support import FORKS, forbid, in_fork

pytestmark = FORKS


@pytest.fixture
def folder() -> Iterator[Path]:
    """A workspace, a folder for temporary files beside it, and ours in it."""
    with tempfile.TemporaryDirectory(prefix="views-") as made:
        folder = Path(os.path.realpath(made))
        if why := overlay.available(folder, folder / "scratch", pid=True):
            pytest.skip(why)
        for name in ("ws/.polylane", "tmp"):
            (folder / name).mkdir(parents=True)
        yield folder


def task(sandbox: str = "strict", **claim: Any) -> Task:
    return Task("a:b:c", "a", "b", "", "c", ("c",), ".", Claim(**claim), sandbox=sandbox)


def views_of(folder: Path, temporary: str = "tmp") -> PrivateViews:
    return PrivateViews(folder / "ws", folder / "ws/.polylane", folder / temporary, 0.5)


@pytest.fixture
def views(folder: Path) -> Iterator[PrivateViews]:
    made = views_of(folder)
    yield made
    made.close()


def one(views: PrivateViews, **claim: Any) -> Private:
    private = views.of(task(**claim))
    assert private is not None
    return private


def test_a_strict_task_gets_one(views: PrivateViews, folder: Path) -> None:
    """Of the workspace, with what it writes and caches."""
    private = one(views, writes=("out",), caches=("cache",), reads=("src",))
    assert (private.folder, private.grace) == (str(folder / "ws"), 0.5)
    assert private.writes == ("out", "cache")


@pytest.mark.parametrize("sandbox", ["projects", "off"])
def test_others_get_none(views: PrivateViews, folder: Path, sandbox: str) -> None:
    """Nothing is made for them."""
    assert views.of(task(sandbox)) is None
    assert not list((folder / "tmp").iterdir())


def test_each_attempt_has_its_own(views: PrivateViews) -> None:
    """A second attempt must not see what the first one wrote."""
    first, second = one(views), one(views)
    assert first.scratch != second.scratch
    assert first.temporary != second.temporary


def test_the_temporary_folder_is_short(views: PrivateViews, folder: Path) -> None:
    """A socket in it has a path of 107 bytes at most, so that it does not count where we work."""
    private = one(views)
    assert Path(private.temporary).parent.parent == folder / "tmp"
    assert Path(private.temporary).parent.name.startswith(TEMPORARY)
    assert len(private.temporary) - len(str(folder / "tmp")) < 25
    with socket.socket(socket.AF_UNIX) as server:
        Path(private.temporary).mkdir()
        server.bind(f"{private.temporary}/socket")


def test_a_tasks_environment_says_so(views: PrivateViews) -> None:
    """And git shall not write what it has only seen."""
    private = one(views)
    assert dict(views.variables(private)) == {
        "TMPDIR": private.temporary,
        "GIT_OPTIONAL_LOCKS": "0",
    }


def test_our_own_folder_and_caches_are_dropped(views: PrivateViews) -> None:
    """They lie in the workspace, and are written there by nested runs and by interpreters."""
    dropped = one(views).dropped
    assert dropped[0] == ".polylane"
    assert "**/__pycache__" in dropped
    assert not any("tmp" in path for path in dropped)


def test_a_temporary_folder_in_the_workspace_is_dropped(folder: Path) -> None:
    """What is written there is no task's claim."""
    views = views_of(folder, "ws/tmp")
    try:
        private = one(views)
        assert os.path.relpath(Path(private.temporary).parent, folder / "ws") in private.dropped
    finally:
        views.close()


def test_closing_removes_all(folder: Path) -> None:
    """Views and temporary folders, with what is in them; and makes no more."""
    views = views_of(folder)
    private = one(views)
    for path in (private.scratch, private.temporary):
        Path(path, "deep").mkdir(parents=True)
    views.close()
    assert not Path(private.scratch).parent.exists()
    assert not list((folder / "tmp").iterdir())


def test_who_asks_late_leaves_nothing(folder: Path) -> None:
    """Whether there can be views is asked at the end of a run where no strict task began."""
    views = views_of(folder)
    views.close()
    assert views.why_not() == ""
    assert not list((folder / "tmp").iterdir())


def test_where_views_are_refused_there_are_none(folder: Path) -> None:
    """The reason of the last place that was tried is told; it is tried once."""

    def look() -> Any:
        forbid("unshare")
        views = views_of(folder)
        return views.why_not(), views.of(task()) is None, views.why_not()

    why, none, again = in_fork(look)
    assert "a seccomp filter" in why
    assert (none, again) == (True, why)


def test_where_no_temporary_folder_can_be_made_there_are_none(folder: Path) -> None:
    """The tasks then run as others do; what was made is removed."""
    (folder / "file").touch()
    views = views_of(folder, "file")
    assert views.of(task()) is None
    assert views.why_not() == f"{folder}/file cannot be written: File exists"
    made = [scratch.path for scratch in views._scratches]
    views.close()
    assert made
    assert not any(path.exists() for path in made)
