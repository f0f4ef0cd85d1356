"""Where paths lead: from what a thread says to a path without links, at this moment.

Looks in a thread's own root and folders, through /proc. Knows nothing of calls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from contextlib import suppress
from os.path import normpath

from polylane.records import NamedTuple
from polylane.run.tracing import peek, syscalls
from polylane.run.tracing.known import Known

#: So many threads' roots are remembered; numbers of threads come again.
_ROOTS = 512

#: Answers that mean: nothing there, for whoever asked.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP}

_OPENAT2 = ctypes.c_long(437)  # on all architectures
_RESOLVE_IN_ROOT = 0x10
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

_HERE = syscalls.AT_FDCWD & 0xFFFFFFFF


class Place(NamedTuple):
    """A path as one thread means it."""

    #: Absolute, and otherwise as it was said.
    said: str
    #: Where we find the same file; below ``root``, if there is one.
    lookup: str
    #: Another root than ours, in which absolute links lead elsewhere: ``/proc/PID/root``.
    root: str = ""


class Found(NamedTuple):
    """Where a path leads."""

    path: str
    #: ``st_mode``; 0: nothing is there.
    mode: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, which was not to be followed."""
        return stat.S_ISLNK(self.mode)


class Places:
    """Places of any thread, and what was learned of them."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._home = _root_of("self")
        #: By thread: its root as we would say it, and where we find that; empty for our own.
        self._roots: dict[int, tuple[str, str]] = {}
        self._roots_change = False
        self.known = Known()

    def roots_change(self) -> None:
        """Some thread may get another root at any time: from now on, always look."""
        self._roots_change = True

    def place(self, tid: int, directory: int, path: str) -> Place:
        """What a thread means by a path at a descriptor, or at ``AT_FDCWD``."""
        prefix, root = self._root(tid)
        if path.startswith("/"):
            return Place(prefix + path, peek.mapped(path, tid), root)
        directory &= 0xFFFFFFFF
        link = f"/proc/{tid}/cwd" if directory == _HERE else f"/proc/{tid}/fd/{directory}"
        folder = peek.where(link)
        if not path:
            return Place(folder, link)
        if root:
            return Place(f"{folder}/{path}", f"{folder.removeprefix(prefix)}/{path}", root)
        return Place(f"{folder}/{path}", f"{link}/{path}")

    def _root(self, tid: int) -> tuple[str, str]:
        root = self._roots.get(tid)
        if root is None or self._roots_change:
            if len(self._roots) >= _ROOTS:
                self._roots.clear()
            root = self._roots[tid] = self._root_now(tid)
        return root

    def _root_now(self, tid: int) -> tuple[str, str]:
        root = _root_of(tid)
        if root == self._home:
            return "", ""
        return "" if root[0] == "/" else root[0], f"/proc/{tid}/root"

    def find(self, place: Place, *, follow: bool) -> Found:
        """Where a path leads, if only to a name that is free; ``follow``: also a link at its end.

        `OSError` where even that cannot be known.
        """
        said, lookup, root = place
        folder, _, last = said.rpartition("/")
        if last in {"", ".", ".."}:
            return self._odd(place, follow=follow)
        if root:
            mode = _mode_in_root(place)
        else:
            try:
                mode = os.lstat(lookup).st_mode
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    mode = _mode_by_parts(lookup)
                elif error.errno in _ABSENT:
                    mode = 0
                else:
                    raise
        if follow and stat.S_ISLNK(mode):
            return self._behind(place)
        where = self.known.folders.get(folder)
        if where is None:
            where = self._folder(Place(folder, lookup[: -len(last) - 1], root))
        return Found(f"{where}/{last}", mode)

    def _odd(self, place: Place, *, follow: bool) -> Found:
        """The same for ``folder/``, ``folder/.`` and ``folder/..``."""
        found = _exactly(place)
        if found is None and place.said.endswith("/") and (said := place.said.rstrip("/")):
            return self.find(
                place._replace(said=said, lookup=place.lookup.rstrip("/")), follow=follow
            )
        return found or Found(normpath(place.said), 0)

    def _behind(self, place: Place) -> Found:
        """The same for a link that is to be followed."""
        found = _exactly(place)
        if found is None and not place.root:
            with suppress(OSError):
                return Found(os.path.realpath(place.lookup), 0)
        return found or Found(normpath(place.said), 0)

    def _folder(self, place: Place) -> str:
        """Where a folder leads, as far as it exists."""
        if not place.said:
            return ""
        found = _exactly(place) or self.find(place, follow=False)
        where = "" if found.path == "/" else found.path
        self.known.add_folder(place.said, where)
        return where


def _exactly(place: Place) -> Found | None:
    """Where a path leads that exists, with all links followed, as the kernel says it."""
    try:
        found = _open(place, os.O_PATH)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise
    try:
        mode = os.fstat(found).st_mode
        path = peek.where(f"/proc/self/fd/{found}")
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # longer than the kernel says
            raise
        path = ""
    finally:
        os.close(found)
    # Not a path at all: a pipe. Below /proc: another name for each process.
    if not path.startswith("/") or path.startswith("/proc/"):
        path = normpath(place.said)
    return Found(path, mode)


def head(place: Place, size: int) -> bytes:
    """The first bytes of a regular file; empty where we may not read it."""
    try:
        found = _open(place, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(found, size)
    finally:
        os.close(found)


def _open(place: Place, flags: int) -> int:
    """Open a place, which may be longer than the kernel takes at once."""
    path, flags = place.lookup, flags | os.O_CLOEXEC
    if place.root:
        return _open_in_root(place, flags)
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
    folder, rest = _parts(path)
    try:
        return os.open(rest, flags, dir_fd=folder)
    finally:
        os.close(folder)


def _open_in_root(place: Place, flags: int) -> int:
    root = os.open(place.root, os.O_PATH | os.O_CLOEXEC)
    try:
        how = struct.pack("=QQQ", flags, 0, _RESOLVE_IN_ROOT)  # struct open_how
        path = os.fsencode(place.lookup) or b"/"
        opened: int = _libc.syscall(_OPENAT2, root, path, how, ctypes.c_size_t(len(how)))
    finally:
        os.close(root)
    if opened < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return opened


def _mode_in_root(place: Place) -> int:
    try:
        found = _open_in_root(place, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in _ABSENT:
            return 0
        raise
    try:
        return os.fstat(found).st_mode
    finally:
        os.close(found)


def _mode_by_parts(path: str) -> int:
    folder, rest = _parts(path)
    try:
        return os.lstat(rest, dir_fd=folder).st_mode
    except OSError:
        return 0
    finally:
        os.close(folder)


def _parts(path: str) -> tuple[int, str]:
    """``/proc/PID/cwd`` or ``/proc/PID/fd/N``, opened, and the rest of a path."""
    words = path.split("/", 5)
    if words[1] != "proc" or len(words) < 6:  # noqa: PLR2004
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    count = 5 if words[3] == "fd" else 4
    head, rest = words[:count], words[count:]
    return os.open("/".join(head), os.O_PATH | os.O_CLOEXEC), "/".join(rest)


def _root_of(tid: int | str) -> tuple[str, int]:
    """The root of a thread, as we see it, and its mount namespace."""
    space = os.stat(f"/proc/{tid}/ns/mnt").st_ino  # noqa: PTH116 - a Path costs as much again
    return os.readlink(f"/proc/{tid}/root"), space  # noqa: PTH115
