"""The reference order, needs, cycles and longest paths."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.errors import UserError
from polylane.model import Task
from polylane.plan.graph import Graph, build, longest_paths
from tests.plan.examples import ancestors, graph_of, graphs, searched, task


def _by_id(task: Task) -> tuple[object, ...]:
    return (task.id,)


def _order(*tasks: Task) -> list[str]:
    return [each.id for each in build(tasks, _by_id).tasks]


def test_tasks_stand_in_the_order_of_their_keys() -> None:
    """Whatever order they come in."""
    assert _order(task("c"), task("a"), task("b")) == ["a", "b", "c"]


def test_equal_keys_are_told_apart_by_id() -> None:
    """The reference order is total."""
    tasks = [task("b"), task("c"), task("a")]
    assert [each.id for each in build(tasks, lambda _: (1,)).tasks] == ["a", "b", "c"]


def test_a_task_moves_behind_what_it_needs_and_no_further() -> None:
    """Needs win over the key; what does not need it is not held up."""
    assert _order(task("a", needs=("c",)), task("b"), task("c"), task("d")) == ["b", "c", "a", "d"]


def test_a_task_moves_behind_what_it_comes_after() -> None:
    """``after`` counts like a need, where it is selected."""
    assert _order(task("a", after=("b", "gone")), task("b")) == ["b", "a"]


def test_an_after_that_would_close_a_cycle_yields_alone() -> None:
    """The cycle is broken at its first task by key, once nothing else can go on."""
    tasks = [
        task("a", after=("b",)),
        task("b", needs=("c",)),
        task("c", after=("a",)),
        task("x", after=("y",)),
        task("y"),
        task("z", after=("a",)),
    ]
    graph = build(tasks, _by_id)
    assert [each.id for each in graph.tasks] == ["y", "x", "a", "c", "b", "z"]
    assert graph.before == ((), (0,), (), (2,), (3,), (2,))


def test_a_task_behind_a_cycle_of_afters_is_still_behind_it() -> None:
    """Only a pair of the cycle yields, not one that merely waits for the cycle."""
    tasks = [task("a", after=("b",)), task("b", after=("c",)), task("c", after=("b",))]
    assert _order(*tasks) == ["b", "a", "c"]


def test_keys_and_not_ids_decide_which_after_yields() -> None:
    """Of the tasks of a cycle, and of several cycles."""
    tasks = [task("b", after=("a",)), task("a", after=("b",))]
    place = {"b": 0, "a": 1}
    assert [each.id for each in build(tasks, lambda each: (place[each.id],)).tasks] == ["b", "a"]
    tasks += [task("d", after=("c", "a")), task("c", after=("d",), needs=("b",))]
    place = {"d": 0, "c": 1, "b": 2, "a": 3}
    ordered = build(tasks, lambda each: (place[each.id],)).tasks
    assert [each.id for each in ordered] == ["b", "a", "d", "c"]


def test_of_two_cycles_the_one_with_the_first_task_by_key_is_broken_first() -> None:
    """Its tasks then come before those of the other."""
    pairs = {"x": "y", "y": "x", "p": "q", "q": "p"}
    place = {name: i for i, name in enumerate(pairs)}
    tasks = [task(name, after=(other,)) for name, other in pairs.items()]
    ordered = build(tasks, lambda each: (place[each.id],)).tasks
    assert [each.id for each in ordered] == ["x", "y", "p", "q"]


def test_several_cycles_of_afters_all_yield() -> None:
    """Each is broken by itself."""
    tasks = [
        task("a", after=("b", "d")),
        task("b", after=("a",)),
        task("c", after=("d",)),
        task("d", after=("c",)),
        task("e", after=("e",)),
    ]
    assert _order(*tasks) == ["c", "d", "a", "b", "e"]


@pytest.mark.parametrize(
    ("tasks", "cycle"),
    [
        ([task("a", needs=("b",)), task("b", needs=("a",))], "a -> b -> a"),
        ([task("a", needs=("a",))], "a -> a"),
        (
            [task("a", needs=("b",)), task("b", needs=("c",)), task("c", needs=("b",)), task("d")],
            "b -> c -> b",
        ),
        (
            [
                task("a", needs=("b",), after=("b",)),
                task("b", needs=("c",), after=("a",)),
                task("c", needs=("a",)),
            ],
            "a -> b -> c -> a",
        ),
    ],
)
def test_a_cycle_of_needs_is_named(tasks: list[Task], cycle: str) -> None:
    """One line names its tasks in turn, and how to mend it."""
    with pytest.raises(UserError) as caught:
        build(tasks, _by_id)
    assert str(caught.value) == (
        f"tasks need each other in a cycle: {cycle}; remove one of these needs"
    )


def test_needs_are_edges_and_are_told_from_those_that_only_order() -> None:
    """``needs`` holds what a failure skips, ``before`` everything that comes first."""
    graph = graph_of(
        task("a"),
        task("b", needs=("a", "a")),
        task("c", after=("a",), writes=["x"]),
        task("d", reads=["x"], needs=("b",)),
    )
    assert graph.needs == ((), (0,), (), (1,))
    assert graph.before == ((), (0,), (0,), (1, 2))
    assert graph.edges() == 4
    assert graph.order == (0, 1, 2, 3)
    assert graph.roots() == 1


def test_a_need_that_is_not_among_the_tasks_is_the_callers_fault() -> None:
    """A selection brings all needs along."""
    with pytest.raises(KeyError):
        graph_of(task("a", needs=("gone",)))


@searched
@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_discovery(
    graph: Graph, shuffler: Random
) -> None:
    """The same tasks give the same graph, however they are handed over."""
    tasks = list(graph.tasks)
    place = {each.id: i for i, each in enumerate(tasks)}
    shuffler.shuffle(tasks)
    assert build(tasks, lambda each: (place[each.id],)) == graph


@searched
@given(graphs())
def test_needs_and_afters_lead_forward(graph: Graph) -> None:
    """Each comes before its user by an edge path, and tasks are numbered in that order."""
    before = ancestors(graph)
    index = {each.id: i for i, each in enumerate(graph.tasks)}
    for each in graph.tasks:
        for earlier in (*each.needs, *each.after):
            assert index[earlier] in before[index[each.id]]
            assert index[earlier] < index[each.id]


def test_the_tasks_before_a_task_are_seen_through_joins() -> None:
    """A join stands for its tasks, each listed once, in reference order."""
    graph = graph_of(
        task("w0", writes=["d/0"]),
        task("w1", writes=["d/1"]),
        task("r", reads=["d"], needs=("w0",)),
        task("s", reads=["d"]),
    )
    assert len(graph.before) == 5
    assert graph.tasks_before(2) == [0, 1]
    assert graph.tasks_before(3) == [0, 1]
    assert graph.tasks_before(0) == []
    assert graph.roots() == 2


def test_longest_paths_run_to_the_end_of_all_that_follows() -> None:
    """Of several followers the longest counts; a join takes no time."""
    seconds = {"w0": 1.0, "w1": 5.0, "r": 2.0, "s": 3.0, "alone": 9.0}
    graph = graph_of(
        task("w0", writes=["d/0"]),
        task("w1", writes=["d/1"]),
        task("r", reads=["d"]),
        task("s", reads=["d"]),
        task("alone"),
    )
    paths = longest_paths(graph, lambda each: seconds[each.id])
    assert paths[:5] == [4.0, 8.0, 2.0, 3.0, 9.0]


def test_an_empty_graph_has_nothing_in_it() -> None:
    """No tasks, no edges, no paths."""
    graph = graph_of()
    assert (graph.tasks, graph.order, graph.edges()) == ((), (), 0)
    assert longest_paths(graph, lambda _: 1.0) == []
