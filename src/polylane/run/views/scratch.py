"""Scratch folders: made for one owner, and removed by a later one if the owner was killed.

An owner holds a lock on its folder that the kernel frees with the last process that has it open.
Knows nothing of what lies in one.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from polylane.run.views import copying

#: The rest of a name, as `tempfile` makes it.
_REST = "[a-z0-9_]{8}"

#: Seconds after which a sweep removes no further folder: runs wait for it.
_SWEEP_S = 0.003

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Scratch:
    """A folder of ours below ``parent``, until `close`; its lock is inherited by forks."""

    def __init__(self, parent: Path, prefix: str = "") -> None:
        """Make it, and ``parent`` if missing; remove those whose owners are gone.

        ``prefix``: of its name, where other people's folders lie in ``parent`` too.
        `OSError` where it cannot be made.
        """
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent, prefix)
        self.path, self._lock = _make(parent, prefix)

    def close(self) -> None:
        """Remove it with all that is in it."""
        with suppress(OSError):
            copying.remove(str(self.path))
        os.close(self._lock)


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = os.open(path, _FOLDER)
        except FileNotFoundError:
            continue  # a sweep was faster
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
        except OSError:
            os.close(lock)
            path.rmdir()
            raise
        os.close(lock)


def sweep(parent: Path, prefix: str = "") -> None:
    """Remove our own folders whose owners are gone; what takes too long is left to a later one."""
    limit = time.monotonic() + _SWEEP_S
    ours = re.compile(re.escape(prefix) + _REST)
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if not ours.fullmatch(entry.name) or not entry.is_dir(follow_symlinks=False):
                continue
            if _remove_abandoned(Path(entry.path)) and time.monotonic() > limit:
                break


def _remove_abandoned(path: Path) -> bool:
    try:
        lock = os.open(path, _FOLDER)
    except OSError:
        return False
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        copying.remove(str(path))
    except OSError:
        return False  # its owner lives, or it cannot be removed
    finally:
        os.close(lock)
    return True
