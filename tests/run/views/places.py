"""Helpers of tests with views: who runs them, and what runs inside.

Knows nothing of any one test.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from polylane.run.views.copies import Copy
from polylane.run.views.overlay import View
from tests.support import in_fork

NOBODY = 65534
_PR_SET_DUMPABLE = 4

#: Created, modified, removed, touched.
Found = tuple[list[str], list[str], list[str], list[str]]


class Place:
    """A folder ``ws`` and room for scratch folders beside it, of a user who works there."""

    def __init__(self, folder: Path, *, nobody: bool) -> None:
        self._nobody = nobody
        #: Whether its user has no rights but those of a user.
        self.is_ordinary = nobody or os.geteuid() != 0
        self.folder = folder / "ws"
        self.scratch = folder / "scratch"
        self.folder.mkdir()
        self.scratch.mkdir()
        if nobody:
            for path in (folder, self.folder, self.scratch):
                os.chown(path, NOBODY, NOBODY)

    def run(self, function: Callable[[], Any]) -> Any:
        """Call a function as the user, in a forked child; returns plain data."""

        def call() -> Any:
            if self._nobody:
                become_nobody()
            return function()

        return in_fork(call)


def become_nobody() -> None:
    """Be an ordinary user from now on, as one who has logged in is."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self is root's


@pytest.fixture(params=["as we are", "as nobody"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place of our own, and one of an ordinary user."""
    nobody = request.param == "as nobody"
    if nobody and os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    folder = Path(tempfile.mkdtemp(prefix="place-"))  # pytest's own is closed to others
    folder.chmod(0o755)
    yield Place(folder, nobody=nobody)
    shutil.rmtree(folder)


def inside(view: View | Copy, function: Callable[[], Any], *, parent: int | None = None) -> Any:
    """Call a function in a view, in a forked child; returns plain data."""

    def call() -> Any:
        view.enter(parent=parent)
        return function()

    return in_fork(call)


def found(view: View | Copy) -> Found:
    """The changes of a view, as plain data."""
    created, modified, removed, touched = map(list, astuple(view.changes()))
    return created, modified, removed, touched


def names(folder: Path) -> list[str]:
    """What lies in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())
