"""Landlock, the kernel's own confinement: a set of writable paths that a thread binds itself to.

Needs no privilege. It holds for the thread that asked for it and for all that this thread starts,
for good. Numbers and structures are those of ``linux/landlock.h``, explained in `landlock(7)`.

Knows nothing of tasks or workspaces.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

#: The numbers of the calls are the same on x86-64 and arm64.
_CREATE_RULESET = ctypes.c_long(444)
_ADD_RULE = ctypes.c_long(445)
_RESTRICT_SELF = ctypes.c_long(446)
_CREATE_RULESET_VERSION = 1 << 0
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

WRITE_FILE = 1 << 1
#: 4 and 5 remove folders and files, 6 to 12 make what can be made.
_NAMES = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_ON_FILES = WRITE_FILE | _TRUNCATE
_SCOPE_SIGNAL = 1 << 1
_SCOPES_SINCE = 6

#: What programs write to whoever they are: it keeps nothing, or belongs to who opened it.
DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",  # noqa: S108  # nosec B108 - not a place for a file of ours
)

_OPEN = os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW if sys.platform == "linux" else 0
#: What cannot be reached needs no rule.
_UNREACHABLE = (FileNotFoundError, NotADirectoryError, PermissionError)


def abi() -> int:
    """The version of Landlock's interface in this kernel; 0 where there is none."""
    return _asked()[0]


def refusal() -> int:
    """The number of the error by which the kernel says that there is none; 0 where there is.

    By `landlock_create_ruleset(2)`: ENOSYS where it is too old or was built without,
    EOPNOTSUPP where it was started without. A container's filter may say that, or EPERM.
    """
    return _asked()[1]


@functools.cache
def _asked() -> tuple[int, int]:
    if sys.platform != "linux":
        return 0, errno.ENOSYS
    try:
        return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION), 0
    except OSError as error:
        return 0, error.errno or errno.ENOSYS


def scopes_signals() -> bool:
    """Whether this kernel can refuse signals: Linux 6.12."""
    return abi() >= _SCOPES_SINCE


def write_rights(version: int) -> int:
    """All rights to write that a version of the interface can refuse, as bits.

    Version 1 (Linux 5.13): writing, making and removing; a move or a hard link from one folder to
    another is always refused. Version 2 (5.19) can allow that. Version 3 (6.2) refuses
    `truncate(2)` too. Later ones add none.
    """
    rights = WRITE_FILE | _NAMES
    if version >= 2:  # noqa: PLR2004 - versions are numbers
        rights |= _REFER
    if version >= 3:  # noqa: PLR2004
        rights |= _TRUNCATE
    return rights


class Places:
    """Paths opened once for the rules of many rulesets, a descriptor each, until `close`.

    Of three parts of a rule's cost two are opening the path.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        """Paths that are missing or out of reach are left out; `OSError` where one cannot open."""
        #: Descriptors, and whether each is a folder.
        self.opened: list[tuple[int, bool]] = []
        try:
            for path in paths:
                with suppress(*_UNREACHABLE):
                    fd = os.open(path, _OPEN)
                    self.opened.append((fd, stat.S_ISDIR(os.fstat(fd).st_mode)))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the descriptors back; rules made of them stay."""
        while self.opened:
            os.close(self.opened.pop()[0])


class Ruleset:
    """Where one may write; everything else can only be read. Holds one descriptor until `close`."""

    def __init__(
        self,
        writable: Iterable[str | os.PathLike[str]] | None,
        *,
        places: Places | None = None,
        scope_signals: bool = True,
        version: int | None = None,
    ) -> None:
        """Allow to write ``writable`` (files, and folders with all below) and some `DEVICES`.

        None: anything may be written and mounted, and only signals are scoped.

        ``places``: more of these. Rules belong to what a path names now, also when that is moved.
        Paths that are missing or out of reach are left out. The last name of a path may be a
        symbolic link, which is not followed: a rule for it allows nothing.

        ``scope_signals``: also refuse signals to processes that were not started under it, from
        version 6 (Linux 6.12) on; older ones cannot. ``version``: an older interface than `abi`.
        `OSError` where there is no Landlock, or with the path that no rule can be made for.
        """
        version = abi() if version is None else version
        rights = 0 if writable is None else write_rights(version)
        self.fd = _create(rights, version, scope_signals=scope_signals)
        try:
            for path in () if writable is None else (*DEVICES, *writable):
                self._allow(path, rights)
            for fd, is_folder in places.opened if places else ():
                self._add(fd, rights if is_folder else rights & _ON_FILES)
        except BaseException:
            self.close()
            raise

    def _allow(self, path: str | os.PathLike[str], rights: int) -> None:
        place = Places([path])
        try:
            for fd, is_folder in place.opened:
                self._add(fd, rights if is_folder else rights & _ON_FILES)
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        finally:
            place.close()

    def _add(self, fd: int, rights: int) -> None:
        rule = struct.pack("=Qi", rights, fd)  # struct landlock_path_beneath_attr
        _call(_ADD_RULE, self.fd, _RULE_PATH_BENEATH, rule, 0)

    def restrict_thread(self) -> None:
        """Bind the calling thread, and all that it will start, for good.

        It also gives up gaining privileges (setuid programs). `OSError`, E2BIG among them: 16 of
        these hold already.
        """
        if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise _error()
        _call(_RESTRICT_SELF, self.fd, 0)

    def close(self) -> None:
        """Give the descriptor back; threads that are bound stay so."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _create(rights: int, version: int, *, scope_signals: bool) -> int:
    """``struct landlock_ruleset_attr``, as long as this version knows it."""
    attributes = struct.pack("=Q", rights)
    if version >= _SCOPES_SINCE and scope_signals:
        attributes = struct.pack("=QQQ", rights, 0, _SCOPE_SIGNAL)
    return _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)


def _call(number: ctypes.c_long, *arguments: object) -> int:
    result: int = _LIBC.syscall(number, *arguments)
    if result < 0:
        raise _error()
    return result


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
