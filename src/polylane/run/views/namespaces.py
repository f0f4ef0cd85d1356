"""Namespaces of the kernel, by direct system calls: private mounts, also for ordinary users.

Sources: unshare(2), user_namespaces(7), mount_namespaces(7), capabilities(7). Linux only; the
caller is freshly forked and has one thread, as a user namespace demands.

Knows nothing of overlays, workspaces and tasks.
"""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_NEW_MOUNTS = 0x00020000
_NEW_USER = 0x10000000
_NEW_PIDS = 0x20000000

_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8

_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION_3 = 0x20080522

#: What refuses namespaces: a file below /proc/sys, its value that does, and the words for it.
_SETTINGS = (
    ("user/max_user_namespaces", "0", "user.max_user_namespaces is 0"),
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)",
    ),
)


class Refused(OSError):  # noqa: N818 - what has happened
    """The kernel, or what guards it, refuses a namespace or a mount; its text says why."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The capabilities of a process, as bit sets."""

    effective: int
    permitted: int
    inheritable: int
    bounding: int


@dataclass(frozen=True, slots=True)
class Namespace:
    """What `unshare` has entered."""

    #: Whether it took a user namespace, since this process may not mount by itself.
    of_user: bool
    #: What the process could do before, and is to be able to do again.
    rights: Rights

    def give_up_rights(self) -> None:
        """Lose the rights that a user namespace brings: a task has those that it would have.

        Otherwise a file with mode 0444 could be written in the view, and not outside of it.
        """
        if self.of_user:
            _restrict(self.rights)


def unshare(*, pids: bool = False) -> Namespace:
    """Leave the mounts of the machine for a copy of them; with ``pids`` children get new pids.

    Where this process may not, it enters a user namespace too, in which its user and group are
    themselves and all others are nobody's. `Refused` says why neither can be.
    """
    rights = _rights()
    wanted = _NEW_MOUNTS | (_NEW_PIDS if pids else 0)
    of_user = _unshare(wanted) == errno.EPERM
    if of_user:
        ids = os.geteuid(), os.getegid()
        number = _unshare(wanted | _NEW_USER)
        if number:
            raise Refused(number, _why(number))
        _map(*ids)
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    return Namespace(of_user, rights)


def mount_overlay(target: str, options: str) -> None:
    """Mount an overlay; its options name no path but ``/proc/self/fd/N``, so nothing is escaped."""
    _mount("overlay", target, "overlay", 0, options)


def mount_proc() -> None:
    """Show the pids of this process's own namespace below /proc."""
    _mount("proc", "/proc", "proc", _MS_NOSUID_NODEV_NOEXEC)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _unshare(flags: int) -> int:
    """Return 0, or the number of the error."""
    return ctypes.get_errno() if _libc().unshare(flags) else 0


def _mount(source: str | None, target: str, kind: str | None, flags: int, said: str = "") -> None:
    done = _libc().mount(
        source and source.encode(),
        os.fsencode(target),
        kind and kind.encode(),
        ctypes.c_ulong(flags),
        said.encode() or None,
    )
    if done:
        number = ctypes.get_errno()
        raise Refused(number, f"mounting {kind or 'privately'}: {_why(number)}")


def _map(user: int, group: int) -> None:
    """Map one user and one group to themselves, which is all that an ordinary user may map."""
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    except OSError as error:
        number = error.errno or errno.EPERM
        raise Refused(number, _why(number)) from None


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _why(number: int) -> str:
    """Say what refuses namespaces here, or what the kernel said."""
    if number in {errno.EPERM, errno.EACCES, errno.ENOSPC}:
        for name, value, words in _SETTINGS:
            if _read(f"/proc/sys/{name}") == value:
                return words
        if "Seccomp:\t2" in _read("/proc/self/status"):
            return f"a seccomp filter, as containers have it, or the kernel: {os.strerror(number)}"
    return os.strerror(number)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _rights() -> Rights:
    lines = _read("/proc/self/status").splitlines()
    known = dict(line.split(":\t", 1) for line in lines if line.startswith("Cap"))
    names = ("CapEff", "CapPrm", "CapInh", "CapBnd")
    return Rights(*(int(known.get(name, "0"), 16) for name in names))


def _restrict(rights: Rights) -> None:
    libc = _libc()
    for capability in range(64):
        if not rights.bounding >> capability & 1:
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last one
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (rights.effective, rights.permitted, rights.inheritable)
    words = [each >> shift & 0xFFFFFFFF for shift in (0, 32) for each in sets]
    if libc.capset(header, (ctypes.c_uint32 * 6)(*words)):
        number = ctypes.get_errno()
        raise Refused(number, f"giving up rights: {os.strerror(number)}")
