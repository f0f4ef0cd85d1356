"""Turns the signals that end or stop a run into facts that its loop can look at.

Knows nothing of runs: it only remembers what came, and wakes whoever polls its descriptor.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """While it is entered, ending signals are counted instead of ending the process.

    Outside of the main thread, where Python can set no handler, it does nothing.
    """

    def __init__(
        self,
        *,
        forward_only: bool = False,
    ) -> None:
        """``forward_only``: Ctrl-C is for the task that has the terminal, and ends nothing here."""
        #: The first signal that came, or 0.
        self.number = 0
        #: Ctrl-C came, and was left to the task that has the terminal.
        self.forwarded = False
        self._unseen = 0
        self._stop_asked = False
        self._forward_only = forward_only
        #: Called around the time that the terminal stops us (Ctrl-Z), by `interrupted`.
        self.suspend: Callable[[], None] | None = None
        self.resume: Callable[[], None] | None = None
        #: Called around that too, to leave the terminal as it was and to come back to it.
        self.hide: Callable[[], None] | None = None
        self.show: Callable[[], None] | None = None
        self._saved: dict[int, Any] = {}
        self._old_wakeup = -1
        self.wakeup, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup wants to be obeyed
                    self._saved[number] = signal.signal(number, self._came)
            if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
                self._saved[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._stop_came)
            self._old_wakeup = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._old_wakeup)
        for number, handler in self._saved.items():
            signal.signal(number, handler)
        os.close(self.wakeup)
        os.close(self._write_end)

    def interrupted(self) -> str:
        """The reason to stop, once for each signal that came; where Ctrl-Z came, stops first."""
        if self._stop_asked:
            self._stop_asked = False
            self._stop()
        if not self._unseen:
            return ""
        self._unseen -= 1
        return f"interrupted by {signal.Signals(self.number).name}"

    def _came(self, number: int, _: FrameType | None) -> None:
        if self._forward_only and number == signal.SIGINT:
            self.forwarded = True
            return
        self.number = self.number or number
        self._unseen += 1

    def _stop_came(self, _number: int, _frame: FrameType | None) -> None:
        # To tell the lanes here could break into a message that is half sent.
        self._stop_asked = True

    def _stop(self) -> None:
        """Stop the tasks, then ourselves as the terminal wanted; go on when we are continued.

        A task that has the terminal was told by the terminal.
        """
        if self.suspend and not self._forward_only:
            self.suspend()
        if self.hide:
            self.hide()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stop_came)
        if self.show:
            self.show()
        if self.resume and not self._forward_only:
            self.resume()
