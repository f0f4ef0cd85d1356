"""Which order is taken, by a clock of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.plan.durations import Span, priorities
from polylane.plan.estimate import play
from polylane.plan.graph import Graph
from polylane.plan.improve import improve
from polylane.plan.schedule import Schedule
from tests.plan.examples import graph_of, graphs, task
from tests.plan.test_estimate import sure


def begin(graph: Graph, slots: int) -> Callable[[Sequence[float]], Schedule]:
    return lambda line: Schedule(graph, slots=slots, priorities=line)


def times(graph: Graph, spans: list[Span], slots: int) -> tuple[float, float]:
    """How long a run takes with the longest path first, and improved."""
    line = priorities(graph, spans)
    seconds = [span.likely for span in spans]
    make = begin(graph, slots)
    better = improve(graph, spans, line, make)
    return play(make(line), seconds), play(make(better), seconds)


#: By the times of a real workspace: lint, two chains of build and test, and short tasks.
NAMES = {
    "lint": (8.2, ()),
    "build-a": (3.6, ()),
    "test-a": (4.5, ("build-a",)),
    "build-b": (2.9, ()),
    "test-b": (1.1, ("build-b",)),
    "format": (1.1, ()),
    "audit": (0.5, ()),
    "scan": (0.4, ()),
}


def test_a_path_of_two_tasks_goes_before_a_single_one_that_is_hardly_longer() -> None:
    """By the longest path first a core is idle for two seconds at the end."""
    graph = graph_of(*(task(name, needs=needs) for name, (_, needs) in NAMES.items()))
    by_name = {name: seconds for name, (seconds, _) in NAMES.items()}
    spans = sure(*(by_name[each.id] for each in graph.tasks))
    before, after = times(graph, spans, 2)
    assert before == pytest.approx(12.1)
    assert after < 11.5


@given(data=st.data(), graph=graphs(), slots=st.integers(1, 4))
def test_no_order_is_taken_that_would_be_longer(
    data: st.DataObject, graph: Graph, slots: int
) -> None:
    """By what earlier runs took."""
    seconds = st.lists(st.floats(0.0, 20.0), min_size=len(graph.tasks), max_size=len(graph.tasks))
    before, after = times(graph, sure(*data.draw(seconds)), slots)
    assert after <= before


@pytest.mark.parametrize("why", ["an unknown task", "many tasks", "short tasks"])
def test_the_longest_path_goes_first_where_nothing_better_can_be_known(why: str) -> None:
    """The same priorities come back, and little is played."""
    count = 51 if why == "many tasks" else 3
    graph = graph_of(*(task(f"t{number}") for number in range(count)))
    spans = sure(*[0.5 if why == "short tasks" else 3.0] * count)
    if why == "an unknown task":
        spans[0] = spans[0]._replace(runs=0)
    line = priorities(graph, spans)
    assert improve(graph, spans, line, begin(graph, 2)) is line


def test_an_order_that_is_as_good_as_any_is_kept() -> None:
    """Three of three seconds on two slots: whichever goes first."""
    graph = graph_of(task("a"), task("b"), task("c"))
    spans = sure(3.0, 3.0, 3.0)
    line = priorities(graph, spans)
    assert improve(graph, spans, line, begin(graph, 2)) is line
