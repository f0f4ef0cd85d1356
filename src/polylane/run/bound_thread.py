"""A thread that is bound by a ruleset, and starts processes which are then bound too.

A process that a fork of it would confine costs ten times as much; the thread leaves the rest of
the process free. It is kept, since a thread costs more than being bound (0.10 ms and 0.06 ms of
0.19 ms on the machine of docs/benchmarks.md), and since a child may have asked for a signal at the
end of the thread that started it (`PR_SET_PDEATHSIG`).

Knows nothing of what is started.
"""

from __future__ import annotations

import _thread
import errno
from collections.abc import Callable
from typing import Any, TypeVar

from polylane.run.landlock import Ruleset

T = TypeVar("T")

#: Seconds to wait for a start that a signal interrupted, and for the thread's end.
_SETTLE_S = 1.0


class BoundThread:
    """One such thread; `threading`'s objects would cost as much again as the thread."""

    def __init__(self, ruleset: Ruleset) -> None:
        """The thread begins with the first `start`."""
        self._ruleset = ruleset
        self._spawn: Callable[[], Any] | None = None
        #: What that returned, or raised.
        self._answer: tuple[Any, BaseException | None] | None = None
        self._begun = False
        self._asked = _held_lock()
        self._answered = _held_lock()

    def start(self, spawn: Callable[[], T]) -> T:
        """Call ``spawn`` there and return what it returns.

        Raises what ``spawn`` raises, and `OSError` where there can be no such thread. What
        interrupts us, such as a signal's handler that raises, comes through when nothing can be
        started any more.
        """
        self._spawn, self._answer = spawn, None
        try:
            self._ask()
            self._answered.acquire()
        except BaseException:
            if self._begun and self._answer is None:
                self._answered.acquire(timeout=_SETTLE_S)
            raise
        started: T = self._taken()
        return started

    def _taken(self) -> Any:
        assert self._answer is not None
        (started, error), self._answer = self._answer, None
        if error is not None:
            raise error
        return started

    def end(self) -> None:
        """End the thread and wait for that; to be called once, when no start is under way."""
        if self._begun:
            self._spawn = None
            self._asked.release()
            self._answered.acquire(timeout=_SETTLE_S)

    def _ask(self) -> None:
        if self._begun:
            self._asked.release()
            return
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError as error:  # as `fork` says it
            raise OSError(errno.EAGAIN, str(error)) from None
        self._begun = True

    def _run(self) -> None:
        bound = False
        while self._spawn is not None:
            try:
                if not bound:
                    self._ruleset.restrict_thread()
                    bound = True
                self._answer = self._spawn(), None
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for
                self._answer = None, error
            self._answered.release()
            self._asked.acquire()
        self._answered.release()


def _held_lock() -> _thread.LockType:
    lock = _thread.allocate_lock()
    lock.acquire()
    return lock
