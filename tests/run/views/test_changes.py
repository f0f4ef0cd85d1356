"""Write sets, read from what a real overlay made: each test is root's and an ordinary user's."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views import changes, snapshot
from polylane.run.views.overlay import View
from tests.run.views.places import Place, found, inside, place
from tests.support import FORKS

pytestmark = FORKS

__all__ = ["place"]


def _lay_out(folder: Path) -> None:
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/c").write_text("c", encoding="utf-8")
    (folder / "a/d").write_text("d", encoding="utf-8")
    (folder / "file").write_text("file", encoding="utf-8")
    (folder / "link").symlink_to("file")


def _after(place: Place, change: Callable[[Path], Any], then: Callable[[View], Any] = found) -> Any:
    """What ``then`` says of a view in which a change was made."""

    def look() -> Any:
        _lay_out(place.folder)
        view = View(place.folder, place.scratch / "view")
        inside(view, lambda: change(place.folder) and None)
        return then(view)

    return place.run(look)


def _rewrite(path: Path, text: str | None = None) -> None:
    text = path.read_text(encoding="utf-8") if text is None else text
    path.unlink()
    path.write_text(text, encoding="utf-8")


def _anew(path: Path, *names: str) -> None:
    """Replace a folder by another with some files."""
    shutil.rmtree(path)
    path.mkdir()
    for name in names:
        (path / name).write_text(name, encoding="utf-8")


def _replace(path: Path, by: Callable[[Path], Any]) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    by(path)


def _tree(path: Path) -> None:
    path.mkdir()
    (path / "x").touch()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda _: None, ([], [], [], [])),
        (lambda f: (f / "a/b/c").read_text(encoding="utf-8"), ([], [], [], [])),
        (lambda f: (f / "a/new").touch(), (["a/new"], [], [], [])),
        (lambda f: (f / "n/m").mkdir(parents=True), (["n", "n/m"], [], [], [])),
        (lambda f: (f / "a/b/c").write_text("x", encoding="utf-8"), ([], ["a/b/c"], [], [])),
        (lambda f: (f / "a/b/c").write_text("c", encoding="utf-8"), ([], [], [], ["a/b/c"])),
        (lambda f: _rewrite(f / "a/b/c"), ([], [], [], ["a/b/c"])),
        (lambda f: _rewrite(f / "a/b/c", "longer"), ([], ["a/b/c"], [], [])),
        (lambda f: os.utime(f / "file"), ([], [], [], ["file"])),
        (lambda f: (f / "file").chmod(0o600), ([], ["file"], [], [])),
        (lambda f: (f / "a").chmod(0o700), ([], ["a"], [], [])),
        (lambda f: f.chmod(0o711), ([], ["."], [], [])),
        (lambda f: os.utime(f / "a"), ([], [], [], [])),
        (lambda f: (f / "file").unlink(), ([], [], ["file"], [])),
        (lambda f: shutil.rmtree(f / "a"), ([], [], ["a"], [])),
        (lambda f: [(f / "x").touch(), (f / "x").unlink()], ([], [], [], [])),
        (lambda f: _anew(f / "a", "d"), ([], [], ["a/b"], ["a/d"])),
        (lambda f: _anew(f / "a", "d", "e"), (["a/e"], [], ["a/b"], ["a/d"])),
        (lambda f: _anew(f / "a/b"), ([], [], ["a/b/c"], [])),
        (lambda f: _replace(f / "a", Path.touch), ([], ["a"], [], [])),
        (lambda f: _replace(f / "file", Path.mkdir), ([], ["file"], [], [])),
        (lambda f: _replace(f / "file", _tree), (["file/x"], ["file"], [], [])),
        (lambda f: _replace(f / "link", lambda p: p.symlink_to("a")), ([], ["link"], [], [])),
        (lambda f: _replace(f / "link", lambda p: p.symlink_to("file")), ([], [], [], ["link"])),
        (lambda f: (f / "l").symlink_to("nowhere"), (["l"], [], [], [])),
        (lambda f: os.link(f / "file", f / "twin"), (["twin"], [], [], ["file"])),
        (lambda f: (f / "file").rename(f / "moved"), (["moved"], [], ["file"], [])),
        (lambda f: (f / "file").rename(f / "a/d"), ([], ["a/d"], ["file"], [])),
        (lambda f: (f / "\udcff\n").touch(), (["\udcff\n"], [], [], [])),
    ],
)
def test_the_write_set_is_exact(place: Place, change: Callable[[Path], Any], wanted: Any) -> None:
    """Created, modified, removed, touched; whichever way a program went there."""
    assert _after(place, change) == wanted


def test_nothing_has_changed_where_nobody_was(tmp_path: Path) -> None:
    """A view that was never entered has no upper folder."""
    assert View(tmp_path, tmp_path / "never").changes() == changes.Changes()


def test_what_is_written_is_all_that_differs() -> None:
    """In the order of paths; what was touched is as before."""
    all_kinds = changes.Changes(("c",), ("a",), ("b",), ("d",))
    assert all_kinds.written == ("a", "b", "c")


def test_a_removal_that_happened_outside_too_is_none(place: Place) -> None:
    """Another's commit has removed the same path."""

    def then(view: View) -> Any:
        (place.folder / "file").unlink()
        return found(view)

    assert _after(place, lambda f: (f / "file").unlink(), then) == ([], [], [], [])


def test_the_same_end_by_other_ways_has_the_same_fingerprint(place: Place) -> None:
    """A folder that was made anew equals one whose files were written in place."""

    def slowly(folder: Path) -> None:
        (folder / "a/b/c").unlink()
        (folder / "a/b").rmdir()
        (folder / "a/d").write_text("D", encoding="utf-8")

    def at_once(folder: Path) -> None:
        _anew(folder / "a", "d")
        (folder / "a/d").write_text("D", encoding="utf-8")

    def look() -> Any:
        _lay_out(place.folder)
        prints = []
        for number, change in enumerate((slowly, at_once)):
            view = View(place.folder, place.scratch / str(number))
            inside(view, functools.partial(change, place.folder))
            prints.append(view.fingerprint())
        return prints[0] == prints[1], sorted(prints[0])

    assert place.run(look) == (True, ["a/b", "a/d"])


def test_a_fingerprint_says_what_became_of_each_path(place: Place) -> None:
    """Removed is a kind; what was touched or is ignored is not in it."""

    def change(folder: Path) -> None:
        (folder / "file").unlink()
        (folder / "a/d").write_text("e", encoding="utf-8")
        (folder / "cache/deep").mkdir(parents=True)
        (folder / "cache/deep/file").touch()
        os.utime(folder / "a/b/c")

    def then(view: View) -> Any:
        said = view.fingerprint(snapshot.named(["cache"]))
        return {path: (each.kind, bool(each.content)) for path, each in said.items()}

    assert _after(place, change, then) == {"file": ("gone", False), "a/d": ("file", True)}
