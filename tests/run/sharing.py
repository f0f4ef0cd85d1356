"""Runs that share slots, several in one process: each has opened the file for itself."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from polylane.run.share import Share, Wish, join


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Run:
    """A run whose tasks have one slot each, unless it is said otherwise."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self.next = 0
        self.rings: set[int] = set()
        share.watch = self._watch

    def _watch(self, descriptor: int, on: bool) -> None:  # noqa: FBT001
        (self.rings.add if on else self.rings.remove)(descriptor)

    def start(self, least: int = 1, most: int | None = None) -> int:
        """A round of starts with one task; how many slots it got."""
        self.share.look()
        got = self.share.take(self.next, f"all:root:{self.next}", least, most or least)
        self.next += got > 0
        self.share.settle()
        return got

    def end(self, task: int = 0) -> None:
        """A task ends, and nothing else is there to start."""
        self.share.ended(task)
        self.share.look()
        self.share.settle()

    def end_and_start(self, task: int) -> int:
        """A task ends, and the next one wants to start."""
        self.share.ended(task)
        return self.start()

    @property
    def has_rung(self) -> bool:
        return bool(select.select(list(self.rings), [], [], 0)[0])


Enter = Callable[..., Run]


@pytest.fixture
def enter(tmp_path: Path) -> Iterator[Enter]:
    """Has a run join those in a folder; what it is told is in ``said``."""
    joined: list[Share] = []

    def make(slots: int | None = 2, **wish: object) -> Run:
        said = wish.pop("tell", [].append)
        asked = Wish(slots, folder=tmp_path, **wish)  # type: ignore[arg-type]
        joined.append(join(asked, said))  # type: ignore[arg-type]
        return Run(joined[-1])

    yield make
    for share in joined:
        share.close()
