"""What was learned of paths, for as long as it holds.

Where a path leads can change only where a link, or a folder on its way, comes, goes or moves. A
path that led to itself, without any link, hangs on the names it is made of; what a link bent may
hang on names that nobody said, and is forgotten with every such change.

Knows nothing of calls, and of how it is found where a path leads.
"""

from __future__ import annotations

from collections.abc import Hashable


class Known:
    """Where folders lead, and what else is settled for a path."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        #: By folder, as said: where it leads, without a slash at its end.
        self.folders: dict[str, str] = {}
        #: What need not be looked up again.
        self.settled: set[Hashable] = set()
        #: Every name that something straight hangs on.
        self._names: set[str] = set()
        self._bent_folders: list[str] = []
        self._bent: list[Hashable] = []

    def add_folder(self, said: str, where: str) -> None:
        """A folder leads to ``where``."""
        self.folders[said] = where
        if where == said:
            self._hang_on(said)
        else:
            self._bent_folders.append(said)

    def settle(self, what: tuple[Hashable, str, str]) -> None:
        """``(key, name, path)``: the key is settled while ``name`` leads to ``path``."""
        key, name, path = what
        self.settled.add(key)
        if path == name:
            self._hang_on(name)
        else:
            self._bent.append(key)

    def _hang_on(self, name: str) -> None:
        while name not in self._names:
            self._names.add(name)
            name = name.rpartition("/")[0]

    def change(self, path: str) -> None:
        """What has this path, free of links but at its end, leads elsewhere now; "": anything."""
        if path in self._names or not path:
            self.folders.clear()
            self.settled.clear()
            self._names.clear()
        else:
            for folder in self._bent_folders:
                self.folders.pop(folder, None)
            self.settled.difference_update(self._bent)
        self._bent_folders.clear()
        self._bent.clear()
