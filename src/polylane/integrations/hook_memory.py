"""What a hook already ran for the same commit: long lists of files reach it in several calls.

pre-commit cuts a list of files at 128 KiB and calls the hook for each piece. A task that works on
its whole project would run every time. Calls belong together when the same process made them for
the same hook, and nothing in the workspace has changed since. Knows nothing of what tasks do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from polylane.describe import git
from polylane.describe.home import home

#: Shorter lists of files, in bytes, are not the first piece of a longer one.
_LONG = 32_000


class Memory:
    """The tasks that earlier calls of this hook ran whole."""

    def __init__(self, folder: Path, hook: str, words: Iterable[str], files: Iterable[str]) -> None:
        """``words``: the hook's flags; ``files``: those of this call."""
        self._folder = folder
        self._path = folder / ".polylane" / f"hook-{hook}.json"
        self._key = [_parent(), *words]
        self._remembers = sum(len(os.fsencode(file)) + 1 for file in files) >= _LONG
        self.done = self._read()

    def _read(self) -> frozenset[str]:
        """Ids of tasks that ran; none where they may find something else now."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(self._path.read_text(encoding="utf-8"))
            if known["key"] == self._key and self._key[0]:
                self._remembers = True
                if known["state"] == _state(self._folder):
                    return frozenset(known["tasks"])
        return frozenset()

    def keep(self, tasks: Iterable[str]) -> None:
        """Remember the tasks that ran, where a further call may come."""
        if not self._remembers or not self._key[0]:
            return
        known = {
            "key": self._key,
            "state": _state(self._folder),
            "tasks": sorted({*self.done, *tasks}),
        }
        home(self._folder)
        new = self._path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(known), encoding="utf-8")
        new.replace(self._path)


def _parent() -> str:
    """The process that called us, told apart from later ones of its number by its start."""
    pid = os.getppid()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return f"{pid}-{stat.rpartition(')')[2].split()[19]}"


def _state(folder: Path) -> str:
    """Changes when a file of the workspace that git does not ignore does."""
    digest = blake2b(digest_size=16)
    for path in git.files(folder):
        with suppress(OSError):
            status = os.lstat(folder / path)
            digest.update(f"{path!r} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
