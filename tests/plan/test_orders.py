"""Legal orders that run every unordered pair both ways round and side by side."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.model import Claim, Task
from polylane.outcome import Outcome
from polylane.plan.graph import Graph, build
from polylane.plan.orders import Batch, Coverage, in_batches, next_round
from polylane.plan.schedule import Schedule

FILES = tuple("abcdef")


def graph(*claims: Claim, slots: int = 1) -> Graph:
    """A graph of tasks with these claims, in this order."""
    tasks = [
        Task(f"v:p:{i:02}", "v", "p", "", f"{i:02}", ("x",), ".", claim, slots=slots)
        for i, claim in enumerate(claims)
    ]
    return build(tasks, lambda task: (task.id,))


def spans(batches: list[Batch]) -> dict[int, tuple[float, float]]:
    """When tasks run, where each batch takes a second."""
    return {task: (i, i + 1.0) for i, batch in enumerate(batches) for task in batch}


def claims() -> st.SearchStrategy[list[Claim]]:
    """Of 1 to 12 tasks over a few files."""
    some = st.lists(st.sampled_from(FILES), max_size=2).map(tuple)
    return st.lists(st.builds(Claim, reads=some, writes=some), min_size=1, max_size=12)


def test_pairs_that_edges_order_are_none_to_cover() -> None:
    """Neither directly nor through others."""
    chain = graph(Claim(writes=("a",)), Claim(reads=("a",), writes=("b",)), Claim(reads=("b",)))
    assert Coverage(chain).pairs == frozenset()
    assert Coverage(chain).complete


def test_a_round_is_recorded_by_when_tasks_ran() -> None:
    """Reversed: the later one ended first; overlapped: both ran at some time."""
    coverage = Coverage(graph(Claim(), Claim(), Claim()))
    coverage.record({0: (2.0, 4.0), 1: (0.0, 2.0), 2: (3.0, 5.0)})
    assert coverage.reversed == {(0, 1)}
    assert coverage.overlapped == {(0, 2)}
    assert str(coverage) == "reversed 1/3, overlapped 1/3"


def test_a_task_that_did_not_run_covers_nothing() -> None:
    """It was skipped, or cancelled."""
    coverage = Coverage(graph(Claim(), Claim()))
    coverage.record({0: (0.0, 1.0)})
    assert not coverage.reversed
    assert not coverage.overlapped


@given(claims(), st.integers(1, 4), st.integers())
def test_a_round_is_a_legal_order_of_all_tasks(touched: list[Claim], slots: int, seed: int) -> None:
    """Each once, after all that come before it, no more at once than there are slots."""
    made = graph(*touched)
    batches = next_round(made, Coverage(made), slots, Random(seed))
    assert sorted(task for batch in batches for task in batch) == list(range(len(touched)))
    assert max(map(len, batches)) <= slots
    placed: set[int] = set()
    for batch in batches:
        assert all(set(made.tasks_before(task)) <= placed for task in batch)
        placed.update(batch)


@given(claims(), st.integers(2, 4), st.integers())
def test_rounds_cover_every_pair_in_time(touched: list[Claim], slots: int, seed: int) -> None:
    """Both ways round and side by side, in at most a few rounds more than there are tasks."""
    made = graph(*touched)
    coverage, random = Coverage(made), Random(seed)
    for _ in range(2 * len(touched) + 2):
        coverage.record(spans(next_round(made, coverage, slots, random)))
    assert coverage.complete, str(coverage)


def test_a_wide_task_takes_its_slots_in_a_batch() -> None:
    """Two of two slots each are not run at once in three."""
    made = graph(Claim(), Claim(), slots=2)
    assert [len(batch) for batch in next_round(made, Coverage(made), 3, Random(1))] == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_a_schedule_runs_the_batches_as_they_are(seed: int) -> None:
    """Also through joins: a batch starts when the one before it has ended, and not earlier."""
    writers = [Claim(writes=(f"f{i}",)) for i in range(4)]
    readers = [Claim(reads=("f0", "f1", "f2", "f3"), writes=(f"g{i}",)) for i in range(4)]
    made = graph(*writers, *readers)
    batches = next_round(made, Coverage(made), 2, Random(seed))
    schedule = Schedule(in_batches(made, batches), slots=2)
    ran = []
    while not schedule.done:
        batch = set()
        while (task := schedule.start_next()) is not None:
            batch.add(task)
        ran.append(batch)
        for task in batch:
            schedule.finish(task, Outcome.PASSED)
    assert ran == [set(batch) for batch in batches]


def test_tasks_that_only_touch_in_time_were_not_at_once() -> None:
    """One ended when the other started, in either order."""
    coverage = Coverage(graph(Claim(), Claim(), Claim()))
    coverage.record({0: (1.0, 2.0), 1: (2.0, 3.0), 2: (0.0, 1.0)})
    assert coverage.reversed == {(0, 2), (1, 2)}
    assert not coverage.overlapped


@pytest.mark.parametrize("seed", range(3))
def test_one_slot_turns_the_order_round(seed: int) -> None:
    """As far as it may: the last goes first, and what must go before it."""
    free = [Claim(), Claim(writes=("a",)), Claim(), Claim(reads=("a",))]
    made = graph(*free)
    assert next_round(made, Coverage(made), 1, Random(seed)) == [(1,), (3,), (2,), (0,)]


@given(claims(), st.integers(1, 4), st.integers())
def test_the_graph_of_a_round_has_an_order(touched: list[Claim], slots: int, seed: int) -> None:
    """Of every vertex, joins too, each once and behind all that come before it."""
    made = graph(*touched)
    changed = in_batches(made, next_round(made, Coverage(made), slots, Random(seed)))
    place = {vertex: i for i, vertex in enumerate(changed.order)}
    assert sorted(changed.order) == list(range(len(changed.before)))
    for vertex, before in enumerate(changed.before):
        assert all(place[earlier] < place[vertex] for earlier in before)


def test_a_task_wider_than_the_slots_has_them_all() -> None:
    """It runs alone, where it could never fit."""
    made = graph(Claim(), Claim(), slots=5)
    assert [len(batch) for batch in next_round(made, Coverage(made), 3, Random(1))] == [1, 1]


def test_a_round_after_all_is_covered_fills_its_slots() -> None:
    """What is left to find may show under load only."""
    made = graph(*[Claim()] * 6)
    coverage = Coverage(made)
    coverage.reversed = coverage.overlapped = set(coverage.pairs)
    assert [len(batch) for batch in next_round(made, coverage, 3, Random(1))] == [3, 3]


def test_few_rounds_cover_long_chains() -> None:
    """Each batch has what the ones before it could not bring together."""
    made = graph(*[Claim(writes=(FILES[i % 3],)) for i in range(9)])
    coverage, random = Coverage(made), Random(1)
    for _ in made.tasks:
        coverage.record(spans(next_round(made, coverage, 3, random)))
    assert coverage.complete, str(coverage)
