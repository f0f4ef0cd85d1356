"""Files that appear whole or not at all, and never in the place of another."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.integrations import new_files

TEXT = "ü\n" * 10


def names(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_files_are_made_with_their_folders(tmp_path: Path) -> None:
    """In UTF-8, with the permissions that new files have; nothing else is left."""
    (tmp_path / "plain").touch()
    assert new_files.make({tmp_path / "a/b/c": TEXT, tmp_path / "d": ""}) == []
    assert (tmp_path / "a/b/c").read_text(encoding="utf-8") == TEXT
    assert (tmp_path / "d").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert names(tmp_path) == ["a", "a/b", "a/b/c", "d", "plain"]


@pytest.mark.parametrize("taken", ["file", "link to it", "dangling link", "folder"])
@pytest.mark.parametrize("disk", ["with links", "without links"])
def test_what_is_there_is_left_and_named(
    tmp_path: Path, taken: str, disk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it appeared after anybody looked; the others are made."""
    here = tmp_path / "here"
    target = tmp_path / "target"
    if taken == "folder":
        here.mkdir()
    elif taken == "file":
        here.write_text("mine", encoding="utf-8")
    else:
        here.symlink_to(target)
    if taken == "link to it":
        target.write_text("mine", encoding="utf-8")
    before = names(tmp_path)
    if disk == "without links":
        monkeypatch.setattr(os, "link", _no_link)
    assert new_files.make({here: TEXT, tmp_path / "new": TEXT}) == [here]
    assert names(tmp_path) == sorted([*before, "new"])
    for path in (here, target):
        assert not path.is_file() or path.read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "new").read_text(encoding="utf-8") == TEXT


def _no_link(source: Path, path: Path) -> None:
    """What a file system without hard links answers."""
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "File exists", str(source))
    raise PermissionError(errno.EPERM, "Operation not permitted", str(source))


def test_where_one_cannot_be_written_none_is_made(tmp_path: Path) -> None:
    """Its folders are gone again, and one line says why."""
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file.*cannot be made: File exists") as error:
        new_files.make({tmp_path / "a/b": TEXT, tmp_path / "file/c": TEXT})
    assert "\n" not in str(error.value)
    assert names(tmp_path) == ["file"]


def test_a_place_that_cannot_be_written_to_is_told_before() -> None:
    """By the nearest folder that exists: no folder, or one in which nobody can make a file."""
    with pytest.raises(UserError, match=r"/proc/self is not writable for you; nothing was written"):
        new_files.check([Path("/proc/self/a/b")])
    with pytest.raises(UserError, match=r"/proc/self/stat is no folder"):
        new_files.check([Path("/proc/self/stat/a")])
