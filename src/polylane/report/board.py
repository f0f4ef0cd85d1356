"""`--output live`: finished tasks scroll by as plain lines, and what runs is painted below them.

The runner's loop only notes what happened: a thread looks, prints and paints, so that neither a
slow terminal nor /proc holds up a start. It starts after the lanes were forked, and has ended when
`close` returns. Knows nothing of escape sequences, nor of how the board's lines are made.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Container
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from polylane.execution import Insight
from polylane.model import Task
from polylane.outcome import BAD, Outcome, TaskResult
from polylane.plan.graph import Graph
from polylane.report import canvas, tails
from polylane.report.plain import Grouped, Screen

if TYPE_CHECKING:
    from polylane.plan.estimate import Estimate
    from polylane.report.board_text import State

#: At most 20 paints a second, by the issue's word; what comes meanwhile is shown together.
_FRAME_S = 0.05
#: How often to look for a new last line, where nothing else happened.
_IDLE_S = 0.25
#: A run that ends sooner shows no board.
_FIRST_S = 0.15
#: Measuring takes this share of a core at most, for /proc of many processes and long estimates.
_SHARE = 0.003
_LEAST_PAUSE_S = 1.0
_TAIL_BYTES = 2048
#: How long Ctrl-Z waits for a terminal that takes nothing.
_HIDE_LIMIT_S = 1.0


class _Seen:
    """What is known of a running task."""

    def __init__(self, index: int, log: str, started: float) -> None:
        self.index = index
        self.log = log
        self.started = started
        self.pid = 0
        self.bytes = -1
        self.last = ""
        #: CPU seconds, and when they were read.
        self.measured: tuple[float, float] | None = None
        self.cpu: float | None = None
        self.rss: int | None = None


class _Spare:
    """Does something so seldom that it takes no more than its share of a core."""

    def __init__(self, todo: Callable[[float], object]) -> None:
        self._todo = todo
        self._next = 0.0

    def turn(self, now: float) -> None:
        if now >= self._next:
            begun = time.thread_time()
            self._todo(now)
            self._next = now + max(_LEAST_PAUSE_S, (time.thread_time() - begun) / _SHARE)


class Board:
    """An `Observer`; tell it by `watch` what it sees, and `close` it."""

    #: How often the runner's loop finds out which process a task is, and what it waits for.
    period: float | None = 0.5

    def __init__(self, screen: Screen, folder: Path, *, unicode: bool, colour: bool) -> None:
        self._screen = screen
        self._unicode, self._colour = unicode, colour
        self._plain = Grouped(screen, folder, errors_only=True, all_named=True)
        self._canvas = canvas.Canvas(lambda text: screen.write(text.encode(errors="replace")))
        self._insight: Insight | None = None
        self._index: dict[str, int] = {}
        self._zero = time.monotonic()
        #: What is still to be printed, in order; whoever comes from another thread only appends.
        self._news: deque[Callable[[], None]] = deque()
        self._running: dict[str, _Seen] = {}
        self._ended: dict[int, Outcome] = {}
        self._failed = 0
        self._left: Estimate | None = None
        self._waits = ""
        #: The running task that most others wait for, where slots are free.
        self._awaited = -1
        self._slots_used = 0
        self._wake, self._closed = threading.Event(), threading.Event()
        self._hidden = False
        self._busy = threading.Lock()
        self._thread: threading.Thread | None = None
        self._defect: BaseException | None = None
        self._asked = tails.Asked(self._ask)
        self._measuring, self._estimating = _Spare(self._measure), _Spare(self._estimate)

    def watch(self, insight: Insight) -> None:
        """Learn what the run is; before it starts."""
        self._insight = insight
        self._index = {task.id: i for i, task in enumerate(insight.graph.tasks)}

    def started(self, task: Task, log: str) -> None:
        """See `Observer`."""
        if self._thread is None:
            self._asked.begin()
            self._thread = threading.Thread(target=self._main, name="board", daemon=True)
            self._thread.start()
        # As one step, for the other thread walks through copies of the whole.
        self._running[task.id] = _Seen(self._index.get(task.id, -1), log, time.monotonic())
        self._note()
        self._wake.set()

    def finished(self, task: Task, result: TaskResult) -> None:
        """See `Observer`."""
        self._running.pop(task.id, None)
        self._ended[self._index.get(task.id, -1 - len(self._ended))] = result.outcome
        self._failed += result.outcome in BAD
        self._news.append(partial(self._plain.finished, task, result))
        self._wake.set()

    def tick(self) -> None:
        """See `Observer`."""
        if self._insight is None:
            return
        now = time.monotonic()
        for seen in self._running.values():
            if not seen.pid and now - seen.started >= self.period / 2:  # type: ignore[operator]
                seen.pid = self._insight.pid_of(seen.index)
        self._note()

    def _note(self) -> None:
        if self._insight is not None:
            self._waits, self._slots_used = self._insight.waits_for(), self._insight.slots_used()

    def say(self, text: str) -> None:
        """Print a line of ours above the board."""
        self._news.append(partial(self._screen.line, f"polylane: {text}"))
        self._wake.set()

    def _ask(self) -> None:
        self._news.append(self._show_tails)
        self._wake.set()

    def _show_tails(self) -> None:
        running = [(name, seen.log, seen.started) for name, seen in self._current()]
        tails.show(self._screen, running, time.monotonic())

    def hide(self) -> None:
        """Leave the terminal to others: before we are stopped."""
        if self._busy.acquire(timeout=_HIDE_LIMIT_S):
            self._hidden = True
            self._canvas.close()
            self._busy.release()

    def show(self) -> None:
        """Come back, as soon as we are in the foreground."""
        self._hidden = False

    def close(self) -> None:
        """Print what is left, remove the board, and end the thread; only then others may print."""
        self._asked.end()
        self._closed.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self._print()
        if self._defect is not None:
            raise self._defect

    def _main(self) -> None:
        try:
            self._closed.wait(_FIRST_S)
            while not self._closed.is_set():
                self._frame()
                self._closed.wait(_FRAME_S)
                self._wake.wait(_IDLE_S)
                self._wake.clear()
            self._print()
        except BaseException as error:  # noqa: BLE001 - `close` raises it where it is seen
            self._defect = error
        finally:
            with suppress(OSError, ValueError):
                self._canvas.close()

    def _frame(self) -> None:
        now = time.monotonic()
        self._measuring.turn(now)
        self._estimating.turn(now)
        from polylane.report.board_text import Look, lines  # while lanes run

        with self._busy:
            self._print()
            if self._hidden or not canvas.in_foreground() or not canvas.is_big_enough():
                self._canvas.close()
                return
            width, height = canvas.size()
            look = Look(self._unicode, self._colour)
            self._canvas.paint(lines(self._state(now), width, height // 2, look))

    def _print(self) -> None:
        if self._news:
            self._canvas.clear()
        while self._news:
            self._news.popleft()()

    def _current(self) -> list[tuple[str, _Seen]]:
        return list(self._running.copy().items())

    def _state(self, now: float) -> State:
        from polylane.report.board_text import Running, State

        insight = self._insight
        current = self._current()
        for _, seen in current:
            _read_last(seen)
        return State(
            total=len(self._index),
            done=len(self._ended),
            failed=self._failed,
            running=[
                Running(name, now - seen.started, seen.last, seen.cpu, seen.rss)
                for name, seen in current
            ],
            slots=insight.slots if insight else 1,
            slots_used=self._slots_used,
            age_s=now - self._zero,
            left=self._left,
            waits=self._waits or next((n for n, s in current if s.index == self._awaited), ""),
        )

    def _measure(self, now: float) -> None:
        from polylane.run.sample import sample  # while lanes run

        for _, seen in self._current():
            if not seen.pid:
                continue
            found, before = sample(seen.pid), seen.measured
            seen.measured, seen.rss = (found.cpu_s, now), found.rss_bytes
            if before is not None and now > before[1]:
                seen.cpu = max(0.0, found.cpu_s - before[0]) / (now - before[1])

    def _estimate(self, now: float) -> None:
        from polylane.plan.estimate import time_left  # while lanes run

        insight = self._insight
        if insight is None:
            return
        # What ran is read first: a task that ends between the two has ended, and does not run.
        running = {seen.index: now - seen.started for _, seen in self._current()}
        ended = self._ended.copy()
        spare = self._slots_used < insight.slots
        self._awaited = awaited(insight.graph, ended, running) if spare else -1
        expected = insight.expected
        if not expected or Outcome.CANCELLED in ended.values():
            self._left = None
            return
        self._left = time_left(
            insight.graph,
            expected,
            slots=insight.slots,
            alone=insight.alone,
            ended=ended,
            running={i: gone for i, gone in running.items() if i not in ended},
        )


def awaited(graph: Graph, ended: Container[int], running: Container[int]) -> int:
    """The running task that most others wait for directly; -1 where none does."""
    counts = Counter(
        before
        for task in range(len(graph.tasks))
        if task not in ended and task not in running
        for before in graph.tasks_before(task)
        if before in running and before not in ended
    )
    return counts.most_common(1)[0][0] if counts else -1


def _read_last(seen: _Seen) -> None:
    from polylane.report.board_text import last_line

    with suppress(OSError), open(seen.log, "rb") as file:
        end = file.seek(0, 2)
        if end != seen.bytes:
            file.seek(max(0, end - _TAIL_BYTES))
            seen.bytes, seen.last = end, last_line(file.read())
