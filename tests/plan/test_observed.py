"""What tasks were seen to touch, held against their claims and turned into claims."""

from __future__ import annotations

import pytest

from polylane.model import Claim, Task
from polylane.plan.graph import Graph, build
from polylane.plan.observed import (
    Collision,
    Finding,
    Observed,
    Patterns,
    claim_of,
    collisions,
    compare,
)


def task(name: str, claim: Claim) -> Task:
    """A task of a project ``api``."""
    return Task(f"lint:api:{name}", "lint", "api", "python", name, (name,), "api", claim)


def seen(reads: str = "", writes: str = "", listed: str = "") -> Observed:
    """What was touched, as words."""
    return Observed(
        reads=frozenset(reads.split()),
        listed=frozenset(listed.split()),
        writes=frozenset(writes.split()),
    )


def graph(*tasks: Task) -> Graph:
    """A graph in the order of the arguments."""
    place = {each.id: i for i, each in enumerate(tasks)}
    return build(tasks, lambda each: (place[each.id],))


@pytest.mark.parametrize(
    ("patterns", "path", "held"),
    [
        (("api",), "api", True),
        (("api",), "api/x/y", True),
        (("api",), "apis", False),
        (("api/**", "!api/dist"), "api/dist/x", False),
        (("api/**", "!api/dist", "api/dist/keep"), "api/dist/keep", True),
        (("api/*",), "api/x", True),
        (("api/*",), "api/x/y", False),
        (("**/*.py",), "a/b.py", True),
        (("**",), ".", True),
        (("api",), ".", False),
        # A listing: the pattern of the names themselves.
        (("api/**",), "api/*", True),
        (("api/a",), "api/*", False),
        (("api/**", "!api/dist"), "api/*", True),
        (("api/**", "!api"), "api/*", True),
    ],
)
def test_a_list_of_patterns_holds_paths(
    *, patterns: tuple[str, ...], path: str, held: bool
) -> None:
    """The last pattern that matches decides; what is ignored is no hole in a listing."""
    assert Patterns(patterns).hold(path) is held


def test_what_a_claim_lacks_is_found() -> None:
    """Writes belong in writes or caches; reads anywhere; what the task itself wrote is not read."""
    claim = Claim(reads=("api/src",), writes=("api/dist",), caches=("api/.cache",))
    touched = seen(
        "api/src/a api/.cache/x api/dist/in api/tsconfig.json api/new",
        "api/dist/out api/.cache/x api/new",
        "api/src api",
    )
    assert compare(task("x", claim), touched) == Finding(
        "lint:api:x", writes=("api/new",), reads=("api/*", "api/tsconfig.json"), untouched=()
    )


def test_what_a_claim_has_too_much_is_found() -> None:
    """Of reads, writes and caches; what a tool ignores is no claim."""
    claim = Claim(reads=("api/src", "lib", "!api/gone"), writes=("api/dist",), caches=("api/.c",))
    found = compare(task("x", claim), seen("api/src/a api/dist/read"))
    assert found.untouched == ("api/.c", "api/dist", "lib")


def test_pairs_that_meet_are_found_with_their_paths() -> None:
    """A writer with each that read, wrote or listed it; two readers don't meet."""
    a, b, c = (task(name, Claim()) for name in "abc")
    found = collisions(
        graph(a, b, c),
        {
            a.id: seen("both", "dist/x dist/y"),
            b.id: seen("both dist/x", "dist/y"),
            c.id: seen("", "", "dist"),
        },
    )
    assert found == [
        Collision(a.id, b.id, ("dist/x", "dist/y"), ordered=False),
        Collision(a.id, c.id, ("dist/x", "dist/y"), ordered=False),
        Collision(b.id, c.id, ("dist/y",), ordered=False),
    ]


def test_a_pair_is_ordered_where_the_graph_keeps_it_so() -> None:
    """Directly or through others."""
    a = task("a", Claim(writes=("x",)))
    b = task("b", Claim(reads=("x",), writes=("y",)))
    c = task("c", Claim(reads=("y",)))
    met = seen("", "file")
    found = collisions(graph(a, b, c), {a.id: met, b.id: met, c.id: met})
    assert [(each.first[-1], each.second[-1], each.ordered) for each in found] == [
        ("a", "b", True),
        ("a", "c", True),
        ("b", "c", True),
    ]


def test_caches_and_ignored_names_make_no_collision() -> None:
    """A cache of the writer's or of the reader's; a name that the lister provably ignores."""
    writer = task("w", Claim(caches=("mine",)))
    reader = task("r", Claim(caches=("theirs",)))
    lister = task("l", Claim(reads=("**", "!coverage")))
    touched = {
        writer.id: seen("", "mine/x theirs/x coverage"),
        reader.id: seen("mine/x theirs/x"),
        lister.id: seen("", "", "."),
    }
    assert collisions(graph(writer, reader, lister), touched) == []


def test_a_task_that_was_not_seen_meets_nobody() -> None:
    """It did not run."""
    a, b = task("a", Claim()), task("b", Claim())
    assert collisions(graph(a, b), {a.id: seen("", "x")}) == []


def test_a_claim_is_made_of_what_was_touched() -> None:
    """Folders of which many files were touched are whole, the project itself never is."""
    old = Claim(reads=("api", "!api/ignored"), caches=("api/.c",), locks=("db",), known=False)
    touched = seen(
        "api/src/a api/src/b api/src/c/d api/src/c/e api/package.json lib/src/one ../x",
        "api/dist api/dist/x api/.coverage api/.c/x",
        "api api/src",
    )
    assert claim_of(task("x", old), "api", touched, ("api", "lib")) == Claim(
        reads=(
            "../x",
            "api/package.json",
            "api/src/**",
            "lib/src/one",
            "api/*",
            "api/src/*",
            "!api/ignored",
        ),
        writes=("api/.coverage", "api/dist/**"),
        caches=("api/.c",),
        locks=("db",),
    )


def test_a_claim_of_what_was_touched_holds_it() -> None:
    """Also at the workspace's own folder, and in projects within projects."""
    touched = seen("a b/c b/d b/e b/f top/in/x", "out/1 out/2 top/in/new", ". b")
    claim = claim_of(task("x", Claim()), ".", touched, ("top", "top/in"))
    found = compare(task("x", claim), touched)
    assert (found.reads, found.writes) == ((), ())
    assert "**" not in {*claim.reads, *claim.writes}
    assert "top/in/x" in claim.reads
