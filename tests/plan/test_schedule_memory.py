"""The state of a run whose tasks may not fit: who goes first, who waits, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from polylane.outcome import Outcome
from polylane.plan.graph import Graph
from polylane.plan.schedule import Schedule, _size_class
from tests.plan.examples import graph_of, graphs, searched, task


class Run:
    """Plays a schedule with so much memory; one task fits always, as in a run."""

    def __init__(self, graph: Graph, sizes: Sequence[int], *, slots: int, memory: int) -> None:
        line = [float(-i) for i in range(len(graph.before))]
        self.schedule = Schedule(graph, slots=slots, priorities=line, sizes=sizes)
        self.sizes = sizes
        self.memory = memory
        self.started: list[int] = []

    def fits(self, index: int) -> bool:
        running = self.schedule.running
        return not running or self.used() + self.sizes[index] <= self.memory

    def used(self) -> int:
        return sum(self.sizes[i] for i in self.schedule.running)

    def start(self) -> list[int]:
        """Start what may start; returns that."""
        new = []
        while (index := self.schedule.start_next(self.fits)) is not None:
            new.append(index)
            assert self.used() <= self.memory or self.schedule.running == {index}
        self.started += new
        return new

    def end(self, index: int) -> list[int]:
        self.schedule.finish(index, Outcome.PASSED)
        return self.start()


def unrelated(count: int) -> Graph:
    return graph_of(*(task(f"t{i:02}") for i in range(count)))


def test_what_does_not_fit_waits_and_others_go() -> None:
    """In the order of their priorities."""
    run = Run(unrelated(4), [2, 2, 1, 1], slots=4, memory=3)
    assert run.start() == [0, 2]
    assert run.end(0) == [1]
    assert run.end(2) == [3]


def test_three_of_one_gigabyte_fit_into_three() -> None:
    """And never a fourth."""
    run = Run(unrelated(8), [1_000_000_000] * 8, slots=8, memory=3_000_000_000)
    assert run.start() == [0, 1, 2]
    assert [run.end(i) for i in range(8)] == [[3], [4], [5], [6], [7], [], [], []]


def test_what_is_overtaken_too_often_is_next() -> None:
    """Small tasks cannot starve a large one: twice as many as there are slots go before it."""
    run = Run(unrelated(20), [1, 10, *[1] * 18], slots=2, memory=10)
    assert run.start() == [0, 2]
    for running in (0, 2, 3):
        assert run.end(running) == [max(run.started)] != []
    assert run.end(4) == []
    assert run.end(5) == [1]


def test_what_has_had_its_turn_is_forgotten() -> None:
    """After the large one the small ones go on."""
    run = Run(unrelated(9), [10, *[1] * 8], slots=2, memory=10)
    assert run.start() == [0]
    assert run.end(0) == [1, 2]


def test_without_a_measure_everything_fits() -> None:
    """Sizes alone hold nothing back."""
    schedule = Schedule(unrelated(2), slots=2, sizes=[10**12, 10**12])
    assert [schedule.start_next(), schedule.start_next()] == [0, 1]


def test_what_is_put_back_goes_next_and_alone() -> None:
    """Before all others, when those that run have ended; and nothing starts beside it."""
    run = Run(unrelated(5), [1] * 5, slots=3, memory=9)
    assert run.start() == [0, 1, 2]
    run.schedule.put_back(1)
    assert run.start() == []
    assert run.end(0) == []
    assert run.end(2) == [1]
    assert run.end(1) == [3, 4]


def test_several_that_were_put_back_go_one_after_the_other() -> None:
    """The first one first."""
    run = Run(unrelated(3), [1] * 3, slots=3, memory=9)
    run.start()
    run.schedule.put_back(2)
    run.schedule.put_back(0)
    assert run.end(1) == [2]
    assert run.end(2) == [0]
    assert run.end(0) == []
    assert run.schedule.done
    assert run.schedule.free == 3


def test_what_waits_for_one_that_was_put_back_still_waits() -> None:
    """It has not ended."""
    graph = graph_of(task("a"), task("b", needs=("a",)))
    run = Run(graph, [1, 1], slots=2, memory=9)
    assert run.start() == [0]
    run.schedule.put_back(0)
    assert run.start() == [0]
    assert run.end(0) == [1]


def test_a_stop_cancels_what_was_put_back() -> None:
    """It runs no more."""
    run = Run(unrelated(2), [1, 1], slots=2, memory=9)
    run.start()
    run.schedule.put_back(0)
    assert run.schedule.stop("because") == [(0, Outcome.CANCELLED, "because")]
    run.schedule.finish(1, Outcome.PASSED)
    assert run.schedule.done
    assert run.start() == []


@searched
@given(
    graphs(),
    st.lists(st.integers(0, 12), min_size=9, max_size=9),
    st.integers(1, 4),
    st.integers(0, 12),
    st.lists(st.integers(0, 8), min_size=1, max_size=9),
    st.sets(st.integers(0, 8)),
)
def test_every_task_runs_whatever_the_memory(
    graph: Graph, sizes: list[int], slots: int, memory: int, choices: list[int], killed: set[int]
) -> None:
    """And never more at once than fit, whichever ends next, and whichever runs twice."""
    run = Run(graph, sizes, slots=slots, memory=memory)
    again = killed & set(range(len(graph.tasks)))
    for step in range(2 * len(graph.tasks) + 1):
        run.start()
        if run.schedule.done:
            break
        running = sorted(run.schedule.running)
        assert running, "nothing runs, and tasks are left"
        each = running[choices[step % len(choices)] % len(running)]
        if each in again:
            again.discard(each)
            run.schedule.put_back(each)
        else:
            run.schedule.finish(each, Outcome.PASSED)
    assert run.schedule.done
    assert sorted(set(run.started)) == list(range(len(graph.tasks)))
    assert run.schedule.free == slots


def test_sizes_of_one_class_are_close() -> None:
    """A large task hides only tasks that are hardly smaller."""
    sizes = sorted({int(1.01**i) for i in range(3000)})
    for smaller, larger in pairwise(sizes):
        assert _size_class(smaller) <= _size_class(larger)
    classes: dict[int, list[int]] = {}
    for size in sizes:
        classes.setdefault(_size_class(size), []).append(size)
    assert all(max(each) < 1.25 * min(each) + 1 for each in classes.values())
    assert _size_class(0) == 0
