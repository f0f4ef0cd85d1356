"""Elastic tasks in a schedule: how many slots each gets, and that lent slots are given back."""

from __future__ import annotations

from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.model import Task
from polylane.outcome import Outcome
from polylane.plan.graph import Graph
from polylane.plan.schedule import Schedule
from polylane.plan.width import Width
from tests.plan.examples import graph_of, graphs, task

ELASTIC = Width(elastic=True, work=30.0)


def started(schedule: Schedule) -> dict[str, int]:
    """Start all that can be; the slots of each by id."""
    found = {}
    while (index := schedule.start_next()) is not None:
        found[schedule.graph.tasks[index].id] = schedule.slots_of(index)
    return found


def of(slots: int, *widths: Width, tasks: tuple[Task, ...] = ()) -> Schedule:
    graph = graph_of(*(tasks or [task(f"t{i}") for i in range(len(widths))]))
    return Schedule(graph, slots=slots, widths=widths)


def played(schedule: Schedule, works: list[float]) -> float:
    """How long a run takes whose tasks use all that they get; a narrow one uses one slot."""
    now, ends = 0.0, list[tuple[float, int]]()
    while not schedule.done:
        while (i := schedule.start_next()) is not None:
            heappush(ends, (now + works[i] / schedule.slots_of(i), i))
        now, task_ended = heappop(ends)
        schedule.finish(task_ended, Outcome.PASSED)
    return now


@pytest.mark.parametrize("slots", [1, 2, 4, 16, 64])
def test_a_lone_elastic_task_gets_every_slot(slots: int) -> None:
    """It is told so many."""
    assert started(of(slots, ELASTIC)) == {"t0": slots}


def test_four_elastic_tasks_share() -> None:
    """Never more than there are."""
    assert started(of(4, *[ELASTIC] * 4)) == {f"t{i}": 1 for i in range(4)}
    assert started(of(16, *[ELASTIC] * 4)) == {f"t{i}": 4 for i in range(4)}
    assert started(of(2, *[ELASTIC] * 4)) == {"t0": 1, "t1": 1}
    assert sum(started(of(4, *[ELASTIC] * 3)).values()) == 4


def test_the_last_of_four_gets_what_the_others_leave() -> None:
    """When three have ended, nothing is left to share with."""
    schedule = of(2, *[ELASTIC] * 3)
    started(schedule)
    schedule.finish(0, Outcome.PASSED)
    schedule.finish(1, Outcome.PASSED)
    assert started(schedule) == {"t2": 2}


def test_an_elastic_task_waits_for_half_of_its_share() -> None:
    """It keeps what it gets to its end; those that run have little left to do."""
    narrow = [Width(work=0.3)] * 3
    tasks = (*(task(f"n{i}") for i in range(3)), task("wide", after=("n0",)))
    schedule = of(4, *narrow, ELASTIC, tasks=tasks)
    started(schedule)
    schedule.finish(0, Outcome.PASSED)
    assert started(schedule) == {"wide": 2}
    assert schedule.lack() == 0

    schedule = of(4, *narrow[:2], Width(2, work=0.3), ELASTIC, tasks=tasks)
    started(schedule)
    schedule.finish(0, Outcome.PASSED)
    assert not started(schedule)
    assert (schedule.lack(), schedule.waits) == (1, True)
    schedule.finish(1, Outcome.PASSED)
    assert started(schedule) == {"wide": 2}


def test_a_verb_that_runs_alone_gets_every_slot() -> None:
    """Elastic or not."""
    graph = graph_of(task("a", verb="lint"), task("b", verb="test"))
    schedule = Schedule(graph, slots=4, alone=frozenset({"lint"}), widths=[ELASTIC, ELASTIC])
    assert started(schedule) == {"a": 4}


def test_work_that_has_ended_counts_no_more() -> None:
    """A long task is over, and little else runs: half of the slots are worth waiting for."""
    short = Width(work=0.3)
    tasks = (
        task("long"),
        *(task(f"n{i}", after=("long",)) for i in range(4)),
        task("wide", after=("n0",)),
    )
    schedule = of(4, ELASTIC, *[short] * 4, ELASTIC, tasks=tasks)
    assert started(schedule) == {"long": 4}
    schedule.finish(0, Outcome.PASSED)
    assert len(started(schedule)) == 4
    schedule.finish(1, Outcome.PASSED)
    assert not started(schedule)
    schedule.finish(2, Outcome.PASSED)
    assert started(schedule) == {"wide": 2}


def test_a_task_that_is_put_back_gets_every_slot() -> None:
    """And the sums still hold: those that come after it share."""
    tasks = (task("t0"), task("t1"), task("t2", after=("t0",)), task("t3", after=("t0",)))
    schedule = of(4, *[ELASTIC] * 4, tasks=tasks)
    assert started(schedule) == {"t0": 2, "t1": 2}
    schedule.put_back(0)
    schedule.finish(1, Outcome.PASSED)
    assert started(schedule) == {"t0": 4}
    schedule.finish(0, Outcome.PASSED)
    assert started(schedule) == {"t2": 2, "t3": 2}


@pytest.mark.parametrize("slots", [2, 4, 16, 64])
@pytest.mark.parametrize(
    ("elastic", "narrow"),
    [([30.0] * 4, []), ([60.0], [5.0] * 3), ([30.0], [1.0] * 10), ([30.0, 30.0], [10.0] * 4)],
)
def test_a_run_of_elastic_tasks_is_nearly_as_short_as_can_be(
    slots: int, elastic: list[float], narrow: list[float]
) -> None:
    """At most half again as long as work and slots allow, if tools use all that they get."""
    works = elastic + narrow
    widths = [Width(elastic=i < len(elastic), work=work) for i, work in enumerate(works)]
    least = max(sum(works) / slots, *narrow, 0.0)
    assert played(of(slots, *widths), works) <= least * 1.5


@given(graphs(), st.lists(st.booleans(), min_size=9, max_size=9), st.integers(1, 6), st.data())
def test_slots_are_never_exceeded_and_all_tasks_end(
    graph: Graph, elastic: list[bool], slots: int, data: st.DataObject
) -> None:
    """Random graphs, widths, loans and ends."""
    widths = [Width(each.slots, elastic[i], 1.0 + i) for i, each in enumerate(graph.tasks)]
    schedule = Schedule(graph, slots=slots, widths=widths)
    while not schedule.done:
        while schedule.start_next() is not None:
            pass
        assert schedule.free + sum(map(schedule.slots_of, schedule.running)) == slots
        assert schedule.free >= 0
        assert schedule.running
        schedule.finish(data.draw(st.sampled_from(sorted(schedule.running))), Outcome.PASSED)
    assert schedule.free == slots
