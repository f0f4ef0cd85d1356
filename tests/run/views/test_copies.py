"""Copies: what a view answers, where there can be none."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views import snapshot
from polylane.run.views.copies import Copy
from tests.run.views.places import found, inside, names
from tests.support import FORKS

pytestmark = FORKS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small workspace."""
    top = tmp_path / "ws"
    (top / "a/b").mkdir(parents=True)
    (top / "a/b/c").write_text("c", encoding="utf-8")
    (top / "a/d").write_text("d", encoding="utf-8")
    (top / "file").write_text("file", encoding="utf-8")
    (top / "link").symlink_to("a")
    (top / ".git").mkdir()
    return top


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Copy:
    """A copy of it."""
    return Copy(folder, tmp_path / "scratch")


def test_a_copy_holds_the_same(folder: Path, copy: Copy) -> None:
    """Also modes and times, links as links, and files with two names as one."""
    assert snapshot.fingerprint(copy.path) == snapshot.fingerprint(folder)
    assert found(copy) == ([], [], [], [])


def test_modes_times_and_names_are_kept(folder: Path, tmp_path: Path) -> None:
    """Of folders too, which are filled before."""
    os.link(folder / "file", folder / "twin")
    (folder / "a/d").chmod(0o751)
    (folder / "a").chmod(0o2711)
    os.utime(folder / "a", ns=(1, 1000000007))
    made = Path(Copy(folder, tmp_path / "scratch").path)
    assert (made / "file").samefile(made / "twin")
    assert stat.S_IMODE((made / "a/d").stat().st_mode) == 0o751
    seen = (made / "a").stat()
    assert (stat.S_IMODE(seen.st_mode), seen.st_mtime_ns) == (0o2711, 1000000007)


def test_it_says_that_its_path_is_another(folder: Path, copy: Copy) -> None:
    """Absolute paths in it lead out of it."""
    assert copy.path != copy.folder == str(folder)


def test_what_is_ignored_is_not_copied(folder: Path, tmp_path: Path) -> None:
    """Nor the copy itself, where it lies in the folder; and neither counts as removed."""
    made = Copy(folder, folder / ".polylane/copy", snapshot.named([".git"]))
    assert names(Path(made.path)) == [".polylane", "a", "file", "link"]
    assert names(Path(made.path) / ".polylane") == []
    assert found(made) == ([], [], [], [])


def _replace(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda f: (f / "a/new").touch(), (["a/new"], [], [], [])),
        (lambda f: (f / "a/d").write_text("x", encoding="utf-8"), ([], ["a/d"], [], [])),
        (lambda f: (f / "a/d").write_text("d", encoding="utf-8"), ([], [], [], ["a/d"])),
        (lambda f: (f / "a/d").chmod(0o600), ([], ["a/d"], [], [])),
        (lambda f: (f / "a").chmod(0o700), ([], ["a"], [], [])),
        (lambda f: shutil.rmtree(f / "a"), ([], [], ["a"], [])),
        (lambda f: _replace(f / "a"), ([], ["a"], [], [])),
    ],
)
def test_the_write_set_is_that_of_a_view(
    folder: Path, copy: Copy, change: Callable[[Path], Any], wanted: Any
) -> None:
    """Each kind of change."""
    change(Path(copy.path))
    assert found(copy) == wanted


def test_a_time_that_is_set_back_hides_nothing(copy: Copy) -> None:
    """A file of the same size and time, with other content."""
    path = Path(copy.path) / "file"
    before = path.stat()
    path.write_text("elif", encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(copy)[1] == ["file"]


@pytest.mark.parametrize("below", ["", "a/b"])
def test_the_current_folder_is_that_of_the_copy(folder: Path, copy: Copy, below: str) -> None:
    """The same place in it, also with new pids; the real one is not written."""

    def look() -> str:
        Path("here").touch()
        return str(Path.cwd())

    before = Path.cwd()
    os.chdir(folder / below)
    try:
        where = os.path.join(copy.path, below).rstrip("/")  # noqa: PTH118 - the text is compared
        assert inside(copy, look) == where
        assert inside(copy, os.getpid, parent=os.getpid()) == 2
    finally:
        os.chdir(before)
    assert found(copy)[0] == [f"{below}/here".lstrip("/")]
    assert not (folder / below / "here").exists()


def test_a_current_folder_elsewhere_stays(copy: Copy) -> None:
    """A copy is not where it is not."""
    assert inside(copy, lambda: str(Path.cwd())) == str(Path.cwd())


def test_commit_and_discard(folder: Path, copy: Copy, tmp_path: Path) -> None:
    """As of a view; a removed file that was changed outside is removed."""
    (Path(copy.path) / "file").write_text("new", encoding="utf-8")
    shutil.rmtree(Path(copy.path) / "a")
    assert sorted(copy.fingerprint()) == ["a", "file"]
    copy.commit()
    copy.discard()
    assert (folder / "file").read_text(encoding="utf-8") == "new"
    assert names(folder) == [".git", "file", "link"]
    assert names(tmp_path) == ["ws"]
