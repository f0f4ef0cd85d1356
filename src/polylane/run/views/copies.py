"""A copy of a folder, for machines that refuse a view: the same questions, but at another path.

What holds absolute paths (editable installs, the first lines of scripts) leads out of a copy: who
runs in one says so.

Knows nothing of tasks and claims.
"""

# Paths by the ten thousand, where a Path costs as much as the call.
# ruff: noqa: PTH102, PTH103, PTH109, PTH116, PTH118

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path

from polylane.run.views import changes, commit, copying, namespaces, pids, snapshot
from polylane.run.views.changes import Changes

#: What tells that a path was written: its kind and mode, owner, size, and two times and the inode,
#: of which the change time cannot be set by a program.
_Seen = tuple[int, ...]


class Copy:
    """A private copy of a folder, made at once."""

    def __init__(
        self,
        folder: Path | str,
        scratch: Path | str,
        ignored: snapshot.Ignored = snapshot.nothing,
    ) -> None:
        """``scratch``: made to hold the copy; ``ignored``: what is not copied.

        Where it lies in the folder, the copy has no part of it. `OSError` where it cannot be made.
        """
        self.folder = os.path.realpath(folder)
        self._scratch = os.path.realpath(scratch)
        #: Where the copy is seen: not the folder's own path.
        self.path = os.path.join(self._scratch, "copy")
        #: Where what is written in the copy is seen from outside.
        self.written = self.path
        self._before: dict[str, _Seen] = {}
        self._fill(ignored)

    def _fill(self, ignored: snapshot.Ignored) -> None:
        own = os.path.relpath(self._scratch, self.folder)
        os.makedirs(self.path)
        copier = copying.Copier()
        folders = [(".", os.stat(self.folder))]
        for path, seen in snapshot.walk(self.folder, lambda p: p == own or ignored(p)):
            target = f"{self.path}/{path}"
            if stat.S_ISDIR(seen.st_mode):
                os.mkdir(target)
                folders.append((path, seen))
            else:
                copier.copy(f"{self.folder}/{path}", seen, target)
        for path, seen in reversed(folders):
            copying.copy_metadata(seen, os.path.join(self.path, path))
        self._before = {path: _seen(seen) for path, seen in snapshot.walk(self.path)}

    def enter(self, *, parent: int | None = None, left: pids.Left | None = None) -> None:
        """Go to where this process is, in the copy; with ``parent`` in new pids, as in a view."""
        here = os.path.relpath(os.getcwd(), self.folder)
        if here == "." or not here.startswith("../"):
            os.chdir(os.path.join(self.path, here))
        if parent is not None:
            pids.enter(namespaces.unshare(pids=True), parent=parent, left=left)

    def changes(self) -> Changes:
        """Return what was written, against the folder as it was copied."""
        now = dict(snapshot.walk(self.path))
        modified: list[str] = []
        touched: list[str] = []
        for path, seen in now.items():
            if path in self._before and self._before[path] != _seen(seen):
                same = self._is_as_before(path, seen)
                (touched if same else modified).append(path)
        folders = {"", *(path for path, seen in now.items() if stat.S_ISDIR(seen.st_mode))}
        gone = sorted(self._before.keys() - now.keys())
        return Changes(
            created=tuple(sorted(now.keys() - self._before.keys())),
            modified=tuple(sorted(modified)),
            removed=tuple(path for path in gone if path.rpartition("/")[0] in folders),
            touched=tuple(sorted(touched)),
        )

    def _is_as_before(self, path: str, seen: os.stat_result) -> bool:
        if self._before[path][:3] != _seen(seen)[:3]:
            return False
        if stat.S_ISDIR(seen.st_mode):
            return True
        original = f"{self.folder}/{path}"
        try:
            told = os.lstat(original)
        except FileNotFoundError:
            return False
        return changes.same_metadata(seen, told) and changes.same_inside(
            f"{self.path}/{path}", seen, original, told
        )

    def fingerprint(self, ignored: snapshot.Ignored = snapshot.nothing) -> snapshot.Fingerprint:
        """Return the fingerprint of what was changed, as a view does."""
        return changes.fingerprint(self.path, self.changes(), ignored)

    def commit(self, paths: Collection[str] | None = None) -> None:
        """Bring changes into the real folder, as a view does."""
        commit.apply(self.path, self.folder, self.changes(), paths)

    def discard(self) -> None:
        """Remove the copy."""
        copying.remove(self._scratch)


def _seen(seen: os.stat_result) -> _Seen:
    if stat.S_ISDIR(seen.st_mode):  # not when something in it has come or gone
        return (seen.st_mode, seen.st_uid, seen.st_gid)
    return (
        seen.st_mode,
        seen.st_uid,
        seen.st_gid,
        seen.st_size,
        seen.st_mtime_ns,
        seen.st_ctime_ns,
        seen.st_ino,
    )
