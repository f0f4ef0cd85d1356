"""Who conflicts with whom: random claims against a planner that tries every path."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given

from polylane.model import Claim, Task
from polylane.plan.claims import Conflicts
from tests.plan.examples import (
    ancestors,
    claims,
    conflict,
    graph_of,
    numbered,
    searched,
    task,
)


@searched
@given(claims())
def test_a_path_of_edges_leads_from_the_first_to_the_second_of_each_conflicting_pair(
    said: list[Claim],
) -> None:
    """Whatever the claims, two that share a path or a lock are ordered, in reference order."""
    graph = graph_of(*numbered(said))
    before = ancestors(graph)
    for first, second in combinations(range(len(said)), 2):
        if conflict(said[first], said[second]):
            assert first in before[second]


@searched
@given(claims())
def test_edges_only_lead_forward(said: list[Claim]) -> None:
    """Every vertex stands in the order behind all that it comes after: there is no cycle."""
    conflicts = Conflicts(said)
    place = {vertex: i for i, vertex in enumerate(conflicts.order)}
    assert sorted(place) == list(range(len(conflicts.before)))
    for vertex, before in enumerate(conflicts.before):
        assert len(before) == len(set(before))
        assert all(place[earlier] < place[vertex] for earlier in before)
    tasks = [vertex for vertex in conflicts.order if vertex < len(said)]
    assert tasks == list(range(len(said)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Claim(reads=("a",)), Claim(reads=("a",))),
        (Claim(reads=("**",)), Claim(reads=("**",))),
        (Claim(writes=("a",)), Claim(writes=("b",))),
        (Claim(writes=("a/x",)), Claim(reads=("a/y",))),
        (Claim(writes=("a/x/y",)), Claim(reads=("a/*",))),
        (Claim(writes=("*.py",)), Claim(writes=("*.ts",))),
        (Claim(locks=("x",)), Claim(locks=("y",))),
        (Claim(reads=("**",), writes=("**",)), Claim(locks=("x",))),
        (Claim(reads=("a", "!a/dist")), Claim(writes=("a/dist",))),
        (Claim(writes=("a", "!b")), Claim(reads=("?b",))),
        (Claim(reads=("a", "!**/*.pyc")), Claim(writes=("a/b/*.pyc",))),
        (Claim(writes=("a", "!a/dist")), Claim(reads=("a/dist/x",))),
        (Claim(caches=("a",)), Claim(caches=("a",), reads=("a",))),
        (Claim(writes=("a",)), Claim(caches=("a",))),
        (Claim(), Claim(writes=("**",))),
        (Claim(reads=("x/lock",)), Claim(locks=("lock",))),
    ],
)
def test_what_does_not_conflict_is_not_ordered(first: Claim, second: Claim) -> None:
    """Readers, strangers, excluded names, caches and other locks run side by side."""
    assert Conflicts([first, second]).before == [[], []]
    assert Conflicts([second, first]).before == [[], []]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Claim(writes=("a",)), Claim(reads=("a",))),
        (Claim(writes=("a",)), Claim(writes=("a",))),
        (Claim(writes=("a/dist",)), Claim(reads=("a/*",))),
        (Claim(writes=("a/x",)), Claim(writes=("a",))),
        (Claim(writes=("**/*.py",)), Claim(reads=("src",))),
        (Claim(writes=("*/dist",)), Claim(reads=("a/**/x",))),
        (Claim(locks=("x",)), Claim(locks=("x",))),
        (Claim(reads=("!a", "a")), Claim(writes=("a/x",))),
        (Claim(reads=("a", "!a/b")), Claim(writes=("a",))),
        (Claim(reads=("a", "!a/b", "a/b/c")), Claim(writes=("a/b/c/d",))),
    ],
)
def test_what_conflicts_is_ordered_directly(first: Claim, second: Claim) -> None:
    """A pair that shares a path which one of them writes, or a lock, gets one edge."""
    assert Conflicts([first, second]).before == [[], [0]]
    assert Conflicts([second, first]).before == [[], [0]]


def test_two_projects_that_only_a_barrier_separates_run_side_by_side_around_it() -> None:
    """A task that writes everything comes after all before it and before all behind it."""
    graph = graph_of(
        task("a1", reads=["a/**"], writes=["a/**"]),
        task("b1", reads=["b/**"], writes=["b/**"]),
        task("root", reads=["**"], writes=["**"]),
        task("a2", reads=["a/**"], writes=["a/**"]),
        task("b2", reads=["b/**"], writes=["b/**"]),
    )
    assert [graph.tasks_before(i) for i in range(5)] == [[], [], [0, 1], [2], [2]]


def test_readers_between_two_writers_run_side_by_side() -> None:
    """Readers come after the writer before them, the next writer after all of them."""
    graph = graph_of(
        task("w1", writes=["dist"]),
        task("r1", reads=["dist/a"]),
        task("r2", reads=["dist"]),
        task("w2", writes=["dist"]),
        task("r3", reads=["dist/b"]),
    )
    assert [graph.tasks_before(i) for i in range(5)] == [[], [0], [0], [0, 1, 2], [3]]


def test_readers_and_writers_in_turn_wait_for_each_other() -> None:
    """Round after round, whether a writer writes all that is read, or a part of it."""
    for written in ("dist", "dist/a"):
        graph = graph_of(
            *(
                task(f"r{i}", reads=["dist"]) if i % 2 else task(f"w{i}", writes=[written])
                for i in range(8)
            )
        )
        assert [graph.tasks_before(i)[-1:] for i in range(1, 8)] == [[i] for i in range(7)]


def test_a_reader_of_two_writers_regions_waits_for_both() -> None:
    """Writers of different files of one folder don't wait for each other; its reader does."""
    graph = graph_of(
        task("w1", writes=["dist/a"]), task("w2", writes=["dist/b"]), task("r", reads=["dist"])
    )
    assert [graph.tasks_before(i) for i in range(3)] == [[], [], [0, 1]]


def _project_tasks(number: int, shape: str) -> Iterator[Task]:
    tree = f"packages/p{number}"
    for verb in ("format", "build", "lint", "test"):
        reads, writes = {
            "own": ([f"{tree}/**"], [f"{tree}/**"] if verb == "format" else [f"{tree}/{verb}"]),
            "readers": ([tree, "pyproject.toml"], ["coverage"] if verb == "test" else []),
            "root reader": (["**"], [f"{tree}/{verb}"]),
            "listings": ([f"{tree}/*", "packages/*"], [f"{tree}/{verb}"]),
            "chain": ([tree, f"packages/p{number - 1}"], [f"{tree}/dist"]),
            "globs": ([tree, "**/*.toml"], [f"{tree}/*.{verb}"]),
        }[shape]
        yield task(f"{verb}:{number}", reads=reads, writes=writes)


@pytest.mark.parametrize("shape", ["own", "readers", "root reader", "listings", "chain", "globs"])
def test_edges_grow_with_tasks_and_not_with_pairs(shape: str) -> None:
    """In the shapes of real workspaces each task costs a few edges, however many there are."""
    few, many = (
        graph_of(*(each for i in range(projects) for each in _project_tasks(i, shape))).edges()
        for projects in (40, 400)
    )
    assert many <= 11 * few
    assert many <= 10 * 4 * 400


def test_tasks_that_write_in_every_folder_meet_each_reader_once() -> None:
    """Formatters of the whole workspace cost one edge for each reader, not one for each pair."""
    tasks = [task(f"lint:{i}", reads=[f"p{i}/**"]) for i in range(200)]
    tasks += [task(f"format:{i}", writes=["**/*.py"]) for i in range(20)]
    assert graph_of(*tasks).edges() <= 200 + 20


def test_what_was_written_whole_is_forgotten() -> None:
    """The last writer stands for all before it, of a lock or of what it holds."""
    tasks = [task("first", reads=["a/*.py"])]
    tasks += [task(f"w{i}", writes=["a"], locks=["x"]) for i in range(50)]
    tasks += [task("last", reads=["a/*.py"], locks=["x"])]
    assert graph_of(*tasks).edges() == 1 + 49 + 1


def test_several_readers_are_joined_for_several_writers() -> None:
    """The writers of many folders behind many readers of all of them share one join."""
    tasks = [task(f"r{i}", reads=["dist"]) for i in range(50)]
    tasks += [task(f"w{i}", writes=[f"dist/{i}"]) for i in range(50)]
    graph = graph_of(*tasks)
    assert graph.edges() == 50 + 50
    assert graph.tasks_before(99) == list(range(50))


def test_several_writers_are_joined_for_several_readers() -> None:
    """The readers of a folder behind the writers of its files share one join."""
    tasks = [task(f"w{i}", writes=[f"dist/{i}"]) for i in range(50)]
    tasks += [task(f"r{i}", reads=["dist"]) for i in range(50)]
    graph = graph_of(*tasks)
    assert graph.edges() == 50 + 50
    assert graph.tasks_before(99) == list(range(50))
