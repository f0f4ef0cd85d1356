"""The state of a run, driven by hand: no process, no clock."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.outcome import Outcome
from polylane.plan.graph import Graph, longest_paths
from polylane.plan.schedule import Schedule
from tests.plan.examples import conflict, graph_of, graphs, searched, task

FAILS = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CRASHED)


def test_a_task_can_be_made_narrower_before_it_starts() -> None:
    """The machine may have fewer slots left than the run."""
    schedule = Schedule(graph_of(task("a", slots=3), task("b")), slots=4)
    assert schedule.wanted(0) == (3, 3)
    schedule.narrow(0, 1)
    assert (schedule.start_next(), schedule.slots_of(0), schedule.free) == (0, 1, 3)
    schedule.finish(0, Outcome.PASSED)
    assert schedule.free == 4


class Driver:
    """Runs a graph: of the running tasks ``choices`` says which ends next."""

    def __init__(self, schedule: Schedule, outcomes: list[Outcome], choices: list[int]) -> None:
        self.schedule = schedule
        self.started: list[int] = []
        self.ended: dict[int, Outcome] = {}
        self.reasons: dict[int, str] = {}
        #: For each task those that ran at some moment together with it.
        self.beside: dict[int, set[int]] = {}
        self._outcomes = outcomes
        self._choices = choices

    def run(self) -> None:
        for step in range(len(self.schedule.graph.tasks) + 1):
            if self.schedule.done:
                return
            self.start_all()
            running = sorted(self.schedule.running)
            assert running, "nothing runs, and tasks are left"
            self.finish(running[self._choices[step % len(self._choices)] % len(running)])
        assert self.schedule.done

    def start_all(self) -> None:
        while (index := self.schedule.start_next()) is not None:
            assert index not in self.ended
            self.started.append(index)
            self.beside[index] = self.schedule.running - {index}
            assert sum(self._weight(i) for i in self.schedule.running) <= self.schedule.slots

    def finish(self, index: int) -> None:
        outcome = self._outcomes[index % len(self._outcomes)]
        self.ended[index] = outcome
        for dropped, its_outcome, reason in self.schedule.finish(index, outcome):
            assert dropped not in self.ended
            self.ended[dropped] = its_outcome
            self.reasons[dropped] = reason

    def _weight(self, index: int) -> int:
        return min(self.schedule.graph.tasks[index].slots, self.schedule.slots)


outcomes = st.lists(
    st.sampled_from((Outcome.PASSED, Outcome.PASSED, Outcome.PASSED, Outcome.SKIPPED, *FAILS)),
    min_size=1,
    max_size=9,
)
choices = st.lists(st.integers(0, 8), min_size=1, max_size=9)


@searched
@given(graphs(), st.integers(1, 4), outcomes, choices)
def test_two_conflicting_tasks_never_run_at_once_and_keep_their_order(
    graph: Graph, slots: int, outcomes: list[Outcome], choices: list[int]
) -> None:
    """Whatever fails, and in whichever order tasks end, conflicting ones run in reference order."""
    priorities = longest_paths(graph, lambda task: float(len(task.needs)))
    driver = Driver(Schedule(graph, slots=slots, priorities=priorities), outcomes, choices)
    driver.run()
    for first, second in combinations(range(len(graph.tasks)), 2):
        if conflict(graph.tasks[first].claim, graph.tasks[second].claim):
            ran = [i for i in driver.started if i in (first, second)]
            assert ran == sorted(ran)
            assert first not in driver.beside.get(second, ())


@searched
@given(graphs(), outcomes)
def test_one_slot_gives_the_reference_order(graph: Graph, outcomes: list[Outcome]) -> None:
    """Sequential is one slot: what runs, runs in reference order."""
    driver = Driver(Schedule(graph, slots=1), outcomes, [0])
    driver.run()
    assert driver.started == sorted(driver.started)
    assert sorted(driver.ended) == list(range(len(graph.tasks)))


@searched
@given(graphs(), st.integers(2, 4), outcomes, choices)
def test_any_number_of_slots_gives_the_same_outcomes(
    graph: Graph, slots: int, outcomes: list[Outcome], choices: list[int]
) -> None:
    """What a task's own outcome would be decides alone, never what runs beside it."""
    sequential = Driver(Schedule(graph, slots=1), outcomes, [0])
    priorities = longest_paths(graph, lambda task: float(len(task.id)))
    parallel = Driver(Schedule(graph, slots=slots, priorities=priorities), outcomes, choices)
    sequential.run()
    parallel.run()
    assert parallel.ended == sequential.ended


@searched
@given(graphs(), st.integers(1, 4), st.integers(0, 9), choices)
def test_after_a_stop_every_task_has_one_end(
    graph: Graph, slots: int, after: int, choices: list[int]
) -> None:
    """Stopped at any moment, nothing more starts, and what runs may still end."""
    schedule = Schedule(graph, slots=slots)
    driver = Driver(schedule, [Outcome.PASSED], choices)
    for step in range(after):
        driver.start_all()
        if schedule.done:
            break
        running = sorted(schedule.running)
        driver.finish(running[choices[step % len(choices)] % len(running)])
    driver.start_all()
    stopped = [index for index, _, _ in schedule.stop("because")]
    assert not set(stopped) & (schedule.running | set(driver.ended))
    for index in sorted(schedule.running):
        assert schedule.start_next() is None
        assert not schedule.finish(index, Outcome.CANCELLED)
        stopped.append(index)
    assert schedule.done
    assert sorted([*stopped, *driver.ended]) == list(range(len(graph.tasks)))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.FAILED, "failed"),
        (Outcome.TIMED_OUT, "timed out"),
        (Outcome.CRASHED, "crashed"),
        (Outcome.CANCELLED, "was cancelled"),
    ],
)
def test_a_failure_skips_all_that_need_it_near_and_far(outcome: Outcome, words: str) -> None:
    """Each names the task that failed; one that merely comes after it runs."""
    schedule = Schedule(
        graph_of(
            task("build"),
            task("test", needs=("build",)),
            task("docs", needs=("test",)),
            task("lint", after=("build",)),
        ),
        slots=1,
    )
    assert schedule.start_next() == 0
    reason = f"needs build, which {words}"
    assert schedule.finish(0, outcome) == [
        (1, Outcome.SKIPPED, reason),
        (2, Outcome.SKIPPED, reason),
    ]
    assert schedule.start_next() == 3
    assert schedule.finish(3, Outcome.PASSED) == []
    assert schedule.done


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.SKIPPED, Outcome.CACHED])
def test_what_ends_rightly_lets_its_users_run(outcome: Outcome) -> None:
    """A task that had nothing to do is as good as one that passed."""
    schedule = Schedule(graph_of(task("build"), task("test", needs=("build",))), slots=1)
    assert schedule.start_next() == 0
    assert schedule.start_next() is None
    assert schedule.finish(0, outcome) == []
    assert schedule.start_next() == 1


def test_a_skipped_task_still_stands_between_those_that_it_orders() -> None:
    """Two writers, ordered only through a third that is skipped, don't run at once."""
    schedule = Schedule(
        graph_of(
            task("fails"),
            task("first", writes=["dist"]),
            task("skipped", writes=["dist"], needs=("fails",)),
            task("last", writes=["dist"]),
        ),
        slots=4,
    )
    assert [schedule.start_next(), schedule.start_next()] == [0, 1]
    assert [index for index, _, _ in schedule.finish(0, Outcome.FAILED)] == [2]
    assert schedule.start_next() is None
    schedule.finish(1, Outcome.PASSED)
    assert schedule.start_next() == 3
    assert schedule.released_by == {3: 1}


def test_a_task_is_skipped_once_for_its_first_failure() -> None:
    """Of two needs that fail, the first to fail is named, and the second drops nothing."""
    schedule = Schedule(
        graph_of(task("a"), task("b"), task("c", needs=("a", "b"))),
        slots=2,
    )
    schedule.start_next(), schedule.start_next()
    assert schedule.finish(1, Outcome.FAILED) == [(2, Outcome.SKIPPED, "needs b, which failed")]
    assert schedule.finish(0, Outcome.FAILED) == []
    assert schedule.done
    assert schedule.start_next() is None


def test_slots_bound_what_runs_at_once() -> None:
    """Free tasks start up to the number of slots; an end frees one."""
    schedule = Schedule(graph_of(task("a"), task("b"), task("c")), slots=2)
    assert schedule.free == 2
    assert [schedule.start_next() for _ in range(3)] == [0, 1, None]
    assert schedule.free == 0
    schedule.finish(0, Outcome.PASSED)
    assert schedule.free == 1
    assert schedule.running == {1}
    assert schedule.start_next() == 2


def test_a_wide_task_takes_its_slots_and_lets_narrow_ones_pass() -> None:
    """Two slots of three are taken: a task of two waits, one of one does not."""
    schedule = Schedule(
        graph_of(task("a", slots=2), task("b", slots=2), task("c", slots=1)), slots=3
    )
    assert [schedule.start_next() for _ in range(3)] == [0, 2, None]
    schedule.finish(2, Outcome.PASSED)
    assert schedule.start_next() is None
    schedule.finish(0, Outcome.PASSED)
    assert schedule.start_next() == 1
    assert schedule.free == 1


def test_a_task_wider_than_the_run_takes_all_of_it() -> None:
    """``slots = 8`` with two slots runs alone, rather than never."""
    schedule = Schedule(graph_of(task("a"), task("b", slots=8), task("c")), slots=2)
    assert [schedule.start_next(), schedule.start_next()] == [0, 2]
    schedule.finish(0, Outcome.PASSED)
    schedule.finish(2, Outcome.PASSED)
    assert schedule.start_next() == 1
    assert schedule.free == 0


def test_tasks_of_a_verb_that_is_not_rolled_out_run_alone() -> None:
    """An ``alone`` verb takes all slots, other verbs share them."""
    schedule = Schedule(
        graph_of(task("a", verb="lint"), task("b", verb="test"), task("c", verb="lint")),
        slots=3,
        alone=frozenset({"test"}),
    )
    assert [schedule.start_next() for _ in range(3)] == [0, 2, None]
    schedule.finish(0, Outcome.PASSED)
    assert schedule.start_next() is None
    schedule.finish(2, Outcome.PASSED)
    assert [schedule.start_next(), schedule.start_next()] == [1, None]


def test_a_larger_priority_goes_first_and_equals_keep_the_reference_order() -> None:
    """Priorities decide among ready tasks, whatever their width; then the reference order does."""
    schedule = Schedule(
        graph_of(task("a"), task("b", slots=2), task("c"), task("d")),
        slots=9,
        priorities=[1.0, 2.0, 3.0, 1.0],
    )
    assert [schedule.start_next() for _ in range(5)] == [2, 1, 0, 3, None]


def test_the_task_whose_end_made_another_ready_is_known() -> None:
    """The last of several, also through a join; a task that waited for none is not listed."""
    schedule = Schedule(
        graph_of(
            task("a", writes=["d/a"]),
            task("b", writes=["d/b"]),
            task("c", reads=["d"]),
        ),
        slots=2,
    )
    schedule.start_next(), schedule.start_next()
    schedule.finish(1, Outcome.PASSED)
    assert schedule.start_next() is None
    schedule.finish(0, Outcome.PASSED)
    assert schedule.released_by == {2: 0}


def test_a_stop_cancels_what_waits_and_says_why() -> None:
    """What runs is left to end; what was ready or waiting is cancelled, once."""
    schedule = Schedule(graph_of(task("a"), task("b"), task("c", needs=("a",)), task("d")), slots=1)
    assert schedule.start_next() == 0
    assert schedule.stop("interrupted") == [
        (1, Outcome.CANCELLED, "interrupted"),
        (2, Outcome.CANCELLED, "interrupted"),
        (3, Outcome.CANCELLED, "interrupted"),
    ]
    assert schedule.stop("again") == []
    assert schedule.start_next() is None
    assert not schedule.done
    assert schedule.finish(0, Outcome.PASSED) == []
    assert schedule.start_next() is None
    assert schedule.done


def test_an_empty_graph_is_done() -> None:
    """Nothing to do is done at once."""
    schedule = Schedule(graph_of(), slots=2)
    assert schedule.done
    assert schedule.start_next() is None
