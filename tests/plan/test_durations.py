"""What tasks may take, by what earlier runs took."""

from __future__ import annotations

import pytest

from polylane.plan.durations import UNKNOWN_S, Past, Span, Walls, priorities, spans
from tests.plan.examples import graph_of, task


def past(**walls: tuple[str, Walls, Walls]) -> Past:
    return Past(walls)


def span_of(name: str, known: Past, *, parallel: bool = True, tool: str = "t") -> Span:
    return spans([task(name, tool=tool)], known, parallel=parallel)[0]


@pytest.mark.parametrize(
    ("walls", "expected"),
    [
        ((4.0,), Span(3.0, 4.0, 6.0, 1)),
        ((4.0, 2.0), Span(2.0, 3.0, 4.0, 2)),
        ((9.0, 1.0, 2.0), Span(1.0, 2.0, 9.0, 3)),
        ((1.0, 2.0, 90.0, 3.0), Span(2.0, 2.5, 3.0, 4)),
        ((3.0, 90.0, 1.0, 2.0, 4.0), Span(2.0, 3.0, 4.0, 5)),
    ],
)
def test_the_median_is_likely_and_the_quartiles_bound_it(walls: Walls, expected: Span) -> None:
    """One slow run among five moves neither; a single one is taken to spread as much as usual."""
    assert span_of("a", past(a=("t", walls, ()))) == expected


def test_runs_of_the_same_kind_count_first() -> None:
    """Beside others a task takes longer; the other kind is better than nothing."""
    known = past(a=("t", (4.0, 4.0), (2.0, 2.0)), b=("t", (), (2.0, 2.0)), c=("t", (4.0, 4.0), ()))
    assert [span_of(name, known).likely for name in "abc"] == [4.0, 2.0, 4.0]
    assert [span_of(name, known, parallel=False).likely for name in "abc"] == [2.0, 2.0, 4.0]


def test_an_unknown_task_takes_what_its_tool_takes() -> None:
    """The median over the tool's other tasks, selected or not, between the least and the most."""
    one, three, nine = (("ruff", (s, s), ()) for s in (1.0, 3.0, 9.0))
    known = past(a=one, b=three, c=nine, d=("mypy", (50.0, 50.0), ()), e=("ruff", (), ()))
    assert span_of("new", known, tool="ruff") == Span(1.0, 3.0, 9.0, 0)
    assert span_of("e", known, tool="ruff") == Span(1.0, 3.0, 9.0, 0)


def test_of_an_unknown_tool_nothing_is_known() -> None:
    """A second, or nothing, or as long as the longest that is selected."""
    assert span_of("new", Past()) == Span(0.0, UNKNOWN_S, UNKNOWN_S, 0)
    known = past(a=("ruff", (8.0, 8.0), ()))
    both = spans([task("a", tool="ruff"), task("new", tool="own")], known, parallel=True)
    assert both == [Span(8.0, 8.0, 8.0, 2), Span(0.0, UNKNOWN_S, 8.0, 0)]


def test_a_priority_is_the_longest_time_to_the_end() -> None:
    """A task's own likely time and that of the longest chain that waits for it."""
    graph = graph_of(task("a"), task("b", needs=("a",)), task("c", needs=("a",)), task("d"))
    expected = [Span(0.0, float(seconds), 99.0, 1) for seconds in (1, 2, 5, 4)]
    assert priorities(graph, expected) == [6.0, 2.0, 5.0, 4.0]
