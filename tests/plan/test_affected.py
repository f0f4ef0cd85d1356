"""What a change affects, against a definition that tries every pair and every path."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.model import Claim, Task
from polylane.outcome import Outcome
from polylane.plan.affected import affected, cached_by, heeded, named, narrowed, unmet, written_by
from polylane.plan.observed import Patterns
from polylane.plan.patterns import meet, parse, within
from tests.plan.examples import UNIVERSE, claims, graph_of, searched, task

PATHS = ["/".join(path) for path in UNIVERSE if path]
_CHANGED = st.lists(st.sampled_from(PATHS), min_size=1, max_size=3)


def _holds(patterns: Sequence[str], path: str) -> bool:
    """By the last pattern that means the path."""
    included = False
    for pattern in patterns:
        if Patterns([pattern.removeprefix("!")]).hold(path):
            included = not pattern.startswith("!")
    return included


def _parts(patterns: Sequence[str]) -> list[tuple[str, list[str]]]:
    """What is included, each with what is taken away behind it."""
    return [
        (pattern, [p[1:] for p in patterns[i + 1 :] if p.startswith("!")])
        for i, pattern in enumerate(patterns)
        if not pattern.startswith("!")
    ]


def _meet(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether two lists may have a path in common: pair by pair."""
    return any(
        meet(parse(a), parse(b))
        and not any(within(parse(b), parse(e)) for e in less_a if meet(parse(e), parse(a)))
        and not any(within(parse(a), parse(e)) for e in less_b if meet(parse(e), parse(b)))
        for a, less_a in _parts(ours)
        for b, less_b in _parts(theirs)
    )


def _follows(first: Task, second: Task) -> bool:
    """Whether the second of two tasks in reference order must run again with the first."""
    reads_or_writes = (second.claim.reads, second.claim.writes)
    return first.id in second.needs or any(_meet(first.claim.writes, p) for p in reads_or_writes)


def _defined(tasks: Sequence[Task], changed: Sequence[str], failed: set[str]) -> set[str]:
    """The affected tasks by their definition."""
    found = {t.id for t in tasks if any(_holds(t.claim.reads, path) for path in changed)}
    while True:
        more = {
            later.id
            for i, first in enumerate(tasks)
            for later in tasks[i + 1 :]
            if first.id in found and _follows(first, later)
        }
        more |= {n for t in tasks if t.id in found for n in t.needs if n in failed}
        if more <= found:
            return found
        found |= more


@st.composite
def _workspaces(draw: st.DrawFn) -> list[Task]:
    made: list[Task] = []
    for i, claim in enumerate(draw(claims(max_size=7))):
        needs = draw(st.sets(st.sampled_from(range(i)), min_size=1, max_size=2)) if i % 2 else set()
        made.append(task(f"t{i}", claim=claim, needs=tuple(f"t{n}" for n in sorted(needs))))
    return made


@searched
@given(
    _workspaces(),
    st.lists(st.sampled_from(PATHS), min_size=1, max_size=3),
    st.sets(st.integers(0, 6)),
)
def test_what_is_affected_is_what_the_definition_says(
    tasks: list[Task], changed: list[str], failed: set[int]
) -> None:
    """Readers of changed paths, what follows them, and what these need and has not passed."""
    graph = graph_of(*tasks)
    not_passed = {f"t{i}" for i in failed}
    found = affected(graph, changed, unmet=not_passed)
    assert found == _defined(graph.tasks, changed, not_passed)


@searched
@given(_workspaces(), _CHANGED)
def test_what_is_not_affected_reads_nothing_that_is_new(
    tasks: list[Task], changed: list[str]
) -> None:
    """By every path there is: a task that is left out reads no changed path, nor what is redone."""
    graph = graph_of(*tasks)
    found = affected(graph, changed)
    new = set(changed)
    for each in graph.tasks:
        if each.id in found:
            new.update(path for path in PATHS if _holds(each.claim.writes, path))
        else:
            assert not [path for path in new if _holds(each.claim.reads, path)]


@searched
@given(_workspaces(), _CHANGED)
def test_the_paths_that_are_named_are_those_that_a_task_reads(
    tasks: list[Task], changed: list[str]
) -> None:
    """`heeded` keeps what at least one claim holds."""
    expected = {p for p in changed if any(_holds(t.claim.reads, p) for t in tasks)}
    assert heeded(tasks, changed) == expected


@pytest.mark.parametrize(
    ("reads", "hit"),
    [(["a/b/**/*.py"], {"t"}), (["a"], {"t"}), (["b"], set()), (["a", "!a/b"], set())],
)
def test_a_folder_that_is_gone_stands_for_all_that_it_held(reads: list[str], hit: set[str]) -> None:
    """A claim of files below it is affected, unless it leaves them out."""
    assert affected(graph_of(task("t", reads=reads)), ["a/b/"]) == hit


def test_a_folder_above_what_is_read_may_be_gone() -> None:
    """The claim's own folder lies below it."""
    assert affected(graph_of(task("t", reads=["a/b/c.py"])), ["a/"]) == {"t"}


def test_some_run_in_any_case_and_others_behind_them() -> None:
    """A task that is new brings what reads its files."""
    graph = graph_of(task("build", writes=["dist"]), task("test", reads=["dist"]), task("other"))
    assert affected(graph, [], again=["build"]) == {"build", "test"}


def test_holders_of_one_lock_do_not_affect_each_other() -> None:
    """A lock orders tasks, and hands nothing on."""
    graph = graph_of(task("a", reads=["a"], locks=["x"]), task("b", reads=["b"], locks=["x"]))
    assert affected(graph, ["a"]) == {"a"}


def test_an_earlier_reader_of_what_is_written_is_left_out() -> None:
    """In a full run it comes before the writer, too."""
    graph = graph_of(task("a", reads=["out"]), task("b", reads=["src"], writes=["out"]))
    assert affected(graph, ["src"]) == {"b"}


def test_what_is_kept_needs_only_what_is_kept() -> None:
    """The others have passed before."""
    tasks = [task("a"), task("b", needs=("a",)), task("c", needs=("a", "b"))]
    assert [(t.id, t.needs) for t in narrowed(tasks, {"b", "c"})] == [("b", ()), ("c", ("b",))]


def test_who_has_not_passed_keeps_others_waiting() -> None:
    """Failures, what was never run, and what was skipped for one of these; not what had no work."""
    tasks = [
        task("failed"),
        task("behind", needs=("failed",)),
        task("idle"),
        task("new"),
        task("fine"),
    ]
    outcomes = {
        "failed": Outcome.FAILED,
        "behind": Outcome.SKIPPED,
        "idle": Outcome.SKIPPED,
        "fine": Outcome.PASSED,
    }
    assert unmet(graph_of(*tasks), outcomes) == {"failed", "behind", "new"}


def test_claims_name_folders_and_files_but_not_whole_projects() -> None:
    """What is unknown names nothing, and neither does a pattern that starts with a wildcard."""
    tasks = [
        task("known", reads=["api/dist/*.whl", "**/*.py", ".env", "api/.mypy_cache", "!x"]),
        task("unknown", claim=Claim(reads=("web/**",), known=False)),
    ]
    assert named(tasks) == {"api/dist", ".env"}


def test_caches_never_count() -> None:
    """Those of tools that are known, those that a claim names, git's data and ours."""
    cached = cached_by([task("t", claim=Claim(caches=("out",))), task("u")])
    paths = (".git/index", ".polylane/last", "a/__pycache__/x.pyc", "out/x", "a/x.py")
    assert [cached(path) for path in paths] == [True, True, True, True, False]


def test_what_one_of_them_writes_is_written() -> None:
    """A ``!`` of one task takes nothing from another."""
    written = written_by([task("a", writes=["out", "!out/x"]), task("b", writes=["out/x"])])
    assert [written(path) for path in ("out/x", "out/y", "src")] == [True, True, False]


def test_who_needs_an_affected_task_is_affected() -> None:
    """Though it reads nothing that changed or was written."""
    graph = graph_of(task("a", reads=["a"]), task("b", needs=("a",)), task("c"))
    assert affected(graph, ["a"]) == {"a", "b"}
