"""Folders by time: what is listed again, and what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.describe import git
from polylane.describe import walk as module
from polylane.describe.walk import UNSETTLED, Tree, settled, stamp, walk
from tests.describe.toys import Yard, yard

__all__ = ["yard"]


def _walk(yard: Yard, known: Tree | None = None) -> Tree:
    return walk(yard.folder, files={"toy.txt"}, skip={".git"}, known=known or Tree(), since=10**30)


def _listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is listed from now on, by the folder's name."""
    listed: list[str] = []
    listing = module._listing

    def noting(absolute: str, *names: object) -> object:
        listed.append(Path(absolute).name)
        return listing(absolute, *names)

    monkeypatch.setattr(module, "_listing", noting)
    return listed


def test_a_folder_has_its_folders_and_the_files_that_matter(yard: Yard) -> None:
    """Sorted by name; other files are not remembered, ignore files are."""
    yard.toys("b", "a/c")
    yard.write("a/notes.md")
    yard.write("a/.gitignore")
    tree = _walk(yard)
    assert {path: entry[1:] for path, entry in tree.entries.items()} == {
        ".": (("a", "b"), ()),
        "a": (("c",), (".gitignore",)),
        "a/c": ((), ("toy.txt",)),
        "b": ((), ("toy.txt",)),
    }
    assert tree.changed


def test_a_folder_called_as_a_file_that_matters_is_a_folder(yard: Yard) -> None:
    """Only files make projects."""
    yard.toys("toy.txt")
    assert _walk(yard).entries["."][1:] == (("toy.txt",), ())


def test_an_unchanged_tree_is_not_listed_and_git_is_not_asked(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times are enough."""
    yard.toys("a/b")
    first = _walk(yard)
    listed = _listed(monkeypatch)
    monkeypatch.setenv("PATH", "")
    second = _walk(yard, first)
    assert (second.entries, second.changed, listed) == (first.entries, False, [])
    assert second.ignore_stamps == first.ignore_stamps


def test_only_a_folder_that_changed_is_listed(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders above and beside it stay as they were."""
    yard.toys("a/b", "c")
    first = _walk(yard)
    listed = _listed(monkeypatch)
    yard.tick()
    yard.toys("a/b/d")
    second = _walk(yard, first)
    assert second.changed
    assert sorted(listed) == ["b", "d"]
    assert second.entries["a/b"][1] == ("d",)


def test_a_changed_rule_lists_everything(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was ignored may not be any more."""
    yard.toys("a")
    yard.write(".gitignore", "x")
    first = _walk(yard)
    listed = _listed(monkeypatch)
    yard.write(".gitignore", "longer")
    assert _walk(yard, first).changed
    assert sorted(listed) == ["a", "yard"]


def test_a_folder_that_cannot_be_listed_is_empty(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not ours to read, and no reason to end."""
    yard.toys("a/b", "c")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    entries = _walk(yard).entries
    assert entries["a"][1:] == ((), ())
    assert "c" in entries


def test_a_folder_that_becomes_a_repository_is_no_longer_ours(yard: Yard) -> None:
    """And it is ours again when it is none any more; the folder above is as it was."""
    yard.toys("a/b")
    first = _walk(yard)
    yard.tick()
    (yard.folder / "a" / ".git").mkdir()
    second = _walk(yard, first)
    assert second.entries.keys() == {".", "a"}
    assert second.entries["a"][1:] == ((), ())
    assert second.entries["."] is first.entries["."]
    yard.tick()
    (yard.folder / "a" / ".git").rmdir()
    assert _walk(yard, second).entries["a/b"][2] == ("toy.txt",)


def test_what_was_listed_is_kept_for_those_who_ask_next(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the folders that were listed only, less our own, and up to a limit."""
    yard.toys("a", "b")
    yard.write("b/other.txt")
    yard.write(".polylane/x")
    tree = _walk(yard)
    names = {path: set(listing) for path, listing in tree.listings.items()}
    assert names == {
        ".": {".git", "a", "b"},
        "a": {"toy.txt"},
        "b": {"toy.txt", "other.txt"},
    }
    assert _walk(yard, tree).listings == {}
    monkeypatch.setattr(module, "_KEPT", 4)
    assert _walk(yard).listings.keys() == {".", "a"}


def test_git_is_asked_once_a_level(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many folders a level has."""
    yard.toys(*(f"a{i}/b{i}/c{i}" for i in range(20)))
    asked: list[int] = []
    ignored = git.ignored

    def noting(folder: Path, paths: list[str]) -> set[str]:
        asked.append(len(paths))
        return ignored(folder, paths)

    monkeypatch.setattr(git, "ignored", noting)
    _walk(yard)
    assert asked == [20, 20, 20, 0]


def test_a_stamp_tells_contents_apart_and_survives_a_look(tmp_path: Path) -> None:
    """Of what is not there it is None."""
    file = tmp_path / "a"
    assert stamp(file) is None
    file.write_text("x")
    first = stamp(file)
    assert first == stamp(str(file))
    file.write_text("xy")
    assert stamp(file) != first


def test_a_stamp_cannot_be_set_back(tmp_path: Path) -> None:
    """A file replaced by one of the same size and modification time is another one."""
    old, new = tmp_path / "old", tmp_path / "new"
    for file in (old, new):
        file.write_text("x")
        os.utime(file, (1, 1))
    first = stamp(old)
    new.replace(old)
    assert stamp(old) != first


def test_what_changed_just_now_is_not_settled() -> None:
    """Before the look, within a tick of the clock, or during it."""
    tick = module._TICK
    assert settled((1000, 2, 3), 1000 + tick + 1) == (1000, 2, 3)
    assert settled((1000, 2, 3), 1000 + tick) == UNSETTLED
    assert settled((1000, 2, 3), 1000) == UNSETTLED
    assert settled((1000, 2, 3), 10) == UNSETTLED
    assert settled(None, 10) is None


def test_an_unsettled_folder_is_listed_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it has been quiet for a tick."""
    monkeypatch.setattr(module, "_TICK", 0)
    yard.toys("a")
    tree = walk(yard.folder, files={"toy.txt"}, skip={".git"}, known=Tree(), since=0)
    listed = _listed(monkeypatch)
    tree = _walk(yard, tree)
    assert sorted(listed) == ["a", "yard"]
    assert tree.changed
    assert not _walk(yard, tree).changed
