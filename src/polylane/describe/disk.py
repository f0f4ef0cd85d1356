"""The files below a workspace as one look sees them: nothing is asked of the disk twice.

A thousand projects ask for the same files at the workspace's root, and each for a dozen that are
not there. Knows nothing of languages, and writes nothing.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polylane.describe.home import NAME
from polylane.describe.walk import Stamp, stamp, stamp_of

Listing = dict[str, os.DirEntry[str]]


class Disk:
    """What was seen so far. Paths are relative to the workspace, with ``/``.

    The folder ``.polylane`` is not there: it comes and goes with our own runs.
    """

    def __init__(self, workspace: Path) -> None:
        self._base = str(workspace)
        self._listings: dict[str, Listing | None] = {}
        self._exists: dict[str, bool] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._texts: dict[str, str | None] = {}
        self._parsed: dict[tuple[str, Callable[[str], Any]], Any] = {}
        self._stamps: dict[str, Stamp] = {}
        #: What languages made of a folder, with the files that they read and what they asked.
        self.made: dict[Any, tuple[Any, set[str], dict[Any, Any]]] = {}

    def exists(self, path: str) -> bool:
        """Whether a file or folder of that path exists."""
        if path not in self._exists:
            self._exists[path] = self._is(path, os.path.exists)
        return self._exists[path]

    def is_dir(self, path: str) -> bool:
        """Whether a folder of that path exists."""
        return self._is(path, os.path.isdir)

    def names(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder; empty where there is none, or it cannot be listed."""
        if path not in self._names:
            self._names[path] = tuple(sorted(self._listing(path) or ()))
        return self._names[path]

    def text(self, path: str) -> str | None:
        """The text of a file, as UTF-8; None where there is no such file."""
        if path not in self._texts:
            self._texts[path] = self._read(path) if self.exists(path) else None
            self._stamps.setdefault(path, None)
        return self._texts[path]

    def parsed(self, path: str, parse: Callable[[str], Any]) -> Any:
        """A file as ``parse`` reads it, the same object for all that ask; None where it is not."""
        key = (path, parse)
        if key not in self._parsed:
            text = self.text(path)
            self._parsed[key] = None if text is None else parse(text)
        return self._parsed[key]

    def stamp(self, path: str) -> Stamp:
        """The stamp of a file: of one whose text was read, from before that."""
        if path not in self._stamps:
            self._stamps[path] = stamp(self._absolute(path))
        return self._stamps[path]

    def _absolute(self, path: str) -> str:
        return self._base if path == "." else f"{self._base}/{path}"

    def _is(self, path: str, look: Callable[[str], bool]) -> bool:
        """Answer from the listing of the folder above, where that says enough."""
        above, _, name = path.rpartition("/")
        if path == "." or posixpath.normpath(path) != path or path.startswith(("/", "..")):
            return look(self._absolute(path))
        listing = self._listing(above or ".")
        if listing is None:
            return look(self._absolute(path))
        entry = listing.get(name)
        if entry is None or not entry.is_symlink():
            return entry is not None and (look is os.path.exists or entry.is_dir())
        return look(entry.path)

    def _listing(self, path: str) -> Listing | None:
        """The entries of a folder, none where it is not there; None where nobody may know."""
        if path not in self._listings:
            self._listings[path] = self._list(path)
        return self._listings[path]

    def _list(self, path: str) -> Listing | None:
        if path != "." and not self.is_dir(path):
            return {}
        try:
            with os.scandir(self._absolute(path)) as entries:
                return {entry.name: entry for entry in entries if entry.name != NAME}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError:
            return None

    def _read(self, path: str) -> str | None:
        try:
            with open(self._absolute(path), encoding="utf-8-sig") as file:
                self._stamps[path] = stamp_of(os.fstat(file.fileno()))
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
