"""Keeps what was touched: from places to notes, and from notes to the result.

Notes count only once the call was let go on: a process that was killed meanwhile made no call.
Each path is looked up once for each thing done to it, until links on its way may have changed.
Knows nothing of calls and how they come here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from os.path import normpath
from typing import Any

from polylane.run.tracing.places import Found, Place, Places
from polylane.run.tracing.touches import Touches

#: What to do once the call goes on, with what.
Note = tuple[Callable[[Any], object], Any]


class Ledger:
    """Everything that was seen so far."""

    def __init__(self, places: Places) -> None:
        """Nothing yet."""
        self._places = places
        self.read: set[str] = set()
        self.looked: set[str] = set()
        self.folders: set[str] = set()
        self.missing: set[str] = set()
        self.listed: set[str] = set()
        self.executed: set[str] = set()
        self.written: set[str] = set()
        self.metadata: set[str] = set()
        self.bound: set[tuple[str, str, int]] = set()
        self._links: set[tuple[str, str]] = set()
        self._lost: Counter[str] = Counter()
        self._known = places.known
        #: Where calls before this one may have changed what is there.
        self._changed: list[str] = []

    def touches(self, calls: int, cpu_s: float) -> Touches:
        """What was seen."""
        return Touches(
            read=frozenset(self.read),
            looked=frozenset(self.looked - self.read),
            folders=frozenset(self.folders - self.listed),
            missing=frozenset(self.missing),
            listed=frozenset(self.listed),
            executed=frozenset(self.executed),
            written=frozenset(self.written),
            metadata=frozenset(self.metadata),
            bound=frozenset(self.bound),
            links=dict(self._links),
            lost=dict(self._lost),
            calls=calls,
            cpu_s=cpu_s,
        )

    def forget(self) -> None:
        """Drop what the calls before this one, which have most likely been made, changed."""
        if self._changed:
            for path in self._changed:
                self._known.change(path)
            self._changed.clear()

    def lose(self, why: str) -> Note:
        """Something could not be resolved."""
        return (self._lose, why)

    def _lose(self, why: str) -> None:
        self._lost[why] += 1

    def look(self, place: Place, files: set[str], *, follow: bool) -> list[Note]:
        """A place was looked at: a file goes to ``files``, a folder or an absence elsewhere."""
        key = (id(files), follow, place.said)
        if key in self._known.settled:
            return []
        found = self._places.find(place, follow=follow)
        notes = self.found(place, found, files)
        notes.append(self._settle(key, place, found, follow=follow))
        return notes

    def found(self, place: Place, found: Found, files: set[str]) -> list[Note]:
        """The same, when it was looked up already."""
        if not found.mode:
            return self._into(self.missing, place, found.path)
        return self._into(self.folders if found.is_folder else files, place, found.path)

    def change(self, place: Place, paths: set[str], *, follow: bool) -> list[Note]:
        """A place was changed, or made: it goes to ``paths``."""
        key = (id(paths), follow, place.said)
        if key in self._known.settled:
            return []
        found = self._places.find(place, follow=follow)
        notes = self._into(paths, place, found.path)
        if follow:
            notes.append(self._settle(key, place, found, follow=True))
        elif found.is_link:  # something else may get this name
            notes.append(self.outdate(found.path))
        return notes

    def _settle(self, key: object, place: Place, found: Found, *, follow: bool) -> Note:
        name, path = place.said, found.path
        if not follow:  # whatever has the name, it is the same path
            name, path = name.rpartition("/")[0], path.rpartition("/")[0]
        return (self._known.settle, (key, name, path))

    def outdate(self, path: str = "") -> Note:
        """From the next call on this path may lead elsewhere; without one, any path."""
        return (self._changed.append, path)

    def _into(self, paths: set[str], place: Place, path: str) -> list[Note]:
        notes: list[Note] = [(paths.add, path)]
        if path != place.said and path != (said := normpath(place.said)):
            notes.append((self._links.add, (said, path)))
        return notes
