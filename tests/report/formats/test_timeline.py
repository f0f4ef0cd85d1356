"""When what ran."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.report.formats import timeline
from tests.report.formats.made import task

_SPANS = st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 10)), max_size=30)


@given(_SPANS)
def test_no_two_bars_of_a_row_overlap(spans: list[tuple[float, float]]) -> None:
    """And there are as many rows as tasks ran at the same time."""
    bars = timeline.bars([task(f"a:b:{i}", *span) for i, span in enumerate(spans)])
    assert len(bars) == len(spans)
    for row in {bar.row for bar in bars}:
        own = sorted((bar.start, bar.end) for bar in bars if bar.row == row)
        assert all(one[1] <= other[0] for one, other in pairwise(own))
    rows = {bar.row for bar in bars}
    assert rows == set(range(len(rows)))
    most = max((sum(b.start <= at.start < b.end for b in bars) for at in bars), default=0)
    assert len(rows) == max(most, bool(bars))


def test_the_longest_chain_that_waited_is_found() -> None:
    """In its order; tasks that never started are in none."""
    tasks = [
        task("a:x:1", 0, 2),
        task("a:y:1", 0, 5),
        task("b:x:1", 2, 4, waited_for=["a:x:1"]),
        task("c:x:1", None, waited_for=["b:x:1"]),
    ]
    assert timeline.chain(tasks) == (6, ["a:x:1", "b:x:1"])
    assert timeline.chain([]) == (0.0, [])


def test_what_was_used_is_summed_over_time() -> None:
    """CPU by each task's average, memory by each one's peak, which may be unknown."""
    tasks = [
        task("a:x:1", 0, 4, cpu_s=8, max_rss_bytes=10),
        task("a:y:1", 2, 4, cpu_s=2, max_rss_bytes=None),
        task("a:z:1", 2, 0, cpu_s=1),
    ]
    used = timeline.curves(tasks)
    assert used.moments == [0, 2, 4, 6]
    assert used.running == [1, 2, 1, 0]
    assert used.cpu == [2, 2.5, 0.5, 0]
    assert used.memory == [10, 10, 0, 0]


@pytest.mark.parametrize(
    ("whole", "ticks"),
    [
        (0, [0]),
        (0.004, [0, 0.001, 0.002, 0.003, 0.004]),
        (10, [0, 2, 4, 6, 8, 10]),
        (90, [0, 20, 40, 60, 80]),
        (3600, [0, 500, 1000, 1500, 2000, 2500, 3000, 3500]),
    ],
)
def test_the_axis_has_round_numbers(whole: float, ticks: list[float]) -> None:
    """At most eight steps of 1, 2 or 5 times a power of ten."""
    assert timeline.ticks(whole) == ticks
