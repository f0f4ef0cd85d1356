"""Whether a file holds something else than before: many programs write what was there already.

Knows nothing of why anybody asks.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

#: Of larger files the times are compared, in bytes.
_LARGE = 64 * 1024 * 1024


class Contents:
    """What files held when they were last looked at; a file is first read when it changes."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def learn(self, path: Path) -> None:
        """Look at a file, so that its next change is compared."""
        self.changed(str(path))

    def changed(self, path: str, *, appeared: bool = False) -> bool:
        """Whether what lies at an absolute path is other than at the last time; then remember it.

        The first time a path is asked for it is, unless it ``appeared`` meanwhile and is gone, or
        is a folder: the files in it have paths of their own.
        """
        before, now = self._known.get(path), _look(path)
        if now is None:
            self._known.pop(path, None)
            return before is not None or not appeared
        self._known[path] = now
        return now != before and not (before is None and now == _FOLDER)


_FOLDER = b"folder"


def _look(path: str) -> bytes | None:
    """What lies there as a few bytes; None where nothing does."""
    try:
        status = os.lstat(path)
        if stat.S_ISDIR(status.st_mode):
            return _FOLDER
        if stat.S_ISLNK(status.st_mode):
            return b"link " + os.fsencode(Path(path).readlink())
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGE:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "blake2b").digest()
            return b"file " + digest + b"%o" % (status.st_mode & 0o111)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # not ours to read
        return b"unread"
    return b"%d %d" % (status.st_mtime_ns, status.st_size)
