"""When Python's cyclic collector works: not while we load and plan, and not at a process's end.

What is loaded or planned stays, so that a search for garbage among it finds none; at the end it
costs more than ten short tasks.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Of each pause that we are in, whether the collector worked before it.
_pauses: list[bool] = []


@contextmanager
def paused() -> Iterator[None]:
    """No collection within."""
    _pauses.append(gc.isenabled())
    gc.disable()
    try:
        yield
    finally:
        if _pauses.pop():
            gc.enable()


@contextmanager
def working() -> Iterator[None]:
    """Collections within a pause, where there were some before it."""
    if any(_pauses):
        gc.enable()
    try:
        yield
    finally:
        if _pauses:
            gc.disable()


def spare_at_exit() -> None:
    """Let the interpreter's end leave out what is alive then; reference counts free it as ever."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
