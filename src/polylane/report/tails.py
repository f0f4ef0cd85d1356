"""The last lines of what runs now, for whoever asks by SIGUSR1.

Sees log files; knows nothing of how a run looks beside that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from polylane.report.plain import Screen

#: A task that runs: its id, the path of its log, and when it started by some clock.
Current = tuple[str, str, float]


def show(screen: Screen, running: Iterable[Current], now: float) -> None:
    """Print the last lines of each; ``now`` by the same clock."""
    from polylane.report.board_text import age  # few runs are asked
    from polylane.report.summary import tail

    found = list(running)
    for task, log, started in found:
        screen.line(f"-- {task} runs since {age(now - started)}:")
        screen.lines(tail(Path(log)), b"   ")
    if not found:
        screen.line("-- nothing runs")


class Asked:
    """While it is on, SIGUSR1 asks instead of ending the process."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._on = False

    def begin(self) -> None:
        """Take the signal, where nobody else does; not before lanes are forked, or they would."""
        if self._on or threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
            signal.signal(signal.SIGUSR1, self._came)
            self._on = True

    def end(self) -> None:
        """Leave it as it was."""
        if self._on:
            signal.signal(signal.SIGUSR1, signal.SIG_DFL)
            self._on = False

    def _came(self, _number: int, _frame: FrameType | None) -> None:
        self._ask()
