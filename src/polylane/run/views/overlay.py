"""A private view of a folder at the folder's own path: what is started in it writes elsewhere.

An overlay (Documentation/filesystems/overlayfs.rst of the kernel) with the folder below and an
empty folder of ours above is mounted over the folder, in a namespace that ends with the processes
in it. The folder above is then the exact write set. Needs Linux 5.11 for ordinary users.

What differs in the view, and cannot be helped: renaming a folder that was there before says EXDEV,
as between two disks (programs then copy); a file with two names is one name when it is written; and
for ordinary users other people's files cannot be written, and setuid programs have no effect.

Knows nothing of tasks and claims.
"""

# Paths by the ten thousand, where a Path costs as much as the call.
# ruff: noqa: PTH102, PTH103, PTH106, PTH108, PTH109, PTH110, PTH116, PTH118

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path

from polylane.run import forked
from polylane.run.surroundings import holds
from polylane.run.views import changes, commit, copying, namespaces, pids, snapshot
from polylane.run.views.changes import Changes
from polylane.run.views.namespaces import Refused

#: Set explicitly, since distributions have other defaults: each would put into the folder above
#: what is no plain copy. ``volatile`` (5.10) leaves out the syncs, of which the one at unmounting
#: is of the whole disk; what lies above is of no use after a crash anyway.
_OPTIONS = "index=off,metacopy=off,redirect_dir=nofollow,volatile"

#: As proc_pid_mountinfo(5) writes spaces and the like.
_ESCAPED = re.compile(rb"\\([0-7]{3})")

_UPPER = "upper"
_WORK = "work-"
_NO_UPPER = "the scratch folder's filesystem cannot be laid over that of the folder"


def available(folder: Path, scratch: Path, *, pid: bool = False) -> str:
    """Say why there can be no `View` here, in a few words; empty where there can.

    It is tried once, in a forked child (so before this process has threads), and remembered. The
    kind of filesystem counts, so ``scratch`` may be any folder where scratches are to lie.
    """
    return _available(os.path.realpath(folder), os.path.realpath(scratch), pid)


@cache
def _available(folder: str, scratch: str, pid: bool) -> str:  # noqa: FBT001 - a cache's key
    if inside := _mounted_inside(folder):
        return f"{inside} is mounted inside {folder}"
    ours = not os.path.exists(scratch)
    try:
        os.makedirs(scratch, exist_ok=True)
        view = View(folder, tempfile.mkdtemp(prefix=".try-", dir=scratch))
    except OSError as error:
        return f"{scratch} cannot be written: {error.strerror}"
    try:
        return _ask(view, pid=pid)
    finally:
        view.discard()
        if ours:
            with suppress(OSError):
                os.rmdir(scratch)


def _ask(view: View, *, pid: bool) -> str:
    parent = os.getpid() if pid else None
    why = forked.ask(lambda: _tried(view, parent))
    return "its try was killed" if why is None else why


def _tried(view: View, parent: int | None) -> str:
    try:
        before = os.stat(view.folder).st_dev
        view.check_upper()
        view.enter(parent=parent)
        return "the mount has no effect" if os.stat(view.folder).st_dev == before else ""
    except OSError as error:
        return error.strerror or str(error)
    except BaseException as error:  # noqa: BLE001 - a forked child goes nowhere else
        return f"BUG: {error!r}"


class View:
    """A private view of a folder; used by one tree of processes at a time, again and again."""

    def __init__(self, folder: Path | str, scratch: Path | str) -> None:
        """``scratch``: where what is written lies; made if missing, inside of the folder or not.

        Its filesystem must have what an overlay needs of its upper one (ext4, xfs, btrfs, tmpfs
        have; an overlay and network filesystems have not).
        """
        self.folder = os.path.realpath(folder)
        #: Where the view is seen by those in it.
        self.path = self.folder
        self._scratch = os.path.realpath(scratch)
        self._upper = os.path.join(self._scratch, _UPPER)
        #: Where what is written in the view is seen from outside.
        self.written = self._upper

    def enter(self, *, parent: int | None = None, left: pids.Left | None = None) -> None:
        """Make this process, which is freshly forked and has one thread, see the view.

        With ``parent`` (the pid of the process that forked this one) also in new pids: see
        `pids.enter`, as for ``left``. `Refused`, an `OSError`, where it cannot be; this process may
        then be half inside and is to end.
        """
        here = _current()
        space = namespaces.unshare(pids=parent is not None)
        try:
            self._mount()
        except Refused as error:
            raise Refused(error.errno, _words(error)) from None
        if here is not None and (here == self.folder or holds(self.folder, here)):
            os.chdir(here)  # until now it is the folder below the view
        if parent is None:
            space.give_up_rights()
        else:
            pids.enter(space, parent=parent, left=left)

    def _mount(self) -> None:
        self._make_upper()
        work = tempfile.mkdtemp(prefix=_WORK, dir=self._scratch)  # one that was used is refused
        places = [_open(path) for path in (self.folder, self._upper, work)]
        names = [f"/proc/self/fd/{place}" for place in places]
        layers = f"lowerdir={names[0]},upperdir={names[1]},workdir={names[2]}"
        try:
            namespaces.mount_overlay(self.folder, f"{layers},{_OPTIONS}{_marking(self._upper)}")
        finally:
            for place in places:
                os.close(place)

    def _make_upper(self) -> None:
        with suppress(FileExistsError):
            os.makedirs(self._scratch, exist_ok=True)
            os.mkdir(self._upper)
            copying.copy_metadata(os.stat(self.folder), self._upper)

    def check_upper(self) -> None:
        """Raise `OSError` where the scratch's filesystem cannot say that something is removed."""
        self._make_upper()
        mark = os.path.join(self._upper, ".removed")
        try:
            os.mknod(mark, stat.S_IFCHR)
            os.unlink(mark)
            if _marking(self._upper):
                os.setxattr(self._upper, "user.overlay.try", b"y")
        except OSError as error:
            raise Refused(error.errno, _NO_UPPER) from None

    def changes(self) -> Changes:
        """Return what was written, as seen from outside the view when its processes have ended."""
        return changes.of_upper(self._upper, self.folder)

    def fingerprint(self, ignored: snapshot.Ignored = snapshot.nothing) -> snapshot.Fingerprint:
        """Return the fingerprint of what was changed; removed paths have the kind ``gone``.

        Two views of the same folder hold the same files if these are equal.
        """
        return changes.fingerprint(self._upper, self.changes(), ignored)

    def commit(self, paths: Collection[str] | None = None) -> None:
        """Bring changes, by default all, into the real folder; they leave the view.

        Each file is there as a whole or not at all, also when this is interrupted; `commit.apply`
        says the rest.
        """
        commit.apply(self._upper, self.folder, self.changes(), paths)

    def discard(self) -> None:
        """Remove the scratch folder with all that was written and not committed."""
        copying.remove(self._scratch)


def _current() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def _mounted_inside(folder: str) -> str:
    """A place below a folder where something else is mounted, which an overlay would not show."""
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            place = os.fsdecode(_ESCAPED.sub(_unescape, line.split()[4]))
            if holds(folder, place):
                return place
    return ""


def _unescape(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8)])


def _words(error: Refused) -> str:
    """Say what refuses a mount, for people."""
    if error.errno == errno.ENODEV:
        return "the kernel has no overlayfs"
    if error.errno == errno.EINVAL:
        return _NO_UPPER
    return error.strerror or str(error)


def _marking(upper: str) -> str:
    """The option by which the kernel marks the upper folder with attributes that we may set.

    In a user namespace nobody may set its own, also not who is root there (as in containers).
    """
    try:
        os.setxattr(upper, "trusted.overlay.try", b"y")
    except PermissionError:
        return ",userxattr"
    return ""


def _open(path: str) -> int:
    return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
