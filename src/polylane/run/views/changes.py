"""The exact write set of a view: what its upper folder says against the folder below.

The marks of an overlay (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
directories"): a character device 0/0 stands for what was removed; a folder with the attribute
``overlay.opaque`` hides the one below it. Attributes begin with ``trusted.`` where root has
mounted, else with ``user.``.

Knows nothing of mounting, and nothing of what becomes of changes.
"""

# Paths by the ten thousand, where a Path costs as much as the call.
# ruff: noqa: PTH112, PTH115, PTH116, PTH208

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from polylane.run.views import snapshot

#: An attribute of the kernel's own in the upper folder begins with one of these.
MARKS = ("trusted.overlay.", "user.overlay.")


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths relative to the folder, with ``/``, sorted; the folder itself is ``.``.

    A path has changed when its kind, its mode, its owner, a file's content or a link's target has.
    Times and extended attributes do not count; nor does a folder because of what is in it.
    """

    #: With every file and folder in a new folder.
    created: tuple[str, ...] = ()
    #: What was there and is something else now.
    modified: tuple[str, ...] = ()
    #: Each stands for all that was below it.
    removed: tuple[str, ...] = ()
    #: Opened for writing, or written anew, and the same as before.
    touched: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """All that differs from before."""
        return tuple(sorted((*self.created, *self.modified, *self.removed)))


def of_upper(upper: str, lower: str) -> Changes:
    """Read the write set from the upper folder of an overlay that is not mounted any more."""
    found = _Found(upper, lower)
    if os.path.isdir(upper):
        if not same_metadata(os.stat(upper), os.stat(lower)):
            found.modified.append(".")
        found.compare("")
    return Changes(
        *(tuple(sorted(p)) for p in (found.created, found.modified, found.removed, found.touched))
    )


@dataclass(slots=True)
class _Found:
    upper: str
    lower: str
    created: list[str] = field(default_factory=list)
    modified: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    #: Folders with something below them: their paths, with a ``/`` at the end.
    _todo: list[str] = field(default_factory=list)

    def compare(self, prefix: str) -> None:
        """Compare all below a folder that both have."""
        self._todo.append(prefix)
        while self._todo:
            self._compare_folder(self._todo.pop())

    def _compare_folder(self, prefix: str) -> None:
        if _is_opaque(f"{self.upper}/{prefix}"):
            here = set(os.listdir(f"{self.upper}/{prefix}"))
            below = os.listdir(f"{self.lower}/{prefix}")
            self.removed += [prefix + name for name in below if name not in here]
        with os.scandir(f"{self.upper}/{prefix}") as entries:
            for entry in entries:
                self._compare_path(prefix + entry.name, entry.stat(follow_symlinks=False))

    def _compare_path(self, path: str, above: os.stat_result) -> None:
        below = _lstat(f"{self.lower}/{path}")
        if _is_whiteout(above):
            if below is not None:
                self.removed.append(path)
        elif below is None or stat.S_IFMT(below.st_mode) != stat.S_IFMT(above.st_mode):
            (self.created if below is None else self.modified).append(path)
            self._add_all(path, above)
        elif stat.S_ISDIR(above.st_mode):
            if not same_metadata(above, below):
                self.modified.append(path)
            self._todo.append(path + "/")
        else:
            same = self._is_same(path, above, below)
            (self.touched if same else self.modified).append(path)

    def _add_all(self, path: str, above: os.stat_result) -> None:
        """Add what a new folder holds."""
        if stat.S_ISDIR(above.st_mode):
            for name, seen in snapshot.walk(f"{self.upper}/{path}"):
                if not _is_whiteout(seen):
                    self.created.append(f"{path}/{name}")

    def _is_same(self, path: str, above: os.stat_result, below: os.stat_result) -> bool:
        return same_metadata(above, below) and same_inside(
            f"{self.upper}/{path}", above, f"{self.lower}/{path}", below
        )


def fingerprint(
    top: str, found: Changes, ignored: snapshot.Ignored = snapshot.nothing
) -> snapshot.Fingerprint:
    """Return the fingerprint of changed paths, whose state is below ``top``."""
    present = (*found.created, *found.modified)
    return snapshot.of_paths(top, present, found.removed, ignored)


def same_metadata(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two paths have the same mode and owner."""
    return (one.st_mode, one.st_uid, one.st_gid) == (other.st_mode, other.st_uid, other.st_gid)


def same_inside(one: str, seen: os.stat_result, other: str, told: os.stat_result) -> bool:
    """Whether two paths of one kind, no folders, hold the same."""
    if stat.S_ISREG(seen.st_mode):
        return seen.st_size == told.st_size and snapshot.same_content(one, other)
    if stat.S_ISLNK(seen.st_mode):
        return os.readlink(one) == os.readlink(other)
    return seen.st_rdev == told.st_rdev


def _is_whiteout(seen: os.stat_result) -> bool:
    return stat.S_ISCHR(seen.st_mode) and seen.st_rdev == 0


def _is_opaque(folder: str) -> bool:
    for mark in MARKS:
        try:
            if os.getxattr(folder, mark + "opaque", follow_symlinks=False) == b"y":
                return True
        except OSError:
            pass
    return False


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
