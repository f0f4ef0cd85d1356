"""Keeps git's index as it is while a hook's tasks run.

A test that runs ``git add -A`` in its own folder would stage files for the commit that is being
made. So the hook holds git's lock on the index (``index.lock``), which every git respects. A child
waits for the hook's end, so that the lock goes away with it even when it is killed.

Knows nothing of tasks.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn


@contextmanager
def guarded(index: Path) -> Iterator[bool]:
    """Hold an index's lock; gives False where somebody else does, such as ``git commit -a``."""
    lock = index.with_name(f"{index.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
    except OSError:
        yield False
        return
    ours = lock.stat().st_ino
    waits, ends = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ends)
        _wait_and_release(waits, lock, ours)
    os.close(waits)
    _leave_group(child)
    try:
        yield True
    finally:
        _release(lock, ours)
        os.write(ends, b"x")
        os.close(ends)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def _wait_and_release(waits: int, lock: Path, ours: int) -> NoReturn:
    """Be the child: the pipe ends when the hook and its lanes are gone."""
    try:
        _leave_group(os.getpid())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.read(waits, 1)
        _release(lock, ours)
    finally:
        os._exit(0)


def _leave_group(child: int) -> None:
    """Keep signals for the hook's group from its child; both call it, whoever comes first."""
    with suppress(OSError):
        os.setpgid(child, child)


def _release(lock: Path, ours: int) -> None:
    with suppress(OSError):
        if lock.stat().st_ino == ours:
            lock.unlink()
