"""The loop of a run with a budget of memory: what waits, what is killed and goes again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from polylane.model import Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.graph import build
from polylane.plan.memory import Need
from polylane.plan.schedule import Schedule
from polylane.run.memory import Memory
from polylane.run.oom import Kills
from polylane.run.protocol import Report
from polylane.run.runner import Runner
from polylane.run.share import Share, Unshared
from tests.run.test_runner import FAIL, PASS, FakeGate, FakeObserver, FakePool, _assignment, _task

KILLED = Report("exited", 137, 9)


class World:
    """A pool in which the kernel kills, and a budget that hears of it."""

    def __init__(
        self, *, budget: int | str = 100, **script: Sequence[tuple[float, Report]]
    ) -> None:
        self.pool = FakePool(**script)
        self.observer = FakeObserver()
        self.budget = budget
        self.free: int | None = 10**12
        self.whole: int | None = 10**12
        #: When the kernel kills something.
        self.deaths: Sequence[float] = ()

    def left(self) -> int | None:
        return self.free

    def kills(self) -> int:
        return sum(when <= self.pool.now for when in self.deaths)

    def clock(self) -> float:
        return self.pool.now

    def run(
        self,
        *tasks: Task,
        slots: int = 2,
        share: Share | None = None,
        fail_fast: bool = False,
        interrupted: Callable[[], str] = lambda: "",
    ) -> dict[str, TaskResult]:
        graph = build(tasks, lambda task: (task.id,))
        needs = [Need(task.memory or 0, "as configured") for task in graph.tasks]
        machine: Any = self
        kills = Kills(lambda: None, self.kills, "/nothing/there", self.clock)
        memory = Memory(
            self.budget, needs, lambda _: 0, available=machine, kills=kills, clock=self.clock
        )
        runner = Runner(
            graph,
            Schedule(graph, slots=slots, sizes=[need.size for need in needs]),
            self.pool,
            FakeGate(),
            self.observer,
            _assignment,
            memory=memory,
            share=share,
            fail_fast=fail_fast,
            clock=self.clock,
        )
        runner.run(interrupted)
        return {result.id: result for result in runner.results.values()}


def test_what_does_not_fit_starts_when_it_fits() -> None:
    """At the end of what took its memory."""
    world = World(a=[(3.0, PASS)], b=[(1.0, PASS)])
    world.run(_task("a", memory=70), _task("b", memory=40), _task("c", memory=30))
    assert world.pool.starts == [(0.0, "a"), (0.0, "c"), (3.0, "b")]


def test_no_more_than_fit_run_at_once() -> None:
    """Three of a third each, on eight slots."""
    world = World(budget=99)
    world.run(*(_task(name, memory=33) for name in "abcdefgh"), slots=8)
    assert [when for when, _ in world.pool.starts] == [0.0] * 3 + [1.0] * 3 + [2.0] * 2


def test_memory_that_others_give_back_is_noticed() -> None:
    """It is looked at again while something waits for it."""
    world = World(budget="auto", a=[(9.0, PASS)])
    world.whole, world.free = 4000, 1900
    looked: list[int] = []

    def left() -> int:
        looked.append(1)
        return 1900 if len(looked) < 5 else 3900

    world.left = left  # type: ignore[method-assign]
    world.run(_task("a", memory=500), _task("b", memory=500))
    (_, first), (when, second) = world.pool.starts
    assert (first, second) == ("a", "b")
    assert 0.0 < when < 3.0


def test_a_task_that_fits_nowhere_runs_alone_and_says_so() -> None:
    """And what could go beside it waits."""
    world = World(a=[(3.0, PASS)])
    ended = world.run(_task("a", memory=200), _task("b", memory=10))
    assert world.pool.starts == [(0.0, "a"), (3.0, "b")]
    assert ended["a"].outcome is Outcome.PASSED
    assert ended["a"].reason.startswith("ran alone: it needs 0 MB of memory (as configured)")
    assert ended["b"].reason == ""


def test_a_failure_keeps_its_own_words() -> None:
    """That it ran alone is said elsewhere."""
    ended = World(a=[(3.0, FAIL)]).run(_task("a", memory=200))
    assert (ended["a"].outcome, ended["a"].reason) == (Outcome.FAILED, "")


def test_a_killed_task_goes_again_alone() -> None:
    """When those beside it have ended, and before all others."""
    world = World(a=[(1.0, KILLED), (2.0, PASS)], b=[(3.0, PASS)])
    world.deaths = (1001.0,)
    ended = world.run(*(_task(name) for name in "abcd"))
    assert world.pool.starts == [(0.0, "a"), (0.0, "b"), (3.0, "a"), (5.0, "c"), (5.0, "d")]
    again = ended["a"]
    assert (again.outcome, again.attempts, again.log) == (Outcome.PASSED, 2, "a.2.log")
    assert again.started_s == 3.0
    assert again.reason == "the kernel killed it for memory, so it was retried alone"
    assert world.observer.seen.count("end a passed") == 1


def test_it_keeps_no_slot_of_the_machine_while_it_waits() -> None:
    """Other runs may use it; it takes one again when it goes again."""
    world = World(a=[(1.0, KILLED), (2.0, PASS)], b=[(3.0, PASS)])
    world.deaths = (1001.0,)
    moments: list[tuple[str, int, float]] = []

    class Noted(Unshared):
        def take(self, task: int, name: str, least: int, most: int) -> int:
            moments.append(("take", task, world.clock() - 1000))
            return most

        def ended(self, task: int) -> None:
            moments.append(("free", task, world.clock() - 1000))

    world.run(_task("a"), _task("b"), share=Noted())
    assert moments == [
        ("take", 0, 0.0),
        ("take", 1, 0.0),
        ("free", 0, 1.0),
        ("free", 1, 3.0),
        ("take", 0, 3.0),
        ("free", 0, 5.0),
    ]


def test_it_goes_again_only_once() -> None:
    """A task that is too large for the machine fails."""
    world = World(a=[(1.0, KILLED)])
    world.deaths = (1001.0, 1002.0)
    ended = world.run(_task("a"))
    assert world.pool.starts == [(0.0, "a"), (1.0, "a")]
    assert (ended["a"].outcome, ended["a"].signal, ended["a"].attempts) == (Outcome.FAILED, 9, 2)
    assert ended["a"].reason == "the kernel killed it for memory, also when it ran alone"


def test_what_fails_when_it_is_alone_fails_as_usual() -> None:
    """Its exit code is shown, not the kill of before."""
    world = World(a=[(1.0, KILLED), (1.0, FAIL)])
    world.deaths = (1001.0,)
    ended = world.run(_task("a"))
    assert (ended["a"].exit_code, ended["a"].reason, ended["a"].attempts) == (1, "", 2)


def test_its_own_retries_remain() -> None:
    """The kernel's kill took none of them."""
    world = World(a=[(1.0, KILLED), (1.0, FAIL), (1.0, FAIL), (1.0, PASS)])
    world.deaths = (1001.0,)
    ended = world.run(_task("a", retries=2))
    assert (ended["a"].outcome, ended["a"].attempts) == (Outcome.PASSED, 4)


def test_a_lane_that_the_kernel_killed_is_such_an_end() -> None:
    """Its task is crashed only when that happens without a kill for memory."""
    crashed = Report("crashed", reason="its lane died")
    world = World(a=[(1.0, crashed), (1.0, PASS)])
    world.deaths = (1001.0,)
    assert world.run(_task("a"))["a"].outcome is Outcome.PASSED
    assert World(a=[(1.0, crashed)]).run(_task("a"))["a"].outcome is Outcome.CRASHED


def test_sigkill_of_somebody_else_is_a_failure() -> None:
    """The kernel's count has not moved."""
    ended = World(a=[(1.0, KILLED)]).run(_task("a"))
    assert (ended["a"].outcome, ended["a"].attempts, ended["a"].reason) == (Outcome.FAILED, 1, "")


def test_who_needs_it_waits_for_the_second_attempt() -> None:
    """The first one was no end."""
    world = World(a=[(1.0, KILLED), (2.0, PASS)])
    world.deaths = (1001.0,)
    ended = world.run(_task("a"), _task("b", "a"))
    assert world.pool.starts == [(0.0, "a"), (1.0, "a"), (3.0, "b")]
    assert ended["b"].outcome is Outcome.PASSED


def test_fail_fast_waits_for_the_second_attempt() -> None:
    """A task that will be retried has not failed."""
    world = World(a=[(1.0, KILLED), (1.0, PASS)])
    world.deaths = (1001.0,)
    ended = world.run(_task("a"), _task("b"), slots=1, fail_fast=True)
    assert {each.outcome for each in ended.values()} == {Outcome.PASSED}


@pytest.mark.parametrize("moment", ["while others run", "at once"])
def test_a_stop_cancels_the_second_attempt(moment: str) -> None:
    """It keeps the log of the first."""
    world = World(a=[(1.0, KILLED)], b=[(3.0, PASS)])
    world.deaths = (1001.0,)
    limit = 1001.0 if moment == "while others run" else 1000.0
    ended = world.run(
        _task("a"), _task("b"), interrupted=lambda: "stop" if world.pool.now >= limit else ""
    )
    assert ended["a"].outcome is Outcome.CANCELLED
    assert ended["a"].attempts == 1
    assert ended["a"].log == "a.1.log"
