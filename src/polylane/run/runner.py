"""The loop that joins schedule, slots and pool: starts what may start, records what has ended.

Knows nothing of how tasks run, of terminals or of files; the observer and the pool do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from polylane.model import Task
from polylane.outcome import BAD, Outcome, TaskResult
from polylane.plan.graph import Graph
from polylane.plan.schedule import Dropped, Schedule
from polylane.run.memory import Plenty
from polylane.run.pool import Pool
from polylane.run.protocol import Assignment, Report
from polylane.run.share import POLL_S, Share, Unshared

if TYPE_CHECKING:
    from polylane.run.inner import Inner
    from polylane.run.tracing.touches import Touches

#: Seconds without the end of a task, once one has ended, after which something else is done.
_PATIENCE_S = 0.005

#: How soon a start that the load held back is tried again.
_RETRY_S = 0.2


class Observer(Protocol):
    """Sees a run go by."""

    #: Seconds between two calls of `tick`; None where it needs none.
    period: float | None

    def started(self, task: Task, log: str) -> None:
        """A task started, for the first time or again."""

    def finished(self, task: Task, result: TaskResult) -> None:
        """A task ended, or will not run."""

    def tick(self) -> None:
        """Some time has passed."""


class Gate(Protocol):
    """Says whether one more task may start now."""

    def may_start(self, running: int) -> bool:
        """Whether one more may start beside ``running`` others."""


class Budget(Protocol):
    """Says which task fits into what is left of memory, and which one memory ended."""

    #: Whether a task has been held back since the last one started or ended.
    held_back: bool

    def fits(self, task: int) -> bool:
        """Whether a task may start beside those that run."""

    def started(self, task: int) -> None:
        """A task starts, for the first time or again."""

    def ended(self, task: int, report: Report, *, failed: bool) -> str:
        """It has ended; how memory ended it, in words, or nothing."""

    def said(self, task: int) -> str:
        """What else is to be said of a task that passed."""


class Runner:
    """One execution of a graph."""

    def __init__(
        self,
        graph: Graph,
        schedule: Schedule,
        pool: Pool,
        gate: Gate,
        observer: Observer,
        assignment: Callable[[Task, int], Assignment],
        *,
        memory: Budget | None = None,
        inner: Inner | None = None,
        share: Share | None = None,
        fail_fast: bool = False,
        explain: Callable[[Task, Report], tuple[str, ...]] = lambda _, report: report.refused,
        touched: Callable[[str, Touches], None] | None = None,
        meanwhile: Iterable[object] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``assignment`` makes the order for a task's attempt, counted from 1.

        ``explain`` says in words what a task was refused to write, or wrote unclaimed.
        ``inner``: tells tools their width, and lends them free slots. ``share``: what this run may
        use of a machine that others use too.
        ``touched`` is told what each attempt at a traced task touched, by the task's id.
        ``meanwhile`` is gone through, a step whenever no task has just ended; in part, where all
        tasks are short.
        """
        self._graph = graph
        self._schedule = schedule
        self._pool = pool
        self._gate = gate
        self._memory = memory or Plenty()
        self._inner = inner
        self._share = share or Unshared()
        self._observer = observer
        self._assignment = assignment
        self._fail_fast = fail_fast
        self._explain = explain
        self._touched = touched
        self._meanwhile = iter(meanwhile)
        self._nothing_meanwhile = not meanwhile
        self._clock = clock
        self._zero = clock()
        self._started: dict[int, float] = {}
        self._attempts: dict[int, int] = {}
        #: Those that memory ended, which run once more, alone.
        self._once_more: set[int] = set()
        self._logs: dict[int, str] = {}
        self._stopping = ""
        #: What a start waits for, in words.
        self.waits_for = ""
        self.results: dict[int, TaskResult] = {}

    def run(self, interrupted: Callable[[], str]) -> None:
        """Run until every task has ended; ``interrupted`` says why to stop, once there is a reason.

        A first reason cancels what runs; a further one kills it.
        """
        while not self._schedule.done:
            held_back = self._start_all()
            if not self._schedule.running and not held_back and not self._schedule.done:
                raise AssertionError("BUG: nothing runs, nothing can start, and tasks are left")
            for task, report in self._wait(held_back=held_back):
                self._ended(task, report)
            reason = interrupted()
            if reason:
                self._stop(reason, kill=bool(self._stopping))
            self._observer.tick()

    def _wait(self, *, held_back: bool) -> list[tuple[int, Report]]:
        if self._nothing_meanwhile:
            return self._pool.wait(self._timeout(held_back=held_back))
        ended = self._pool.wait(_PATIENCE_S if self.results else 0)
        if not ended:
            self._nothing_meanwhile = next(self._meanwhile, self) is self
        return ended

    def _timeout(self, *, held_back: bool) -> float | None:
        period = self._observer.period
        if held_back:
            retry = POLL_S if self._share.waits else _RETRY_S
            return retry if period is None else min(retry, period)
        return period

    def _start_all(self) -> bool:
        """Start what fits, with slots that were lent if need be; lend what is left."""
        self._share.look()
        held_back = self._start_some()
        if self._inner is not None:
            while self._inner.take_back():
                held_back = self._start_some()
            if not held_back and not self._stopping:
                self._inner.lend()
        self._share.settle()
        return held_back

    def _start_some(self) -> bool:
        """Start what fits; returns whether load, memory or other runs held something back."""
        self.waits_for = ""
        while self._schedule.free > 0:
            if not self._gate.may_start(len(self._schedule.running)):
                self.waits_for = "a lower load"
                return True
            task = self._schedule.start_next(self._fits)
            if task is None:
                memory, others = self._memory.held_back, self._share.waits
                self.waits_for = "memory" if memory else "other runs" if others else ""
                return memory or others
            self._started[task] = self._now()
            self._attempt(task)
        return False

    def _fits(self, index: int) -> bool:
        """Whether there is memory for a ready task, and then a slot of the machine: it has that."""
        if not self._memory.fits(index):
            return False
        least, most = self._schedule.wanted(index)
        got = self._share.take(index, self._graph.tasks[index].id, least, most)
        if 0 < got < most:
            self._schedule.narrow(index, got)
        return got > 0

    def _attempt(self, index: int) -> None:
        task = self._graph.tasks[index]
        self._memory.started(index)
        self._attempts[index] = self._attempts.get(index, 0) + 1
        assignment = self._assignment(task, self._attempts[index])
        if self._inner is not None:
            assignment = self._inner.widened(index, assignment)
        self._logs[index] = assignment.log.rpartition("/")[2]
        self._observer.started(task, assignment.log)
        self._pool.assign(index, assignment)

    def _ended(self, index: int, report: Report) -> None:
        task = self._graph.tasks[index]
        if self._inner is not None:
            self._inner.ended(index)
        if report.touches is not None:
            self._tell(task, report.touches)
        outcome, reason = judge(task, report, self._stopping)
        killed = self._memory.ended(index, report, failed=outcome in BAD)
        if not self._stopping and self._goes_again(index, outcome, killed):
            return
        if outcome is Outcome.PASSED:
            reason = self._memory.said(index)
        self._share.ended(index)
        self._record(index, outcome, killed or reason, report)
        self._drop(self._schedule.finish(index, outcome))
        if outcome in BAD and self._fail_fast and not self._stopping:
            self._stop(f"--fail-fast, because {task.id} {outcome.value.replace('-', ' ')}")

    def _goes_again(self, index: int, outcome: Outcome, killed: str) -> bool:
        if killed and index not in self._once_more:
            self._once_more.add(index)
            self._share.ended(index)
            self._schedule.put_back(index)
            return True
        tries = self._attempts[index] - (index in self._once_more)
        if outcome is Outcome.FAILED and tries <= self._graph.tasks[index].retries:
            self._attempt(index)
            return True
        return False

    def _tell(self, task: Task, touches: tuple[Any, ...]) -> None:
        from polylane.run.tracing.touches import Touches

        if self._touched is not None:
            self._touched(task.id, Touches(*touches))

    def _stop(self, reason: str, *, kill: bool = False) -> None:
        self._stopping = self._stopping or reason
        self._drop(self._schedule.stop(reason))
        self._pool.cancel(kill=kill)

    def _drop(self, dropped: list[Dropped]) -> None:
        for index, outcome, reason in dropped:
            task = self._graph.tasks[index]
            log, attempts = self._logs.get(index, ""), self._attempts.get(index, 0)
            self.results[index] = TaskResult(
                task.id, outcome, reason=reason, log=log, attempts=attempts
            )
            self._observer.finished(task, self.results[index])

    def _record(self, index: int, outcome: Outcome, reason: str, report: Report) -> None:
        task = self._graph.tasks[index]
        released_by = self._schedule.released_by.get(index)
        result = TaskResult(
            id=task.id,
            outcome=outcome,
            exit_code=report.exit_code,
            signal=report.signal,
            reason=reason,
            started_s=self._started[index],
            wall_s=report.wall_s,
            cpu_s=report.cpu_s,
            max_rss_bytes=report.max_rss_bytes,
            read_bytes=report.read_bytes,
            write_bytes=report.write_bytes,
            log=self._logs[index],
            attempts=self._attempts[index],
            reported_s=self._now() if outcome in BAD else None,
            leftovers=report.leftovers,
            refused=self._explain(task, report) if report.refused or report.unclaimed else (),
            waited_for=() if released_by is None else (self._graph.tasks[released_by].id,),
        )
        self.results[index] = result
        self._observer.finished(task, result)

    def _now(self) -> float:
        return self._clock() - self._zero


def judge(task: Task, report: Report, stopping: str) -> tuple[Outcome, str]:
    """Say what a report means for its task, and why where that is not plain."""
    if report.kind in _OUTCOMES:
        reason = stopping if report.kind == "cancelled" else report.reason
        return _OUTCOMES[report.kind], reason
    if report.unclaimed:
        return Outcome.FAILED, "it wrote what it does not claim"
    if report.exit_code in task.ok_codes and report.signal is None:
        return Outcome.PASSED, ""
    skip = dict(task.skip_codes).get(report.exit_code if report.exit_code is not None else -1)
    if skip is not None:
        return Outcome.SKIPPED, skip
    return Outcome.FAILED, ""


#: What kinds of report mean that say it without the exit code.
_OUTCOMES = {
    "timed-out": Outcome.TIMED_OUT,
    "cancelled": Outcome.CANCELLED,
    "crashed": Outcome.CRASHED,
    "not-started": Outcome.FAILED,
}
