"""One look at the disk: the same answers as the disk's own, and none asked for twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polylane.describe.disk import Disk
from polylane.describe.languages.base import Folder
from polylane.describe.walk import scan, stamp


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Files, folders and links of every kind."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "file").write_text("text", encoding="utf-8")
    (tmp_path / "to-folder").symlink_to("a")
    (tmp_path / "to-file").symlink_to("a/file")
    (tmp_path / "to-nothing").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / ".polylane").mkdir()
    return tmp_path


PATHS = [
    *(".", "a", "a/b", "a/file", "a/gone", "gone", "gone/file", "a/file/x"),
    *("to-folder", "to-folder/file", "to-folder/b", "to-file", "to-nothing", "to-nothing/x"),
    *("loop", "loop/x", "a/../a/file", "a/b/../file", "../x", "a//file", "./a"),
]


@pytest.mark.parametrize("path", PATHS)
def test_the_answers_are_the_disks(workspace: Path, path: str) -> None:
    """For paths through links, files and what is not there."""
    disk = Disk(workspace)
    assert disk.exists(path) == os.path.exists(workspace / path)  # noqa: PTH110
    assert disk.is_dir(path) == os.path.isdir(workspace / path)  # noqa: PTH112


@pytest.mark.parametrize("path", ["a", "to-folder", "gone", "a/file", "to-nothing"])
def test_names_are_sorted(workspace: Path, path: str) -> None:
    """And none where there is no folder."""
    real = sorted(os.listdir(workspace / path)) if (workspace / path).is_dir() else []  # noqa: PTH208
    assert list(Disk(workspace).names(path)) == real


def test_polylanes_own_folder_is_not_there(workspace: Path) -> None:
    """A run makes it: that must not look like a change of the repository."""
    disk = Disk(workspace)
    assert ".polylane" not in disk.names(".")
    assert not disk.exists(".polylane")


def test_a_text_is_read_once(workspace: Path) -> None:
    """Whoever asks later sees what the first one saw, and its stamp."""
    disk = Disk(workspace)
    before = stamp(workspace / "a" / "file")
    assert disk.text("a/file") == "text"
    (workspace / "a" / "file").write_text("another", encoding="utf-8")
    assert disk.text("a/file") == "text"
    assert disk.stamp("a/file") == before != stamp(workspace / "a" / "file")


def test_a_folder_that_was_listed_is_not_listed_again(workspace: Path) -> None:
    """Its names are those of then; other folders are looked at now."""
    disk = Disk(workspace, {"a": scan(str(workspace / "a"))})
    (workspace / "a" / "new").touch()
    (workspace / "a" / "b" / "new").touch()
    assert disk.names("a") == ("b", "file")
    assert not disk.exists("a/new")
    assert disk.exists("a/b/new")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfgr\xc3\xb6\xc3\x9fe", "größe"),
        (b"x" * 3_000_000, "x" * 3_000_000),
    ],
)
def test_a_text_is_read_as_python_reads_it(workspace: Path, data: bytes, text: str) -> None:
    """Each end of line is one character, and a byte order mark is none."""
    (workspace / "file").write_bytes(data)
    assert Disk(workspace).text("file") == text


def test_a_file_that_does_not_say_its_size_is_read_to_its_end() -> None:
    """Those of /proc say none."""
    assert Disk(Path("/proc")).text("self/mounts") == Path("/proc/self/mounts").read_text()


def test_a_folder_is_no_text(workspace: Path) -> None:
    """Nor is what is not there."""
    disk = Disk(workspace)
    assert disk.text("a") is None
    assert disk.text("gone") is None
    assert disk.stamp("gone") is None


def test_a_folder_that_cannot_be_listed_may_still_be_entered(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the disk is asked for each path."""

    def refuse(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refuse)
    disk = Disk(workspace)
    assert disk.exists("a/file")
    assert disk.is_dir("a/b")
    assert not disk.exists("a/gone")
    assert disk.names("a") == ()


def _shout(folder: Folder, path: str) -> str:
    return f"{folder.text(path)}!"


def test_what_is_made_once_counts_as_read_for_each_who_asks(workspace: Path) -> None:
    """A change of the file must reach every project that used what was made of it."""
    disk = Disk(workspace)
    first, second = Folder(workspace, "a", disk), Folder(workspace, "a", disk)
    assert first.once(_shout, "file") is second.once(_shout, "file")
    assert first.read == second.read == {"a/file"}
