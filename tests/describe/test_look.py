"""What was looked at: noted once, shared, and what names say without another question."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.describe.disk import Disk
from polylane.describe.languages.base import Folder
from polylane.describe.look import Look


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("a/gone", True),
        ("a/gone/x/y", True),
        ("a/here", False),
        ("a/here/x", False),  # nobody asked what lies in there
        ("b/gone", False),
        ("gone", False),
        ("a/..", False),
        ("a/../gone", False),
        ("a/.", False),
        (".", False),
    ],
)
def test_names_say_what_is_not_there(path: str, missing: bool) -> None:  # noqa: FBT001
    """In the folder whose names are known, and below what it lacks."""
    look = Look()
    look.listed["a"] = {"here"}
    assert look.is_missing(path) is missing


def test_the_names_of_the_workspace_count_for_all_below(tmp_path: Path) -> None:
    """Its path is a dot, which no other path begins with."""
    look = Look()
    look.listed["."] = {"a"}
    assert look.is_missing("b/c")
    assert not look.is_missing("a/c")


def test_what_names_say_is_not_asked_nor_noted(tmp_path: Path) -> None:
    """Whatever the question; one that names do not answer is."""
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to("nowhere")
    folder = Folder(tmp_path, "a")
    assert folder.names() == ["link", "sub"]
    assert not folder.exists("gone")
    assert not folder.is_dir("gone/deep")
    assert folder.names("gone") == []
    assert folder.text("gone") is None
    assert folder.json("gone/x.json") is None
    assert (folder.read, folder.asked) == (set(), {("names", "a"): ("link", "sub")})
    assert not folder.exists("link")
    assert folder.is_dir("sub")
    assert folder.asked.keys() == {("names", "a"), ("exists", "a/link"), ("is_dir", "a/sub")}


def test_a_folder_that_cannot_be_listed_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files may be there all the same."""
    (tmp_path / "file").write_text("text")

    def refuse(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr("os.scandir", refuse)
    folder = Folder(tmp_path, ".")
    assert folder.names() == []
    assert folder.text("file") == "text"


def _near(folder: Folder) -> str | None:
    assert folder.parent is not None
    return folder.parent.once(_far)


def _far(folder: Folder) -> str | None:
    assert not folder.exists("gone")
    return folder.text("far")


def test_what_was_made_once_of_what_was_made_once_is_seen_by_all(tmp_path: Path) -> None:
    """By the first who asks, and by those who find it made."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "far").write_text("x")
    disk = Disk(tmp_path)
    for path in ("a/b", "a/c"):
        folder = Folder(tmp_path, path, disk)
        assert folder.beside("a").once(_near) == "x"
        assert folder.read == {"far"}
        assert folder.asked == {("exists", "gone"): False}
