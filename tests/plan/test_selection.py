"""What was asked for, and the place of each task in the reference order."""

from __future__ import annotations

import pytest

from polylane.errors import UserError
from polylane.model import Project, Task
from polylane.plan.selection import Selection, reference_key, select
from tests.plan.examples import task


def _selected(tasks: list[Task], selection: Selection) -> list[str]:
    return sorted(each.id for each in select({t.id: t for t in tasks}, selection))


TASKS = [
    task("lint:a:x", verb="lint", project="a", language="python"),
    task("lint:b:x", verb="lint", project="b", language="node"),
    task("test:a:x", verb="test", project="a", language="python", needs=("build:a:x",)),
    task("test:b:x", verb="test", project="b", language="node"),
    task("build:a:x", verb="build", project="a", language="python", needs=("setup:a:x",)),
    task("setup:a:x", verb="setup", project="a"),
]


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(("lint",)), ["lint:a:x", "lint:b:x"]),
        (Selection(("lint",), languages=("node",)), ["lint:b:x"]),
        (Selection(("lint",), projects=("a",)), ["lint:a:x"]),
        (Selection(("lint",), languages=("node",), projects=("a",)), []),
        (Selection(("lint", "test"), projects=("b",)), ["lint:b:x", "test:b:x"]),
        (Selection(("lint",), ids=frozenset({"lint:b:x", "test:b:x"})), ["lint:b:x"]),
        (Selection(("docs",)), []),
        (Selection(("test",), projects=("a",)), ["build:a:x", "setup:a:x", "test:a:x"]),
        (Selection(("test",), languages=("python",)), ["build:a:x", "setup:a:x", "test:a:x"]),
        (Selection(("build", "test"), ("python",)), ["build:a:x", "setup:a:x", "test:a:x"]),
    ],
)
def test_a_selection_takes_what_matches_and_all_that_it_needs(
    selection: Selection, ids: list[str]
) -> None:
    """Filters narrow what was asked for, and never what that needs, near and far."""
    assert _selected(TASKS, selection) == ids


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            Selection(("lnit",)),
            "there is no verb 'lnit' with a task; did you mean 'lint'?",
        ),
        (
            Selection(("lint",), languages=("pyton",)),
            "there is no language 'pyton' with a task; did you mean 'python'?",
        ),
        (
            Selection(("lint",), projects=("zzz",)),
            "there is no project 'zzz' with a task; projects: a, b",
        ),
    ],
)
def test_a_filter_that_nothing_answers_to_is_one_line(selection: Selection, message: str) -> None:
    """It names the word, and what was meant or what there is."""
    with pytest.raises(UserError) as caught:
        _selected(TASKS, selection)
    assert str(caught.value) == message


def test_a_message_lists_only_a_dozen_names() -> None:
    """A workspace may have thousands."""
    tasks = [task(f"lint:p{i:02}:x", project=f"p{i:02}") for i in range(13)]
    with pytest.raises(UserError) as caught:
        _selected(tasks, Selection(("test",), projects=("zzz",)))
    names = ", ".join(f"p{i:02}" for i in range(12))
    assert str(caught.value) == f"there is no project 'zzz' with a task; projects: {names}, ..."
    with pytest.raises(UserError) as caught:
        _selected(tasks[:12], Selection(("test",), projects=("zzz",)))
    assert str(caught.value) == f"there is no project 'zzz' with a task; projects: {names}"


def test_where_there_are_no_names_none_are_listed() -> None:
    """Tasks without a language, or no tasks at all."""
    with pytest.raises(UserError) as caught:
        _selected([task("a")], Selection(("test",), languages=("python",)))
    assert str(caught.value) == "there is no language 'python' with a task"


def test_a_selection_in_words_is_what_was_typed() -> None:
    """Verbs, then filters, then what else narrows it."""
    selection = Selection(("lint", "test"), ("python",), ("a", "b"), note="files=3")
    assert sorted(selection.words()) == [
        "files=3",
        "language=python",
        "lint",
        "project=a",
        "project=b",
        "test",
    ]
    assert selection.words()[:2] == ["lint", "test"]
    assert Selection(("lint",)).words() == ["lint"]


def _order(selection: Selection, projects: list[Project], tasks: list[Task]) -> list[str]:
    by_name = {project.name: project for project in projects}
    key = reference_key(selection, by_name, ("python", "node"), tasks)
    return [each.id for each in sorted(tasks, key=key)]


def test_the_order_of_verbs_is_that_of_the_selection() -> None:
    """Not of the alphabet; what only needs brought in comes first; a second naming is nothing."""
    tasks = [task(verb, verb=verb) for verb in ("build", "lint", "setup", "test")]
    selection = Selection(("test", "lint", "build", "test"))
    assert _order(selection, [Project("p", "p")], tasks) == ["setup", "test", "lint", "build"]


def test_projects_come_behind_those_that_they_depend_on() -> None:
    """By the longest chain below each; then by language, path, the language's order and id."""
    projects = [
        Project("app", "a-app", depends=("lib", "base")),
        Project("lib", "lib", depends=("base",)),
        Project("base", "z-base"),
        Project("other", "Another"),
    ]
    tasks = [
        task("app", project="app", language="python"),
        task("lib", project="lib", language="python"),
        task("base-2", project="base", language="python"),
        task("base-1", project="base", language="python"),
        task("other-node", project="other", language="node"),
        task("other-none", project="other"),
        task("other-python", project="other", language="python"),
        task("nowhere", project="root", language="python"),
        task("nowhere-node", project="root", language="node"),
    ]
    assert _order(Selection(("test",)), projects, tasks) == [
        "nowhere",
        "other-python",
        "base-2",
        "base-1",
        "nowhere-node",
        "other-node",
        "other-none",
        "lib",
        "app",
    ]


def test_projects_that_depend_on_each_other_still_have_a_place() -> None:
    """A cycle of dependencies is cut where it is entered, and ends."""
    projects = [
        Project("a", "a", depends=("b",)),
        Project("b", "b", depends=("a", "c")),
        Project("c", "c", depends=("c",)),
        Project("d", "d", depends=("a",)),
    ]
    tasks = [task(name, project=name) for name in "abcd"]
    assert _order(Selection(("test",)), projects, tasks) == ["c", "b", "a", "d"]


def test_a_chain_of_a_thousand_projects_is_no_deeper_than_the_stack() -> None:
    """Depth is counted without recursion, in one pass, whichever end comes first."""
    projects = [Project(f"p{i}", f"p{i}", depends=(f"p{i + 1}",)) for i in range(3000)]
    projects.append(Project("p3000", "p3000"))
    tasks = [task(f"t{i}", project=f"p{i}") for i in (0, 3000, 1500)]
    assert _order(Selection(("test",)), projects, tasks) == ["t3000", "t1500", "t0"]


def test_a_task_that_stands_for_another_has_its_place() -> None:
    """A host may give one task several ids; one of no known tool comes behind all."""
    tasks = [task(f"test:p:{tool}", tool=tool) for tool in ("z", "a", "m")]
    key = reference_key(Selection(("test",)), {"p": Project("p", "p")}, (), tasks)
    several = [
        task("a-new", tool="new"),
        task("a-m", tool="m"),
        task("z-z", tool="z"),
        task("a-z", tool="z"),
        *tasks,
    ]
    assert [each.id for each in sorted(several, key=key)] == [
        "a-z",
        "test:p:z",
        "z-z",
        "test:p:a",
        "a-m",
        "test:p:m",
        "a-new",
    ]
