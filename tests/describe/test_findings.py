"""What is remembered of each project, and what several of them have in common."""

from __future__ import annotations

from typing import Any

import pytest

from polylane.describe import cache, languages
from polylane.describe.languages.base import Folder
from polylane.model import Description
from tests.describe.toys import Toy, Yard, register, yard

__all__ = ["yard"]


def _first_word(folder: Folder) -> str:
    return (folder.text("shared.cfg") or "nothing").split()[0]


class Sharer(Toy):
    """Says what the file at the workspace says, which is looked at once for all."""

    def describe(self, folder: Folder) -> Description | None:
        super().describe(folder)
        return Description((folder.beside(".").once(_first_word),))


SHARER = Sharer("toy", "toy.txt")


@pytest.fixture
def sharing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """Two projects which the language `Sharer` describes."""
    monkeypatch.setattr(languages, "registered", lambda: {"toy": f"{__name__}:SHARER"})
    yard.toys("a", "b")
    yard.write("shared.cfg", "one")
    return yard


def _said(yard: Yard) -> list[tuple[str, list[str]]]:
    """What both projects say, and which of them were looked at for it."""
    SHARER.looked_at.clear()
    found = yard.find().descriptions
    return [(found[name]["toy"][0][0], sorted(SHARER.looked_at)) for name in ("a", "b")]


def test_a_change_of_what_was_made_once_reaches_all(sharing: Yard) -> None:
    """The file that it was made of is edited, goes, and comes back."""
    both = ["a", "b"]
    assert _said(sharing) == [("one", both), ("one", both)]
    assert _said(sharing) == [("one", []), ("one", [])]
    sharing.tick()
    sharing.write("shared.cfg", "two")
    assert _said(sharing) == [("two", both), ("two", both)]
    sharing.tick()
    (sharing.folder / "shared.cfg").unlink()
    assert _said(sharing) == [("nothing", both), ("nothing", both)]
    assert _said(sharing) == [("nothing", []), ("nothing", [])]
    sharing.tick()
    sharing.write("shared.cfg", "three")
    assert _said(sharing) == [("three", both), ("three", both)]


def test_a_change_of_one_project_leaves_the_others(sharing: Yard) -> None:
    """Though they share what was made once."""
    _said(sharing)
    sharing.tick()
    sharing.write("b/toy.txt", "other")
    assert _said(sharing) == [("one", ["b"]), ("one", ["b"])]


def _remembered(yard: Yard) -> dict[str, Any]:
    found: dict[str, Any] = cache.read(yard.folder)["found"]
    return {path: by_name["toy"] for path, by_name in found.items()}


def test_what_projects_share_is_remembered_once(sharing: Yard) -> None:
    """What was looked at for several of them, and a recipe that several have."""
    sharing.find()
    (a, _), (b, _) = _remembered(sharing).values()
    assert a[1] is b[1]
    assert a[0] != b[0]


def test_a_recipe_of_several_projects_is_remembered_once(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand projects have the same few."""
    register(monkeypatch, "TOY")
    yard.toys("a", "b")
    yard.find()
    (_, a), (_, b) = _remembered(yard).values()
    assert a[2][0] is b[2][0]
