"""A command that wants to outlive its end: five processes, each of which proves that it lives.

The main one ignores TERM and HUP, so does one of its children; of the others one is plain, one has
a session of its own, and one is a daemon: forked twice, in a session of its own, without standard
streams. Each holds one byte of a file locked (`fcntl(2)`, ``F_SETLK``): the kernel frees the lock
with the process and no sooner, forked children don't inherit it, and ``F_GETLK`` names its holder.

``python -I -S hostile.py FILE [stay|leave|polite]``, or `be` in a Python body. Knows nothing of
what runs it or ends it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import NoReturn

#: The bytes of the file, in this order.
ROLES = ("main", "plain", "stubborn", "session", "daemon")

#: `struct flock` of Linux with 64 bits: type, whence, start, length, pid.
_FLOCK = "hhqqi4x"


def holders(file: str | os.PathLike[str], roles: int = len(ROLES)) -> dict[str, int]:
    """The living: process ids by role, as the kernel says it at this moment."""
    found = {}
    lives = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for byte, role in enumerate(ROLES[:roles]):
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
            said = struct.unpack(_FLOCK, fcntl.fcntl(lives, fcntl.F_GETLK, asked))
            if said[0] != fcntl.F_UNLCK:
                found[role] = said[4]
    finally:
        os.close(lives)
    return found


def be(file: str, mode: str = "stay") -> int:
    """Be the main process, and start the others.

    ``stay`` for ever; ``leave`` the others behind, when somebody writes into the FIFO ``FILE.go``;
    or be ``polite``: the main process and the plain one only, and both end on TERM.
    """
    lives = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    if mode == "polite":
        _child(lives, "plain", _nothing)
    else:
        _ignore()
        _child(lives, "plain", _obey)
        _child(lives, "stubborn", _nothing)
        _child(lives, "session", _own_session)
        _child(lives, "daemon", _daemonise)
    _hold(lives, "main")
    if mode == "leave":
        with open(f"{file}.go", "rb") as go:
            go.readline()
        return 0
    while True:
        signal.pause()


def _child(lives: int, role: str, prepare: Callable[[], None]) -> None:
    """Start one, and wait until it lives as it shall."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_child(lives, role, prepare, tell)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    if role == "daemon":
        os.waitpid(pid, 0)


def _be_child(lives: int, role: str, prepare: Callable[[], None], tell: int) -> NoReturn:
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        prepare()
        _hold(lives, role)
        os.write(tell, b".")
        while True:
            signal.pause()
    finally:
        os._exit(1)


def _hold(lives: int, role: str) -> None:
    fcntl.lockf(lives, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, ROLES.index(role))


def _ignore() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _obey() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _own_session() -> None:
    os.setsid()
    _obey()


def _daemonise() -> None:
    os.setsid()
    if os.fork():
        os._exit(0)
    for descriptor in (0, 1, 2):
        os.close(descriptor)


def _nothing() -> None:
    pass


if __name__ == "__main__":
    sys.exit(be(*sys.argv[1:]))
