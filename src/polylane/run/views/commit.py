"""Brings chosen changes from a tree of them into a real folder, whole files at a time.

Knows nothing of overlays but the names of their attributes, and nothing of who may write what.
"""

# Paths by the ten thousand, where a Path costs as much as the call.
# ruff: noqa: PTH102, PTH104, PTH108, PTH118, PTH120

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from contextlib import suppress

from polylane.run.views.changes import MARKS, Changes
from polylane.run.views.copying import Copier, copy_metadata, open_up, remove


def apply(source: str, folder: str, changes: Changes, paths: Collection[str] | None = None) -> None:
    """Move chosen paths of ``changes`` (None: all that differ) from ``source`` into ``folder``.

    A path stands for itself: a new folder does not bring what is in it, but a file brings the
    folders above it. A removed path stands for all below it. Files are renamed into place, or
    where they come from another filesystem copied beside it and then renamed, so that each is the
    old or the new one whenever this ends; begun again, it goes on. Modes, owners as far as we may,
    times, and the unity of files with several names are kept; a touched file gets its times.
    `OSError` where the folder cannot be written.
    """
    chosen = _chosen(changes, paths)
    moves = _Moves(source, folder)
    for path in sorted({*changes.created, *changes.modified} & chosen):
        moves.bring(path)
    for path in sorted(set(changes.touched) & chosen):
        moves.set_times(path)
    for path in sorted(set(changes.removed) & chosen, reverse=True):
        remove(os.path.join(folder, path))
    moves.finish_folders()


def _chosen(changes: Changes, paths: Collection[str] | None) -> set[str]:
    return set(changes.written if paths is None else paths)


class _Moves:
    def __init__(self, source: str, folder: str) -> None:
        self._source = source
        self._folder = folder
        self._copier = Copier()
        self._count = 0
        #: Folders that we know to be there, and those that get their mode and times at the end.
        self._there = {""}
        self._unfinished: dict[str, os.stat_result] = {}

    def bring(self, path: str) -> None:
        """Bring one path, and the folders above it that are missing."""
        source = os.path.join(self._source, path)
        seen = os.lstat(source)
        if stat.S_ISDIR(seen.st_mode):
            self._have_folder(path)
            self._unfinished[path] = seen
            return
        self._have_folder(path.rpartition("/")[0])
        target = os.path.join(self._folder, path)
        if _is_folder(target):
            remove(target)
        _unmark(source)
        try:
            os.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(source, seen, target)

    def _copy(self, source: str, seen: os.stat_result, target: str) -> None:
        """Copy beside the target, then put in its place."""
        self._count += 1
        aside = os.path.join(os.path.dirname(target), f".polylane-{os.getpid()}-{self._count}.tmp")
        try:
            self._copier.copy(source, seen, aside)
            os.rename(aside, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(aside)
        if seen.st_nlink > 1:
            self._copier.remember(seen, target)
        os.unlink(source)

    def _have_folder(self, path: str) -> None:
        """Make a folder and those above it, in the place of whatever else is there."""
        if path in self._there:
            return
        self._have_folder(path.rpartition("/")[0])
        source = os.path.join(self._source, path)
        target = os.path.join(self._folder, path)
        if _make_folder(target):
            self._unfinished[path] = os.lstat(source)
        open_up(source)  # files leave it
        self._there.add(path)

    def set_times(self, path: str) -> None:
        """Give a file that was written and is the same its new times, by which tools go."""
        seen = os.lstat(os.path.join(self._source, path))
        times = (seen.st_atime_ns, seen.st_mtime_ns)
        with suppress(FileNotFoundError):  # removed meanwhile by somebody else
            os.utime(os.path.join(self._folder, path), ns=times, follow_symlinks=False)

    def finish_folders(self) -> None:
        """Set modes and times of folders, inner ones first: now nothing changes in them."""
        for path, seen in sorted(self._unfinished.items(), reverse=True):
            copy_metadata(seen, os.path.join(self._folder, path))


def _make_folder(path: str) -> bool:
    """Make a folder in the place of whatever is no folder; False where another one was faster."""
    try:
        os.mkdir(path)
    except FileExistsError:
        if _is_folder(path):
            return False
        os.unlink(path)
        os.mkdir(path)
    return True


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _unmark(path: str) -> None:
    """Take the kernel's notes off a file that was copied up."""
    with suppress(OSError):
        for name in os.listxattr(path, follow_symlinks=False):
            if name.startswith(MARKS):
                os.removexattr(path, name, follow_symlinks=False)
