"""How long a run may take, by a clock of numbers."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.outcome import Outcome
from polylane.plan.durations import Past, Span, priorities, spans
from polylane.plan.estimate import Estimate, time_left
from polylane.plan.graph import Graph, longest_paths
from polylane.plan.schedule import Schedule
from tests.plan.examples import graph_of, graphs, searched, task


def sure(*seconds: float) -> list[Span]:
    """Tasks that take exactly so long."""
    return [Span(each, each, each, 5) for each in seconds]


class Clock:
    """Plays a schedule, and can stop at any moment."""

    def __init__(self, schedule: Schedule, seconds: list[float]) -> None:
        self.schedule = schedule
        self.seconds = seconds
        self.now = 0.0
        self.started: dict[int, float] = {}
        self.ended: dict[int, Outcome] = {}
        self._ends: list[tuple[float, int]] = []

    def step(self) -> None:
        """Start what may start, and go on to the next end."""
        while (index := self.schedule.start_next()) is not None:
            self.started[index] = self.now
            heapq.heappush(self._ends, (self.now + self.seconds[index], index))
        self.now, index = heapq.heappop(self._ends)
        self.ended[index] = Outcome.PASSED
        self.schedule.finish(index, Outcome.PASSED)

    def run(self) -> None:
        while not self.schedule.done:
            self.step()

    def running(self) -> dict[int, float]:
        return {i: self.now - at for i, at in self.started.items() if i not in self.ended}


def played(graph: Graph, seconds: list[float], slots: int) -> Clock:
    line = priorities(graph, sure(*seconds))
    return Clock(Schedule(graph, slots=slots, priorities=line), seconds)


class TestOrder:
    """The schedule by measured durations, in simulation."""

    def test_the_longest_remaining_path_goes_first(self) -> None:
        """By what earlier runs measured: a long leaf before many short tasks, a chain before it."""
        tasks = [task(f"short{i}") for i in range(6)]
        tasks += [task("long"), task("first"), task("second", needs=("first",))]
        known = {f"short{i}": ("t", (1.0 + i / 10,), ()) for i in range(6)}
        known |= {
            "long": ("t", (4.0,), ()),
            "first": ("t", (1.0,), ()),
            "second": ("t", (3.5,), ()),
        }
        graph = graph_of(*tasks)
        expected = spans(graph.tasks, Past(known), parallel=True)
        clock = played(graph, [span.likely for span in expected], 2)
        clock.run()
        order = sorted(clock.started, key=lambda i: (clock.started[i], i != 7))
        assert [graph.tasks[i].id for i in order[:3]] == ["first", "long", "second"]
        assert [graph.tasks[i].id for i in order[3:]] == [f"short{i}" for i in reversed(range(6))]

    def test_it_is_shorter_than_the_reference_order(self) -> None:
        """A long task at the end of the reference order no longer ends alone."""
        graph = graph_of(*(task(f"t{i}") for i in range(9)))
        seconds = [1.0] * 8 + [8.0]
        clock = played(graph, seconds, 2)
        clock.run()
        plain = Clock(Schedule(graph, slots=2), seconds)
        plain.run()
        assert (clock.now, plain.now) == (8.0, 12.0)

    def test_a_wide_task_goes_by_its_path_too(self) -> None:
        """Where its slots are free it starts before shorter ones that are narrow."""
        graph = graph_of(
            task("a"), task("b", needs=("a",)), task("wide", slots=2, needs=("a",)), task("c")
        )
        clock = played(graph, [2.0, 1.0, 5.0, 2.0], 3)
        clock.run()
        assert clock.started == {0: 0.0, 3: 0.0, 2: 2.0, 1: 2.0}
        clock = played(graph, [2.0, 1.0, 5.0, 0.5], 2)
        clock.run()
        assert clock.started == {0: 0.0, 3: 0.0, 2: 2.0, 1: 7.0}

    @searched
    @given(graphs(), st.integers(1, 4), st.lists(st.integers(1, 9), min_size=9, max_size=9))
    def test_no_schedule_is_worse_than_grahams_bound(
        self, graph: Graph, slots: int, walls: list[int]
    ) -> None:
        """Where all are one slot wide: longest chain + work / slots; never below either."""
        narrow = graph._replace(tasks=tuple(each._replace(slots=1) for each in graph.tasks))
        seconds = [float(wall) for wall in walls[: len(narrow.tasks)]]
        clock = played(narrow, seconds, slots)
        clock.run()
        walls_of = {each.id: s for each, s in zip(narrow.tasks, seconds, strict=True)}
        chain = max(longest_paths(narrow, lambda each: walls_of[each.id]), default=0.0)
        work = sum(seconds) / slots
        assert max(chain, work) <= clock.now + 1e-9
        assert clock.now <= chain + work + 1e-9


class TestEstimate:
    """What is left of a run."""

    def test_a_whole_run_is_played(self) -> None:
        """By the slots, the edges and the verbs that run alone."""
        graph = graph_of(task("a"), task("b"), task("c", needs=("a",)), task("d", verb="docs"))
        walls = sure(3.0, 4.0, 2.0, 1.0)
        assert time_left(graph, walls, slots=1) == Estimate(10.0, 10.0, 10.0, 5)
        assert time_left(graph, walls, slots=2) == Estimate(5.0, 5.0, 5.0, 5)
        alone = frozenset({"docs"})
        assert time_left(graph, walls, slots=2, alone=alone) == Estimate(6.0, 6.0, 6.0, 5)

    def test_its_bounds_are_the_quick_and_the_slow_case(self) -> None:
        """And its runs those of the task of which the fewest are known."""
        graph = graph_of(task("a"), task("b"))
        walls = [Span(8.0, 10.0, 12.0, 5), Span(9.0, 9.0, 15.0, 2)]
        assert time_left(graph, walls, slots=1) == Estimate(17.0, 19.0, 27.0, 2)
        assert time_left(graph, walls, slots=2) == Estimate(9.0, 10.0, 15.0, 2)

    @searched
    @given(
        graphs(),
        st.integers(1, 4),
        st.lists(st.integers(1, 9), min_size=9, max_size=9),
        st.integers(0, 9),
    )
    def test_at_any_moment_it_is_what_then_is_left(
        self, graph: Graph, slots: int, walls: list[int], steps: int
    ) -> None:
        """Where every task takes what history says."""
        seconds = [float(wall) for wall in walls[: len(graph.tasks)]]
        clock = played(graph, seconds, slots)
        for _ in range(steps):
            if not clock.schedule.done:
                clock.step()
        done = dict(clock.ended)
        moment, running = clock.now, clock.running()
        clock.run()
        left = time_left(graph, sure(*seconds), slots=slots, ended=done, running=running)
        if len(done) == len(graph.tasks):
            assert left is None
        else:
            assert left is not None
            assert left.likely == pytest.approx(clock.now - moment)

    def test_what_a_failure_skips_is_not_waited_for(self) -> None:
        """Also where it needs a task that still runs."""
        graph = graph_of(
            task("a"), task("d"), task("b", needs=("a", "d")), task("c", needs=("b",)), task("e")
        )
        ended = {0: Outcome.FAILED, 2: Outcome.SKIPPED, 3: Outcome.SKIPPED}
        left = time_left(graph, sure(1, 3, 50, 50, 4), slots=1, ended=ended, running={1: 1.0})
        assert left is not None
        assert left.likely == 6.0

    def test_an_unknown_task_on_the_longest_path_allows_none(self) -> None:
        """Whatever its tool takes: nobody knows how long the run lasts."""
        graph = graph_of(task("a"), task("b", needs=("a",)), task("c"))
        unknown = Span(2.0, 2.0, 2.0, 0)
        walls = [*sure(3.0), unknown, *sure(4.0)]
        assert time_left(graph, walls, slots=2) is None
        assert time_left(graph, walls, slots=2, ended={0: Outcome.PASSED, 1: Outcome.PASSED})
        walls = [*sure(3.0), unknown, *sure(6.0)]
        assert time_left(graph, walls, slots=2) == Estimate(6.0, 6.0, 6.0, 5)

    def test_an_unknown_task_beside_it_may_take_its_time(self) -> None:
        """As long as it cannot make the run twice as long."""
        graph = graph_of(task("a"), task("b"))
        for high, supported in ((20.0, True), (21.0, False)):
            walls = [*sure(10.0), Span(0.0, 1.0, high, 0)]
            assert (time_left(graph, walls, slots=2) is not None) is supported

    @pytest.mark.parametrize(
        ("span", "supported"),
        [
            (Span(10.0, 15.0, 20.0, 5), True),
            (Span(10.0, 11.0, 21.0, 5), False),
            (Span(0.1, 0.5, 1.0, 5), True),
            (Span(0.1, 0.5, 1.2, 5), False),
        ],
    )
    def test_too_wide_a_spread_allows_none(self, *, span: Span, supported: bool) -> None:
        """It is right within a factor of two, or within a second, or not said."""
        assert (time_left(graph_of(task("a")), [span], slots=1) is not None) is supported

    def test_a_task_that_outlasts_its_history_is_unknown(self) -> None:
        """While it is on the longest path nothing can be said."""
        graph = graph_of(task("a"), task("b"))
        walls = [Span(4.0, 5.0, 6.0, 5), *sure(30.0)]
        for gone, likely in ((4.5, 25.5), (6.0, 24.0), (9.0, 21.0)):
            left = time_left(graph, walls, slots=2, running={0: gone, 1: gone})
            assert left is not None
            assert left.likely == likely
        assert time_left(graph_of(task("a")), walls[:1], slots=1, running={0: 6.1}) is None

    def test_of_nothing_there_is_none(self) -> None:
        """Neither of an empty run nor of a finished one."""
        assert time_left(graph_of(), [], slots=1) is None
        done = {0: Outcome.PASSED}
        assert time_left(graph_of(task("a")), sure(1.0), slots=1, ended=done) is None
