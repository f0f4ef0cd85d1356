"""The files below a workspace as one look sees them: nothing is asked of the disk twice.

A thousand projects ask for the same files at the workspace's root, and each for a dozen that are
not there. Knows nothing of languages, and writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from polylane.describe.look import Look
from polylane.describe.walk import Listing, Stamp, scan, stamp, stamp_of

#: No listing holds these.
_NO_NAMES = ("", ".", "..")
_BOM = b"\xef\xbb\xbf"


class Disk:
    """What was seen so far. Paths are relative to the workspace, with ``/``.

    The folder ``.polylane`` is not there: it comes and goes with our own runs.
    """

    def __init__(self, workspace: Path, listings: Mapping[str, Listing] | None = None) -> None:
        """``listings``: of folders that were listed already."""
        self._base = str(workspace)
        self._listings: dict[str, Listing | None] = {**(listings or {})}
        self._exists: dict[str, bool] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._texts: dict[str, str | None] = {}
        self._parsed: dict[tuple[str, Callable[[str], Any]], Any] = {}
        self._stamps: dict[str, Stamp] = {}
        #: What languages made of a folder, with what they looked at.
        self.made: dict[Any, tuple[Any, Look]] = {}

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
            self._names[path] = tuple(sorted(self.listing(path) or ()))
        return self._names[path]

    def listing(self, path: str) -> Listing | None:
        """What lies in a folder, nothing where there is none; None where nobody may know."""
        if path not in self._listings:
            self._listings[path] = self._list(path)
        return self._listings[path]

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
        if name in _NO_NAMES:
            return look(self._absolute(path))
        listing = self.listing(above or ".")
        if listing is None:
            return look(self._absolute(path))
        entry = listing.get(name)
        if entry is None or not entry.is_symlink():
            return entry is not None and (look is os.path.exists or entry.is_dir())
        return look(entry.path)

    def _list(self, path: str) -> Listing | None:
        if path != "." and not self.is_dir(path):
            return {}
        try:
            return scan(self._absolute(path))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError:
            return None

    def _read(self, path: str) -> str | None:
        try:
            file = os.open(self._absolute(path), os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            status = os.fstat(file)
            self._stamps[path] = stamp_of(status)
            data = _all_of(file, status.st_size)
        except IsADirectoryError:
            return None
        finally:
            os.close(file)
        text = data.removeprefix(_BOM).decode()
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _all_of(file: int, size: int) -> bytes:
    """The bytes of an open file; a file of the size that it said has been read at once."""
    data = os.read(file, size + 1)
    more = data if len(data) != size else b""
    while more:
        more = os.read(file, 1 << 20)
        data += more
    return data
