"""Copies and removes files of any kind, with their modes, times and owners.

Knows nothing of overlays and commits.
"""

# Paths by the ten thousand, where a Path costs as much as the call.
# ruff: noqa: PTH101, PTH106, PTH108, PTH115, PTH211, PTH116

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress

#: What says that the kernel cannot copy between two files by itself.
_NOT_BY_KERNEL = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF}
_CHUNK_BYTES = 1 << 30


class Copier:
    """Copies anything but folders; files that were one file are one again."""

    def __init__(self) -> None:
        self._copied: dict[tuple[int, int], str] = {}

    def copy(self, source: str, seen: os.stat_result, target: str) -> None:
        """Copy to a path where nothing is; ``seen``: the source's own `os.lstat`."""
        twin = self._copied.get((seen.st_dev, seen.st_ino))  # its other names may be gone by now
        if twin is not None:
            os.link(twin, target, follow_symlinks=False)
            return
        if stat.S_ISREG(seen.st_mode):
            copy_content(source, target)
        elif stat.S_ISLNK(seen.st_mode):
            os.symlink(os.readlink(source), target)
        else:  # sockets and fifos; devices are for root
            os.mknod(target, seen.st_mode, seen.st_rdev)
        copy_metadata(seen, target)
        if seen.st_nlink > 1:
            self.remember(seen, target)

    def remember(self, seen: os.stat_result, target: str) -> None:
        """Have a file with several names, whose copy lies there (or is to lie there)."""
        self._copied[seen.st_dev, seen.st_ino] = target


def copy_content(source: str, target: str) -> None:
    """Copy a file's bytes into a new file; without copying where the filesystem can share them."""
    with open(source, "rb", buffering=0) as old, open(target, "xb", buffering=0) as new:
        try:
            while os.copy_file_range(old.fileno(), new.fileno(), _CHUNK_BYTES):
                pass
        except OSError as error:
            if error.errno not in _NOT_BY_KERNEL:
                raise
            shutil.copyfileobj(old, new)  # both go on from where they are


def copy_metadata(seen: os.stat_result, target: str) -> None:
    """Give a path the owner (as far as we may), mode and times of another."""
    made = os.lstat(target)
    if (made.st_uid, made.st_gid) != (seen.st_uid, seen.st_gid):
        with suppress(PermissionError):
            os.chown(target, seen.st_uid, seen.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(seen.st_mode):
        os.chmod(target, stat.S_IMODE(seen.st_mode))
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns), follow_symlinks=False)


def remove(path: str) -> None:
    """Remove whatever lies there, also folders of ours that we may not enter; nothing need be."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except IsADirectoryError:
        _remove_folder(path)


def _remove_folder(path: str) -> None:
    folders = [path]
    for folder in folders:  # grows as it is walked
        open_up(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    os.unlink(entry.path)
    for folder in reversed(folders):
        os.rmdir(folder)


def open_up(folder: str) -> None:
    """Let us read and write a folder of ours; others' stay as they are."""
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        with suppress(PermissionError):
            os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | stat.S_IRWXU)
