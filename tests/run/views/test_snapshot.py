"""What is compared of trees."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views.snapshot import (
    GONE,
    Print,
    differences,
    fingerprint,
    is_ignored,
    named,
    nothing,
    same_content,
    walk,
)
from tests.run.views.places import Place, place

__all__ = ["place"]


def _tree(folder: Path) -> Path:
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/file").write_text("text", encoding="utf-8")
    (folder / "a/link").symlink_to("file")
    return folder


def test_every_kind_has_a_print(tmp_path: Path) -> None:
    """Links are not followed, empty folders count."""
    _tree(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    found = fingerprint(tmp_path)
    assert {
        path: (each.kind, each.content) for path, each in found.items() if path != "a/file"
    } == {
        "a": ("folder", ""),
        "a/b": ("folder", ""),
        "a/link": ("link", "file"),
        "fifo": ("fifo", ""),
        "loop": ("link", "."),
        "socket": ("socket", ""),
    }
    assert found["a/file"].kind == "file"
    assert len(found["a/file"].content) == 32


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda f: (f / "a/file").write_text("t3xt", encoding="utf-8"), "content"),
        (lambda f: (f / "a/file").chmod(0o755), "executable only in the second"),
        (lambda f: (f / "a/file").unlink(), "only in the first"),
        (
            lambda f: [(f / "a/file").unlink(), (f / "a/file").mkdir()],
            "file in the first, folder in the second",
        ),
    ],
)
def test_differences_name_the_path_and_how(
    tmp_path: Path, change: Callable[[Path], Any], what: str
) -> None:
    """The other way round, what is the first's is the second's."""
    one, other = fingerprint(_tree(tmp_path / "1")), _tree(tmp_path / "2")
    change(other)
    assert differences(one, fingerprint(other)) == [("a/file", what)]
    if "only" in what:
        swapped = what.replace("first", "?").replace("second", "first").replace("?", "second")
        assert differences(fingerprint(other), one) == [("a/file", swapped)]


def test_targets_of_links_are_compared() -> None:
    """As text."""
    one, other = {"l": Print("link", content="a")}, {"l": Print("link", content="b")}
    assert differences(one, other) == [("l", "target")]


def test_what_is_gone_differs_from_what_was_not_changed() -> None:
    """In fingerprints of write sets."""
    assert differences({"a": GONE}, {}) == [("a", "only in the first")]


@pytest.mark.parametrize(
    "change",
    [
        lambda f: os.utime(f / "a/file", (0, 0)),
        lambda f: (f / "a/file").chmod(0o600),
        lambda f: (f / "a").chmod(0o700),
    ],
)
def test_times_and_other_bits_of_modes_do_not_count(
    tmp_path: Path, change: Callable[[Path], Any]
) -> None:
    """Tools and umasks set them as they like."""
    one, other = fingerprint(_tree(tmp_path / "1")), _tree(tmp_path / "2")
    change(other)
    assert differences(one, fingerprint(other)) == []


def test_what_is_ignored_is_not_read_nor_is_what_is_in_it(tmp_path: Path) -> None:
    """By a name at any depth, or by a whole path."""
    _tree(tmp_path)
    (tmp_path / "b").mkdir()
    assert sorted(fingerprint(tmp_path, named(["file", "a/b"]))) == ["a", "a/link", "b"]
    assert sorted(fingerprint(tmp_path, named(["a"]))) == ["b"]


def test_a_path_is_ignored_by_a_folder_above_it() -> None:
    """As if a walk had come by it."""
    assert is_ignored("x/cache/y", named(["cache"]))
    assert is_ignored("cache", named(["cache"]))
    assert not is_ignored("x/caches/y", named(["cache"]))
    assert not is_ignored("x", nothing)


def test_what_may_not_be_read_is_said_so(place: Place) -> None:
    """A file of mode 000 has no digest, and a closed folder nothing in it; but for root."""

    def look() -> Any:
        (place.folder / "closed").mkdir()
        (place.folder / "closed/file").touch()
        (place.folder / "file").touch(mode=0)
        (place.folder / "closed").chmod(0)
        found = fingerprint(place.folder)
        (place.folder / "closed").chmod(0o700)
        return sorted(found), found["file"].content

    assert (place.run(look) == (["closed", "file"], "unreadable")) == place.is_ordinary


def test_a_file_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    """Its last byte counts."""
    one, other = tmp_path / "1", tmp_path / "2"
    one.write_bytes(bytes(3 << 20) + b"a")
    other.write_bytes(bytes(3 << 20) + b"b")
    found = fingerprint(tmp_path)
    assert found["1"] != found["2"]
    assert not same_content(str(one), str(other))
    other.write_bytes(one.read_bytes())
    assert same_content(str(one), str(other))


def test_what_vanishes_meanwhile_is_left_out(tmp_path: Path) -> None:
    """A walk of a folder that others work in ends all the same."""
    _tree(tmp_path)
    for path, _ in walk(str(tmp_path)):
        if path == "a":
            (tmp_path / "a").rename(tmp_path / "elsewhere")
    assert fingerprint(tmp_path / "nowhere") == {}
