"""Keeps the machine busy, so that what a tool does differently under load is seen in sequence too.

Knows nothing of rounds.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from polylane.prove.inside import end_with


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Have so many processes take all the time that they get; they end with this one."""
    parent = os.getpid()
    started: list[int] = []
    try:
        for _ in range(processes):
            pid = os.fork()
            if pid == 0:
                _spin(parent)
            started.append(pid)
        yield
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _spin(parent: int) -> NoReturn:
    os.setpgid(0, 0)  # Ctrl-C is not for it
    end_with(parent)
    while True:
        pass
