"""The folder that a language looks through: what it sees, and that it is noted."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from polylane.describe.languages.base import Folder
from polylane.errors import UserError


@pytest.fixture
def below(tmp_path: Path) -> Folder:
    """The empty folder ``a/b`` of a workspace."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    return Folder(tmp_path, "a/b")


def test_a_file_is_read_once_and_noted(below: Folder, tmp_path: Path) -> None:
    """By its path in the workspace; a byte order mark is no part of the text."""
    (tmp_path / "a" / "b" / "x").write_text("\ufeffgröße", encoding="utf-8")
    assert below.text("x") == "größe"
    assert below.read == {"a/b/x"}


@pytest.mark.parametrize("name", ["gone", "gone/x", "file/x", "folder"])
def test_what_is_no_file_reads_as_nothing(below: Folder, tmp_path: Path, name: str) -> None:
    """But it is noted: it may appear."""
    (tmp_path / "a" / "b" / "file").touch()
    (tmp_path / "a" / "b" / "folder").mkdir()
    assert below.text(name) is None
    assert below.toml(name) is None
    assert below.json(name) is None
    assert below.read == {f"a/b/{name}"}


def test_a_file_that_is_not_utf_8_is_refused(below: Folder, tmp_path: Path) -> None:
    """The line names the file and the byte."""
    (tmp_path / "a" / "b" / "x").write_bytes(b"ab\xff")
    with pytest.raises(UserError) as caught:
        below.text("x")
    assert str(caught.value) == f"{tmp_path}/a/b/x: not UTF-8 (byte 2); save it as UTF-8"


def test_a_file_that_cannot_be_read_is_refused(below: Folder, tmp_path: Path) -> None:
    """Here a socket."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "a" / "b" / "x"))
        with pytest.raises(UserError) as caught:
            below.text("x")
    assert str(caught.value).startswith(f"{tmp_path}/a/b/x: cannot be read: ")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.toml", "a =", "Invalid value"),
        ("x.json", "{", "Expecting property name"),
        ("x.json", "[1]", "has no object at its top"),
        ("x.json", "[" * 100_000, "maximum recursion depth exceeded"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_refused(
    below: Folder, tmp_path: Path, name: str, text: str, words: str
) -> None:
    """The line names the file, and what the parser says."""
    (tmp_path / "a" / "b" / name).write_text(text)
    with pytest.raises(UserError) as caught:
        (below.toml if name.endswith("toml") else below.json)(name)
    assert str(caught.value).startswith(f"{tmp_path}/a/b/{name}: {words}")
    assert str(caught.value).endswith("; mend the file")


def test_files_are_parsed(below: Folder, tmp_path: Path) -> None:
    """TOML and JSON."""
    (tmp_path / "a" / "b" / "x.toml").write_text("a = 1")
    (tmp_path / "a" / "b" / "x.json").write_text('{"a": 1}')
    assert below.toml("x.toml") == below.json("x.json") == {"a": 1}
    assert below.read == {"a/b/x.toml", "a/b/x.json"}


def test_questions_and_answers_are_noted(below: Folder, tmp_path: Path) -> None:
    """By their paths in the workspace."""
    (tmp_path / "a" / "b" / "folder").mkdir()
    (tmp_path / "a" / "b" / "file").touch()
    assert below.exists("file")
    assert below.exists("folder")
    assert not below.exists("gone")
    assert below.is_dir("folder")
    assert not below.is_dir("file")
    assert below.names() == ["file", "folder"]
    assert below.names("folder") == below.names("gone") == below.names("file") == []
    assert below.asked["exists", "a/b/gone"] is False
    assert below.asked["is_dir", "a/b/folder"] is True
    assert set(below.asked) >= {("exists", "a/b/file"), ("names", "a/b/folder")}


def test_links_answer_for_what_they_lead_to(below: Folder, tmp_path: Path) -> None:
    """A link to nowhere does not exist."""
    for name, target in {"up": "..", "gone": "nowhere", "loop": "loop"}.items():
        (tmp_path / "a" / "b" / name).symlink_to(target)
    assert below.is_dir("up")
    assert below.exists("up/b")
    assert not below.exists("gone")
    assert not below.exists("loop")


def test_the_folder_above_notes_in_the_same_place(below: Folder, tmp_path: Path) -> None:
    """Up to the workspace, and not beyond."""
    (tmp_path / "x").write_text("1")
    above = below.parent
    assert above is not None
    top = above.parent
    assert top is not None
    assert (above.path, top.path, top.parent) == ("a", ".", None)
    assert top.text("x") == "1"
    assert not above.exists("x")
    assert below.read == {"x"}
    assert below.asked == {("exists", "a/x"): False}


def test_answers_are_true_until_something_changes(below: Folder, tmp_path: Path) -> None:
    """A file that comes, a folder that becomes a file, another name in a listing."""
    assert not below.exists("x")
    assert below.names() == []
    asked = dict(below.asked)
    assert Folder(tmp_path, ".").still_true(asked)
    (tmp_path / "a" / "b" / "y").touch()
    assert not Folder(tmp_path, ".").still_true(asked)
    asked = {("is_dir", "a/b"): True, ("exists", "a/b/y"): True}
    assert Folder(tmp_path, ".").still_true(asked)
    (tmp_path / "a" / "b" / "y").unlink()
    assert not Folder(tmp_path, ".").still_true(asked)


def test_what_many_need_of_one_folder_is_made_once(below: Folder, tmp_path: Path) -> None:
    """And all who asked have seen what it was made of."""
    (tmp_path / "x").write_text("1")
    (tmp_path / "a" / "c").mkdir()
    other = Folder(tmp_path, "a/c", below._disk)
    tops = [folder.beside(".") for folder in (below, other)]
    assert [top.once(_made) for top in tops] == [["1"], ["1"]]
    assert tops[0].once(_made) is tops[1].once(_made)
    assert below.read == other.read == {"x"}
    assert below.asked == other.asked == {("exists", "y"): False}


def _made(folder: Folder) -> list[str | None]:
    assert not folder.exists("y")
    return [folder.text("x")]


def test_our_own_folder_is_not_there(below: Folder, tmp_path: Path) -> None:
    """It comes and goes with our runs."""
    (tmp_path / ".polylane").mkdir()
    top = below.beside(".")
    assert not top.exists(".polylane")
    assert top.names() == ["a"]
