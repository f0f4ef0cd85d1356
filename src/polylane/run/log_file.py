"""The logs of one lane's tasks, of which one that stayed empty serves the next task, too.

Making a file is most of what the log of a short task costs, and five times as much where many
files were removed in the last minutes: ext4 then looks at each of those (`recently_deleted` in
fs/ext4/ialloc.c). So the next task gets the empty file, and its old name becomes a name of another
empty one, in one step: at any moment each name leads to what its task has written.

Knows nothing of tasks.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

from polylane.records import NamedTuple

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC

#: rename(2): two names change places. Not every C library has the call, nor every file system.
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)


class Log(NamedTuple):
    """A log that is open for appending."""

    descriptor: int
    path: str

    def close(self) -> None:
        """Close it here."""
        os.close(self.descriptor)


class Logs:
    """Opens one log after the other."""

    def __init__(self) -> None:
        #: An empty one, which no task has open.
        self._unused: Log | None = None
        #: The path of one that stays empty, to have further names.
        self._empty = ""

    def open(self, path: str) -> Log:
        """Open a log that is not there yet, or is overwritten; `OSError` where that cannot be."""
        unused, self._unused = self._unused, None
        if unused is not None:
            if self._moved(unused.path, path):
                return Log(unused.descriptor, path)
            unused.close()
        return Log(os.open(path, _FLAGS, 0o666), path)

    def _moved(self, old: str, new: str) -> bool:
        """Whether a file has got a new name, and its old one leads to an empty file."""
        try:
            os.link(self._empty, new)
        except OSError:  # there is one, or the file system has no more links
            return False
        if _exchanged(old, new):
            return True
        with suppress(OSError):
            os.unlink(new)  # noqa: PTH108 - a Path costs as much
        return False

    def ended(self, log: Log, *, reusable: bool) -> None:
        """Take back a log, whose task has ended; ``reusable``: and whose name will not be used."""
        if not reusable or os.fstat(log.descriptor).st_size:
            log.close()
        elif not self._empty:
            self._empty = log.path
            log.close()
        else:
            self._unused = log


def _exchanged(old: str, new: str) -> bool:
    if _renameat2 is None:
        return False
    names = os.fsencode(old), os.fsencode(new)
    done = _renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    return bool(done == 0)
