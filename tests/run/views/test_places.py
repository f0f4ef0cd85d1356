"""Where private views have their scratch folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views import overlay, places
from tests.support import FORKS, forbid, in_fork

pytestmark = FORKS


@pytest.fixture
def workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(os.path.realpath(folder))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were tried, in order; all of them are refused."""
    found: list[Path] = []

    def refuse(_: Path, folder: Path, *, pid: bool = False) -> str:
        found.append(folder)
        return f"refused with pids {pid}"

    monkeypatch.setattr(overlay, "available", refuse)
    return found


def test_outside_of_the_workspace_first(workspace: Path, tried: list[Path]) -> None:
    """Where much may lie, then where others' temporary files lie; else one says all reasons."""
    place = places.choose(workspace, workspace / "inside", pid=True)
    assert tried[-1] == workspace / "inside"
    assert len(tried) == 3
    assert set(tried[:2]) == {Path("/var/tmp"), Path(tempfile.gettempdir())}
    assert place.none
    assert place.refused == tuple(f"{folder}: refused with pids True" for folder in tried)


def test_the_users_own_temporary_folder_counts(
    workspace: Path, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ``TMPDIR`` names one, it is for large files too."""
    own = workspace / "own"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    places.choose(workspace, workspace / "inside")
    assert tried == [own, workspace / "inside"]


def test_the_workspaces_own_filesystem_is_better(
    workspace: Path, tried: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From there files are moved, and not copied."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        assert Path(other).stat().st_dev != workspace.stat().st_dev
        monkeypatch.setattr(tempfile, "tempdir", other)
        inside = workspace / "inside"
        inside.mkdir()
        places.choose(workspace, inside)
        assert tried == [inside, Path(other)]


def test_the_first_that_works_is_taken(workspace: Path) -> None:
    """Nothing is left in it by the try."""
    if why := overlay.available(workspace, workspace / "scratch", pid=True):
        pytest.skip(why)
    place = places.choose(workspace, workspace / "inside", pid=True)
    assert not place.none
    assert place.folder in (Path("/var/tmp"), Path(tempfile.gettempdir()))
    assert not list(workspace.iterdir())


def test_where_all_are_refused_it_says_so(workspace: Path) -> None:
    """With a reason for each place."""

    def look() -> Any:
        forbid("unshare")
        place = places.choose(workspace, workspace / "inside")
        return place.none, list(place.refused)

    none, refused = in_fork(look)
    assert none
    assert refused
    assert all("seccomp" in why for why in refused)


@pytest.mark.parametrize(
    ("temporary", "chosen"),
    [("{}", "{}"), ("/tmp", "/var/tmp"), ("/proc", "{}/ws/.polylane/views")],
    ids=["a named one", "the usual one, for what is large", "none but in the workspace"],
)
def test_the_temporary_folder_decides(workspace: Path, temporary: str, chosen: str) -> None:
    """Where there can be a view in it."""

    def look() -> Any:
        tempfile.tempdir = temporary.format(workspace)
        (workspace / "ws").mkdir()
        place = places.choose(workspace / "ws", workspace / "ws/.polylane/views")
        return str(place.folder), place.none, [each.partition(": ")[0] for each in place.refused]

    if why := overlay.available(workspace, workspace / "scratch"):
        pytest.skip(why)
    refused = ["/proc"] if temporary == "/proc" else []
    assert in_fork(look) == (chosen.format(workspace), False, refused)
