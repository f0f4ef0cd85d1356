"""What tasks were seen to touch, held against their claims and against each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.model import Claim, Task
from polylane.plan.graph import Graph, build
from polylane.plan.observed import (
    Collision,
    Finding,
    Observed,
    Patterns,
    collisions,
    collisions_outside,
    compare,
    heeded,
)
from polylane.plan.patterns import parse, within
from tests.plan.examples import UNIVERSE, patterns, searched


def task(name: str, claim: Claim) -> Task:
    """A task of a project ``api``."""
    return Task(f"lint:api:{name}", "lint", "api", "python", name, (name,), "api", claim)


def seen(reads: str = "", writes: str = "", listed: str = "", aside: str = "") -> Observed:
    """What was touched, as words."""
    return Observed(
        reads=frozenset(reads.split()),
        aside=frozenset(aside.split()),
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


@given(said=st.lists(st.tuples(st.sampled_from(("", "!")), patterns).map("".join), max_size=4))
@searched
def test_a_list_of_patterns_holds_what_its_last_matching_one_says(said: list[str]) -> None:
    """For every path of a small world, as `within` has it."""
    held = Patterns(said)
    for path in UNIVERSE:
        last = [p for p in said if within(path, parse(p.removeprefix("!")))][-1:]
        assert held.hold("/".join(path) or ".") is (last != [] and last[0][0] != "!")
        assert held.ignore("/".join(path) or ".") is (last != [] and last[0][0] == "!")


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


def test_a_cache_that_every_tool_makes_needs_no_claim() -> None:
    """Neither to write it nor to read what is in it."""
    found = compare(
        task("x", Claim()), seen("api/.mypy_cache/x", "api/__pycache__/y", ".ruff_cache")
    )
    assert (found.writes, found.reads) == ((), ())


def test_what_a_claim_has_too_much_is_found() -> None:
    """Of reads and writes; what a tool ignores is no claim, and a cache may be empty."""
    claim = Claim(reads=("api/src", "lib", "!api/gone"), writes=("api/dist",), caches=("api/.c",))
    found = compare(task("x", claim), seen("api/src/a api/dist/read"))
    assert found.untouched == ("api/dist", "lib")


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


def test_a_cache_that_every_tool_makes_is_no_collision() -> None:
    """Whether or not a claim knows of it."""
    a, b = task("a", Claim()), task("b", Claim())
    touched = seen("", "api/__pycache__/x.pyc web/node_modules/.vite/x")
    assert collisions(graph(a, b), {a.id: touched, b.id: touched}) == []


def test_an_ignored_name_that_is_claimed_after_all_is_met() -> None:
    """The last pattern that speaks of a name decides; also where the lister read it by name."""
    writer = task("w", Claim())
    lister = task("l", Claim(reads=("**", "!**/out", "api/out")))
    blind = task("b", Claim(reads=("**", "!**/out")))
    inner = task("i", Claim(reads=("**", "!**/out")))
    touched = {
        writer.id: seen("", "api/out lib/out"),
        lister.id: seen("", "", "api lib"),
        blind.id: seen("lib/out", "", "api"),
        inner.id: seen("api/out/x", "", "api"),
    }
    found = collisions(graph(writer, lister, blind, inner), touched)
    assert [each.paths for each in found] == [("api/out",), ("lib/out",), ("api/out",)]


def test_tasks_that_bind_the_same_port_collide() -> None:
    """A port is held by one at a time; it is no name in a folder."""
    a, b, c = (task(name, Claim()) for name in "abc")
    touched = {
        a.id: Observed(ports=("tcp 127.0.0.1:8080", "tcp 127.0.0.1:1")),
        b.id: Observed(ports=("tcp 127.0.0.1:8080",)),
        c.id: seen("", "", "."),
    }
    found = collisions(graph(a, b, c), touched)
    assert found == [Collision(a.id, b.id, ("tcp 127.0.0.1:8080",), ordered=False)]


def test_tasks_that_write_the_same_outside_are_found() -> None:
    """By whole paths."""
    a, b = task("a", Claim()), task("b", Claim())
    touched = {
        a.id: Observed(outside=frozenset({"/tmp/x", "/tmp/y"})),
        b.id: Observed(outside=frozenset({"/tmp/x", "/tmp/z"})),
    }
    assert collisions_outside(graph(a, b), touched) == [
        Collision(a.id, b.id, ("/tmp/x",), ordered=False)
    ]


@pytest.mark.parametrize(
    ("other", "touched", "heard"),
    [
        (Claim(), seen("", "gen"), {"gen"}),
        (Claim(), seen("", "other"), set()),
        (Claim(writes=("**",)), seen(), set()),
        (Claim(writes=("**", "!x")), None, {"gen", ".git/HEAD"}),
        (Claim(writes=("gen/**",), known=False), None, {"gen"}),
    ],
)
def test_what_was_looked_for_aside_counts_where_another_task_writes(
    other: Claim, touched: Observed | None, heard: set[str]
) -> None:
    """What it was seen to write, or else what it claims."""
    reader, writer = task("r", Claim()), task("w", other)
    looked = {reader.id: seen("src", "", "", "gen .git/HEAD")}
    both = looked if touched is None else {**looked, writer.id: touched}
    found = heeded((reader, writer), both)[reader.id]
    assert found.reads == {"src", *heard}
    assert found.aside == {"gen", ".git/HEAD"} - heard


def test_what_a_task_itself_writes_makes_it_hear_nothing() -> None:
    """It looked for its own output before it was there."""
    only = task("o", Claim(writes=("gen",)))
    assert heeded((only,), {only.id: seen("", "gen", "", "gen")})[only.id].reads == set()


@pytest.mark.parametrize(
    ("path", "listed"), [("packages/new", {"packages"}), ("packages/api/new", set()), ("x", {"."})]
)
def test_names_among_projects_count_where_another_task_makes_one(
    path: str, listed: set[str]
) -> None:
    """In that very folder; the projects themselves are made by no task."""
    reader, writer = task("r", Claim()), task("w", Claim())
    looked = {reader.id: seen("", "", "", "packages/* *"), writer.id: seen("", path)}
    found = heeded((reader, writer), looked, ("packages/api",))[reader.id]
    assert found.listed == listed
    whole = task("d", Claim(writes=("packages/api/**",), known=False))
    alone = {reader.id: looked[reader.id]}
    assert heeded((reader, whole), alone, ("packages/api",))[reader.id].listed == set()


def test_a_folder_that_was_moved_is_met_below() -> None:
    """By whoever read in it; where its writer wrote files in it, these are what was written."""
    mover, maker, reader = (task(name, Claim()) for name in "mkr")
    touched = {
        mover.id: seen("", "dist"),
        maker.id: seen("", "out out/a"),
        reader.id: seen("dist/x out/b"),
    }
    found = collisions(graph(mover, maker, reader), touched)
    assert found == [Collision(mover.id, reader.id, ("dist",), ordered=False)]
    looked = {**touched, reader.id: seen("", "", "", "dist/y out/c")}
    assert heeded((mover, maker, reader), looked)[reader.id].reads == {"dist/y"}


@pytest.mark.parametrize(
    "claim",
    [
        Claim(reads=("api",), writes=("!api/x",)),
        Claim(reads=("api",), caches=("!api/x",)),
        Claim(writes=("api",), caches=("!api/x",)),
    ],
)
def test_what_one_key_ignores_another_may_hold(claim: Claim) -> None:
    """A ``!`` takes away from the patterns before it in its own key, and from no other's."""
    found = compare(task("x", claim), seen("api/x", "api/x" if claim.writes == ("api",) else ""))
    assert (found.reads, found.writes) == ((), ())


def test_names_aside_count_where_a_task_makes_one() -> None:
    """In the folder itself, not below it; a project is there before any task."""
    made, below, reader = (task(name, Claim()) for name in "mbr")
    touched = {
        made.id: seen(writes="libs/new"),
        below.id: seen(writes="apps/api/x tools/web"),
        reader.id: seen(aside="libs/* apps/* tools/*"),
    }
    found = heeded((made, below, reader), touched, ["tools/web"])[reader.id]
    assert [sorted(each) for each in (found.listed, found.aside, found.reads)] == [
        ["libs"],
        ["apps/*", "tools/*"],
        [],
    ]


def test_a_declared_cache_may_be_read() -> None:
    """Caches need no second claim."""
    found = compare(task("x", Claim(caches=("api/.c",))), seen("api/.c/x"))
    assert found.reads == ()


@pytest.mark.parametrize("touched", [seen(writes="dist/x"), seen("dist/x")])
def test_what_is_in_a_folder_that_is_moved_collides(touched: Observed) -> None:
    """Whether it was written there or read."""
    mover, other = (task(name, Claim()) for name in "ab")
    found = collisions(graph(mover, other), {mover.id: seen(writes="dist"), other.id: touched})
    assert found == [Collision(mover.id, other.id, ("dist",), ordered=False)]


def test_who_ignores_what_it_writes_meets_it_all_the_same() -> None:
    """Only names that it neither reads nor writes can be ignored."""
    one, other = (task(name, Claim(reads=("**", "!dist"))) for name in "ab")
    touched = {each.id: seen(writes="dist/x", listed="dist") for each in (one, other)}
    found = collisions(graph(one, other), touched)
    assert found == [Collision(one.id, other.id, ("dist/x",), ordered=False)]


def test_a_cache_of_its_own_beside_what_it_lists_is_none_of_its_business() -> None:
    """Somebody else made it."""
    maker, lister = task("a", Claim()), task("b", Claim(caches=("api/.c",)))
    touched = {maker.id: seen(writes="api/.c/x api/.c"), lister.id: seen(listed="api api/.c")}
    assert collisions(graph(maker, lister), touched) == []
