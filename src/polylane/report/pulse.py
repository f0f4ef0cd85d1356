"""Signs of life of a run that prints whole outputs: a line when nothing was printed for long.

Wraps an observer. SIGUSR1 has it print the last lines of what runs. Knows nothing of hosts.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from polylane.model import Task
from polylane.outcome import TaskResult
from polylane.report import tails
from polylane.report.plain import Screen
from polylane.run.runner import Observer

#: Hosts end jobs that say nothing for minutes; people wonder sooner.
SILENT_S = 30.0
_LOOK_S = 5.0
#: So many running tasks are named.
_NAMED = 4


class Pulse:
    """An `Observer` around another one."""

    def __init__(
        self,
        inner: Observer,
        screen: Screen,
        total: int,
        *,
        beats: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``beats``: whether it speaks up; else only when it is asked. ``total``: of tasks."""
        self._inner = inner
        self._screen = screen
        self._total = total
        self._beats = beats
        self._clock = clock
        self._running: dict[str, tails.Current] = {}
        self._ended = 0
        self._wanted = False
        self._asked = tails.Asked(self._ask)
        periods = [each for each in (inner.period, _LOOK_S if beats else None) if each is not None]
        self.period: float | None = min(periods, default=None)

    def started(self, task: Task, log: str) -> None:
        """See `Observer`."""
        self._asked.begin()
        self._running[task.id] = (task.id, log, self._clock())
        self._inner.started(task, log)

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""
        self._running.pop(task.id, None)
        self._ended += 1
        self._inner.finished(task, result)

    def tick(self) -> None:
        """See `Observer`."""
        self._inner.tick()
        now = self._clock()
        if self._wanted:
            self._wanted = False
            tails.show(self._screen, self._running.values(), now)
        if self._beats and now - self._screen.printed >= SILENT_S:
            self._screen.line(self._beat(now))

    def close(self) -> None:
        """Let SIGUSR1 be what it was."""
        self._asked.end()

    def _ask(self) -> None:
        self._wanted = True

    def _beat(self, now: float) -> str:
        from polylane.report.board_text import age  # few runs are silent

        current = sorted(self._running.values(), key=lambda each: each[2])
        names = [f"{task} since {age(now - started)}" for task, _, started in current[:_NAMED]]
        if len(current) > _NAMED:
            names.append(f"{len(current) - _NAMED} more")
        what = f"running: {', '.join(names)}" if names else "nothing runs yet"
        return f"-- {self._ended} of {self._total} done, {what}"
