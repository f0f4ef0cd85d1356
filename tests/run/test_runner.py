"""The loop of a run: with a pool whose outcomes come from a script, and a clock that it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.graph import build
from polylane.plan.schedule import Schedule
from polylane.run.protocol import Assignment, Report
from polylane.run.runner import Runner, judge
from polylane.run.share import Share

PASS = Report("exited", 0)
FAIL = Report("exited", 1)


def _task(name: str, *needs: str, **changes: object) -> Task:
    task = Task(name, "all", "root", "", name, (name,), ".", Claim(), needs=needs)
    return task._replace(**changes)  # type: ignore[arg-type]


class FakePool:
    """Tasks last as the script says, by the fake clock; a cancelled one ends at once."""

    def __init__(self, **script: Sequence[tuple[float, Report]]) -> None:
        self.now = 1000.0
        self.timeouts: list[float | None] = []
        self.cancels: list[bool] = []
        #: ``(time, id)`` of each start.
        self.starts: list[tuple[float, str]] = []
        self._script = {name: list(ends) for name, ends in script.items()}
        self._running: dict[int, tuple[float, Report]] = {}

    def assign(self, task: int, assignment: Assignment) -> None:
        ends = self._script.get(assignment.id, [(1.0, PASS)])
        duration, report = ends.pop(0) if len(ends) > 1 else ends[0]
        self.starts.append((self.now - 1000.0, assignment.id))
        self._running[task] = (self.now + duration, replace_wall(report, duration))

    def wait(self, timeout: float | None) -> list[tuple[int, Report]]:
        self.timeouts.append(timeout)
        first = min((end for end, _ in self._running.values()), default=None)
        if timeout is not None and (first is None or self.now + timeout < first):
            self.now += timeout
            return []
        assert first is not None, "would wait for ever"
        self.now = max(self.now, first)
        ended = [(task, rep) for task, (end, rep) in self._running.items() if end <= self.now]
        for task, _ in ended:
            del self._running[task]
        return ended

    def cancel(self, *, kill: bool = False) -> None:
        self.cancels.append(kill)
        for task in self._running:
            self._running[task] = (self.now, Report("cancelled", 143, 15))

    def suspend(self) -> None:
        raise AssertionError

    def resume(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


def replace_wall(report: Report, wall_s: float) -> Report:
    return report._replace(wall_s=wall_s)


class FakeObserver:
    """Keeps what it saw."""

    def __init__(self, period: float | None = None) -> None:
        self.period = period
        self.seen: list[str] = []
        self.ticks = 0

    def started(self, task: Task, log: str) -> None:
        self.seen.append(f"start {task.id} {log}")

    def finished(self, task: Task, result: TaskResult) -> None:
        self.seen.append(f"end {task.id} {result.outcome.value}")

    def tick(self) -> None:
        self.ticks += 1


class FakeGate:
    """Lets tasks start as the function says."""

    def __init__(self, may_start: Callable[[int], bool] = lambda _: True) -> None:
        self.may_start = may_start


def _assignment(task: Task, attempt: int) -> Assignment:
    log = f"/logs/{task.id}.{attempt}.log"
    return Assignment(
        id=task.id,
        argv=task.argv,
        shell=False,
        cwd="/",
        env=(),
        log=log,
        timeout=task.timeout,
        grace=2.0,
        leave=task.leave,
    )


def _run(
    tasks: Sequence[Task],
    pool: FakePool,
    *,
    slots: int = 1,
    gate: FakeGate | None = None,
    observer: FakeObserver | None = None,
    share: Share | None = None,
    fail_fast: bool = False,
    interrupted: Callable[[], str] = lambda: "",
    meanwhile: Iterable[object] = (),
) -> dict[str, TaskResult]:
    graph = build(tasks, lambda task: (task.id,))
    runner = Runner(
        graph,
        Schedule(graph, slots=slots),
        pool,
        gate or FakeGate(),
        observer or FakeObserver(),
        _assignment,
        share=share,
        fail_fast=fail_fast,
        meanwhile=meanwhile,
        clock=lambda: pool.now,
    )
    runner.run(interrupted)
    return {result.id: result for result in runner.results.values()}


class TestOrder:
    """What starts when."""

    def test_one_slot_is_the_reference_order(self) -> None:
        """One after the other."""
        pool = FakePool()
        _run([_task("c"), _task("a"), _task("b")], pool)
        assert pool.starts == [(0.0, "a"), (1.0, "b"), (2.0, "c")]

    def test_slots_run_side_by_side(self) -> None:
        """A slot that is free takes the next task at once."""
        pool = FakePool(a=[(3.0, PASS)])
        _run([_task("a"), _task("b"), _task("c")], pool, slots=2)
        assert pool.starts == [(0.0, "a"), (0.0, "b"), (1.0, "c")]

    def test_who_needs_waits(self) -> None:
        """And the result says for whom."""
        pool = FakePool(a=[(3.0, PASS)])
        ended = _run([_task("a"), _task("b", "a")], pool, slots=2)
        assert pool.starts == [(0.0, "a"), (3.0, "b")]
        assert (ended["b"].waited_for, ended["a"].waited_for) == (("a",), ())

    def test_no_tasks(self) -> None:
        """Nothing to do ends at once."""
        assert _run([], FakePool()) == {}


class TestResults:
    """What a report becomes."""

    def test_figures_are_kept(self) -> None:
        """Times count from the run's start."""
        report = Report("exited", 3, None, "", 0.0, 0.5, 7, 8, 9, ("sleep 1",))
        ended = _run([_task("a"), _task("b")], FakePool(b=[(2.0, report)]))
        assert ended["b"] == TaskResult(
            id="b",
            outcome=Outcome.FAILED,
            exit_code=3,
            started_s=1.0,
            wall_s=2.0,
            cpu_s=0.5,
            max_rss_bytes=7,
            read_bytes=8,
            write_bytes=9,
            log="b.1.log",
            attempts=1,
            reported_s=3.0,
            leftovers=("sleep 1",),
        )
        assert ended["a"].reported_s is None

    @pytest.mark.parametrize(
        ("report", "outcome", "reason"),
        [
            (Report("exited", 0), Outcome.PASSED, ""),
            (Report("exited", 4), Outcome.PASSED, ""),
            (Report("exited", 1), Outcome.FAILED, ""),
            (Report("exited", 5), Outcome.SKIPPED, "no tests"),
            (Report("exited", 143, 15), Outcome.FAILED, ""),
            (Report("exited", 132, 4), Outcome.FAILED, ""),
            (Report("not-started", 127, None, "no such"), Outcome.FAILED, "no such"),
            (Report("crashed", reason="died"), Outcome.CRASHED, "died"),
            (Report("timed-out", 0, None, "no end"), Outcome.TIMED_OUT, "no end"),
            (Report("cancelled", 0), Outcome.CANCELLED, "why"),
        ],
    )
    def test_outcomes(self, report: Report, outcome: Outcome, reason: str) -> None:
        """An exit code counts only where the task ended by itself, and by no signal."""
        task = _task("a", ok_codes=(0, 4, 132), skip_codes=((5, "no tests"),))
        assert judge(task, report, "why") == (outcome, reason)

    def test_who_needs_a_failure_is_skipped(self) -> None:
        """With what needs it in turn; others run."""
        observer = FakeObserver()
        tasks = [_task("a"), _task("b", "a"), _task("c", "b"), _task("d")]
        ended = _run(tasks, FakePool(a=[(1.0, FAIL)]), observer=observer)
        assert {name: result.outcome.value for name, result in ended.items()} == {
            "a": "failed",
            "b": "skipped",
            "c": "skipped",
            "d": "passed",
        }
        assert ended["c"].reason == "needs a, which failed"
        assert observer.seen == [
            "start a /logs/a.1.log",
            "end a failed",
            "end b skipped",
            "end c skipped",
            "start d /logs/d.1.log",
            "end d passed",
        ]


class TestRetries:
    """A failure may be tried again."""

    def test_until_it_passes(self) -> None:
        """Each attempt has its log; the last one counts; the slot stays taken."""
        pool = FakePool(a=[(1.0, FAIL), (1.0, FAIL), (2.0, PASS)])
        ended = _run([_task("a", retries=3), _task("b")], pool)
        assert pool.starts == [(0.0, "a"), (1.0, "a"), (2.0, "a"), (4.0, "b")]
        assert ended["a"].outcome is Outcome.PASSED
        assert (ended["a"].attempts, ended["a"].log, ended["a"].wall_s) == (3, "a.3.log", 2.0)

    def test_not_more_often_than_said(self) -> None:
        """One retry is two attempts."""
        ended = _run([_task("a", retries=1)], FakePool(a=[(1.0, FAIL)]))
        assert (ended["a"].outcome, ended["a"].attempts) == (Outcome.FAILED, 2)

    @pytest.mark.parametrize("kind", ["timed-out", "crashed"])
    def test_only_of_failures(self, kind: str) -> None:
        """What had no end or lost its lane is not tried again."""
        ended = _run([_task("a", retries=3)], FakePool(a=[(1.0, Report(kind))]))
        assert ended["a"].attempts == 1

    def test_not_when_the_run_ends(self) -> None:
        """A failure beside the one that ended the run stays one."""
        pool = FakePool(a=[(1.0, FAIL)], b=[(1.0, FAIL)])
        tasks = [_task("a"), _task("b", retries=3)]
        ended = _run(tasks, pool, slots=2, fail_fast=True)
        assert (ended["b"].outcome, ended["b"].attempts) == (Outcome.FAILED, 1)


class TestStopping:
    """Ends before the end."""

    def test_fail_fast_cancels_the_rest(self) -> None:
        """What runs is ended, what waits never starts; each says because of what."""
        pool = FakePool(a=[(1.0, FAIL)], b=[(9.0, PASS)])
        ended = _run([_task("a"), _task("b"), _task("c")], pool, slots=2, fail_fast=True)
        reason = "--fail-fast, because a failed"
        assert [(ended[n].outcome.value, ended[n].reason) for n in "abc"] == [
            ("failed", ""),
            ("cancelled", reason),
            ("cancelled", reason),
        ]
        assert (pool.cancels, pool.starts[-1]) == ([False], (0.0, "b"))
        assert ended["c"].started_s is None

    def test_without_it_all_run(self) -> None:
        """Failures are collected."""
        pool = FakePool(a=[(1.0, FAIL)])
        ended = _run([_task("a"), _task("b")], pool)
        assert (ended["b"].outcome, pool.cancels) == (Outcome.PASSED, [])

    def test_a_second_failure_does_not_cancel_again(self) -> None:
        """The first one is the reason."""
        pool = FakePool(a=[(1.0, FAIL)], b=[(1.0, FAIL)])
        _run([_task("a"), _task("b")], pool, slots=2, fail_fast=True)
        assert pool.cancels == [False]

    def test_an_interruption_cancels_and_a_second_one_kills(self) -> None:
        """The reasons come from signals."""
        pool = FakePool(a=[(9.0, PASS)])
        reasons = iter(["interrupted by SIGINT", "interrupted by SIGINT"])
        running = FakeObserver(period=1.0)
        slow: list[bool] = []

        def cancel(*, kill: bool = False) -> None:
            slow.append(kill)
            if kill:
                FakePool.cancel(pool, kill=kill)

        pool.cancel = cancel  # type: ignore[method-assign]
        ended = _run(
            [_task("a"), _task("b")], pool, observer=running, interrupted=lambda: next(reasons, "")
        )
        assert slow == [False, True]
        assert [ended[n].reason for n in "ab"] == ["interrupted by SIGINT"] * 2
        assert [ended[n].outcome for n in "ab"] == [Outcome.CANCELLED] * 2

    def test_what_had_ended_is_kept(self) -> None:
        """An end that was on its way counts as it was."""
        pool = FakePool()
        reasons = iter(["interrupted by SIGTERM"])
        ended = _run([_task("a"), _task("b")], pool, interrupted=lambda: next(reasons, ""))
        assert [ended[n].outcome.value for n in "ab"] == ["passed", "cancelled"]


class TestPace:
    """When the loop looks again."""

    def test_the_observer_gets_its_ticks(self) -> None:
        """Each of its periods."""
        observer = FakeObserver(period=0.5)
        pool = FakePool(a=[(2.0, PASS)])
        _run([_task("a")], pool, observer=observer)
        assert set(pool.timeouts) == {0.5}
        assert observer.ticks == len(pool.timeouts) == 4

    def test_without_a_period_it_only_waits_for_ends(self) -> None:
        """An idle run costs nothing."""
        pool = FakePool(a=[(2.0, PASS)])
        _run([_task("a")], pool)
        assert pool.timeouts == [None]

    def test_load_holds_back_and_is_looked_at_again(self) -> None:
        """One may always run; the second one starts when the load is gone."""
        pool = FakePool(a=[(9.0, PASS)])
        gate = FakeGate(lambda running: running == 0 or pool.now >= 1002.0)
        _run([_task("a"), _task("b")], pool, slots=2, gate=gate)
        assert pool.starts[0] == (0.0, "a")
        assert pool.starts[1][0] == pytest.approx(2.0, abs=0.21)

    def test_a_period_below_the_retry_counts(self) -> None:
        """The shorter of the two."""
        pool = FakePool(a=[(1.0, PASS)])
        gate = FakeGate(lambda running: running == 0)
        _run([_task("a"), _task("b")], pool, slots=2, gate=gate, observer=FakeObserver(period=0.1))
        assert pool.timeouts[0] == 0.1

    def test_a_graph_that_cannot_go_on_is_our_fault(self) -> None:
        """Rather a defect that is told than a run that hangs."""
        pool = FakePool()
        graph = build([_task("a")], lambda task: (task.id,))
        schedule = Schedule(graph, slots=1)
        schedule.start_next()
        schedule.running.clear()
        runner = Runner(
            graph, schedule, pool, FakeGate(), FakeObserver(), _assignment, clock=lambda: pool.now
        )
        schedule.free = 1
        with pytest.raises(AssertionError, match="BUG: nothing runs"):
            runner.run(lambda: "")
