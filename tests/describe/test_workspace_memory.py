"""What is remembered of a workspace, and when it is read again."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from polylane.describe import cache, findings, languages, workspace
from polylane.describe.config import Config
from tests.describe.toys import TOY, Yard, register, yard

__all__ = ["yard"]


def test_what_is_unchanged_is_not_read_again(yard: Yard) -> None:
    """A second search asks no language."""
    yard.toys("a", "b")
    assert yard.looked_at() == ["a", "b"]
    first = yard.find()
    assert yard.looked_at() == []
    assert yard.find() == first


def test_only_the_project_whose_manifest_changed_is_read_again(yard: Yard) -> None:
    """Also where its size and its folder stay the same."""
    yard.toys("a", "b")
    yard.find()
    yard.tick()
    yard.write("a/toy.txt", "c")
    assert yard.looked_at() == ["a"]
    assert yard.find().descriptions["a"]["toy"][0] == ("c",)


def test_a_new_project_is_found(yard: Yard) -> None:
    """In a new folder, in an old one, and deep below."""
    yard.toys("a")
    (yard.folder / "old").mkdir()
    yard.find()
    yard.tick()
    yard.toys("new", "old", "a/b/c")
    assert yard.paths() == ["a", "a/b/c", "new", "old"]


def test_a_project_that_is_gone_is_forgotten(yard: Yard) -> None:
    """Its folder, or just its manifest."""
    yard.toys("a", "b", "c")
    yard.find()
    yard.tick()
    shutil.rmtree(yard.folder / "a")
    (yard.folder / "b" / "toy.txt").unlink()
    assert yard.paths() == ["c"]
    assert yard.paths() == ["c"]


def test_projects_that_change_places_are_told_apart(yard: Yard) -> None:
    """A folder that was moved to the place of another is not taken for it."""
    yard.write("a/toy.txt", "one")
    yard.write("b/toy.txt", "two")
    yard.find()
    (yard.folder / "a").rename(yard.folder / "c")
    (yard.folder / "b").rename(yard.folder / "a")
    (yard.folder / "c").rename(yard.folder / "b")
    found = yard.find()
    assert found.descriptions["a"]["toy"][0] == ("two",)
    assert found.descriptions["b"]["toy"][0] == ("one",)


def test_an_edited_ignore_file_counts_at_once(yard: Yard) -> None:
    """What it newly ignores is gone, what it no longer ignores is back."""
    yard.toys("a", "b")
    yard.write(".gitignore", "a\n")
    assert yard.paths() == ["b"]
    yard.tick()
    yard.write(".gitignore", "b\n")
    assert yard.paths() == ["a"]


def test_a_new_ignore_file_counts_at_once(yard: Yard) -> None:
    """In any folder; and so does its end."""
    yard.toys("sub/a", "sub/b", "sub/c/deep")
    assert yard.paths() == ["sub/a", "sub/b", "sub/c/deep"]
    yard.tick()
    yard.write("sub/.gitignore", "a\ndeep\n")
    assert yard.paths() == ["sub/b"]
    yard.tick()
    (yard.folder / "sub" / ".gitignore").unlink()
    assert yard.paths() == ["sub/a", "sub/b", "sub/c/deep"]


def test_a_file_that_a_language_asked_about_may_appear(yard: Yard) -> None:
    """Whether it asked that it exists, or for its text; and it may go again."""
    yard.toys("a", "b")
    assert [r.tool for r in yard.find().recipes("a", "toy")] == ["check"]
    yard.tick()
    yard.write("a/extra.cfg")
    assert yard.looked_at() == ["a"]
    assert [r.tool for r in yard.find().recipes("a", "toy")] == ["check", "extra"]
    yard.tick()
    yard.write("a/wide.cfg", "yes")
    assert [r.tool for r in yard.find().recipes("a", "toy")] == ["check", "extra", "wide"]
    yard.tick()
    (yard.folder / "a" / "extra.cfg").unlink()
    assert [r.tool for r in yard.find().recipes("a", "toy")] == ["check", "wide"]


def test_an_unrelated_file_makes_nobody_look_again(yard: Yard) -> None:
    """A folder that changed is listed; who asked nothing that changed is not asked."""
    yard.toys("a", "b")
    yard.find()
    yard.tick()
    yard.write("a/notes.md")
    assert yard.looked_at() == []


def test_another_list_of_languages_is_another_workspace(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug-in that comes finds its projects, one that goes takes them along."""
    yard.toys("a")
    yard.write("b/brick.txt", "b")
    assert yard.paths() == ["a"]
    register(monkeypatch, "TOY", "BRICK")
    assert yard.paths() == ["a", "b"]
    register(monkeypatch, "BRICK")
    assert yard.paths() == ["b"]


def test_other_packages_with_the_same_languages_change_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installing a package makes the plug-ins be listed once, and nothing be read."""
    yard.toys("a")
    yard.find()
    asked = []

    def registered() -> dict[str, str]:
        asked.append(1)
        return {"toy": f"{Yard.__module__}:TOY"}

    monkeypatch.setattr(languages, "registered", registered)
    monkeypatch.setattr(languages, "installed_stamp", lambda: ("other",))
    assert yard.looked_at() == []
    assert yard.looked_at() == []
    assert asked == [1]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[7:],
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
        lambda data: data.replace(b"polylane", b"Polylane", 1),
    ],
)
def test_a_memory_that_is_broken_is_as_good_as_none(yard: Yard, damage: object) -> None:
    """Empty, cut, altered or from another version: all is read again, and remembered anew."""
    yard.toys("a")
    yard.find()
    file = yard.folder / ".polylane" / cache.FILE
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    assert yard.looked_at() == ["a"]
    assert yard.looked_at() == []


def test_a_workspace_that_cannot_remember_is_searched_all_the_same(yard: Yard) -> None:
    """``.polylane`` is a file here; that is for those to say who must write there."""
    yard.toys("a")
    yard.write(".polylane", "mine")
    assert yard.looked_at() == ["a"]
    assert yard.looked_at() == ["a"]
    assert (yard.folder / ".polylane").read_text() == "mine"


def test_what_changed_while_it_was_looked_at_is_looked_at_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second change within one tick of the clock leaves no trace."""
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(yard.folder.with_name("home")))
    register(monkeypatch, "TOY")
    yard.toys("a")
    written = (yard.folder / "a" / "toy.txt").stat().st_ctime_ns
    monkeypatch.setattr(time, "time_ns", lambda: written)
    assert yard.looked_at() == ["a"]
    assert yard.looked_at() == ["a"]
    monkeypatch.setattr(time, "time_ns", lambda: written + 10**12)
    assert yard.looked_at() == ["a"]
    assert yard.looked_at() == []


def test_a_search_that_should_not_remember_writes_nothing(yard: Yard) -> None:
    """Not even the folder."""
    yard.toys("a")
    workspace.find(Config(yard.folder), remember=False)
    assert not (yard.folder / ".polylane").exists()


def test_data_of_a_language_that_are_not_plain_are_read_each_time(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug-in's mistake costs time, and nothing else."""
    yard.toys("a")
    plain = findings.plain
    monkeypatch.setattr(findings, "plain", lambda each: (*plain(each)[:3], (Path("x"),)))
    monkeypatch.setattr(workspace.Workspace, "left_out", lambda _: [])
    assert yard.looked_at() == ["a"]
    assert yard.looked_at() == ["a"]
    assert TOY.looked_at == ["a"]
