"""Claims made of what tasks were seen to touch: few patterns that hold all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylane.model import Claim, Task
from polylane.plan.claiming import (
    Ground,
    claim_of,
    fold,
    ground,
    mended,
    passing,
    united,
    with_claims,
)
from polylane.plan.graph import build
from polylane.plan.observed import Finding, Observed, compare

TOPS = (".", "api", "web/app")
HERE = Ground(frozenset(TOPS), frozenset({"api/src"}))

NAME = st.sampled_from(["a", "b", "c", "d", "api", "web", "app", "__pycache__", ".mypy_cache"])
PATHS = st.frozensets(st.lists(NAME, min_size=1, max_size=5).map("/".join), max_size=12)


def task(name: str, claim: Claim) -> Task:
    """A task of a project ``api``."""
    return Task(f"lint:api:{name}", "lint", "api", "python", name, (name,), "api", claim)


@pytest.mark.parametrize(
    ("paths", "folded"),
    [
        ("", ()),
        ("api/a", ("api/a",)),
        # Many files of a folder are the folder, a few are themselves.
        ("api/src/a api/src/b api/src/c", ("api/src/a", "api/src/b", "api/src/c")),
        ("api/src/a api/src/b api/src/c api/src/d", ("api/src/**",)),
        # As deep as they lie.
        ("api/src/x/a api/src/x/b api/src/x/c api/src/x/d", ("api/src/x/**",)),
        # What was listed or made is whole where something of it was touched.
        ("api/src/a api/src/*", ("api/src/**",)),
        ("api/src/*", ("api/src/*",)),
        ("api/out api/out/x", ("api/out/**",)),
        ("api/out", ("api/out",)),
        ("api/.venv/bin/x", ("api/.venv/**",)),
        # A project is never whole, nor a folder that holds one.
        ("api/a api/b api/c api/d api/*", ("api/*", "api/a", "api/b", "api/c", "api/d")),
        ("web/a web/b web/c web/d web", ("web/a", "web/b", "web/c", "web/d")),
        ("a b c d *", ("*", "a", "b", "c", "d")),
        # What no text can say, and what a pattern would mean.
        ("api/\udcff !x", ("?x", "api/?")),
    ],
)
def test_paths_are_folded(paths: str, folded: tuple[str, ...]) -> None:
    """Into as few patterns as people can review."""
    assert fold(paths.split(), TOPS) == folded


@pytest.mark.parametrize(
    ("paths", "folded"),
    [
        ("api/dist/x", ("api/dist/**",)),
        ("api/build/lib/x api/.coverage", ("api/.coverage", "api/build/**")),
        ("api/src/gen/x api/src/one", ("api/src/gen/**", "api/src/one")),
        ("x web/new", ("web/new", "x")),
    ],
)
def test_what_is_written_among_no_sources_is_an_output(paths: str, folded: tuple[str, ...]) -> None:
    """It is whole: the next time the folder may have to be made."""
    assert fold(paths.split(), TOPS, {"api/src"}) == folded


def test_sources_lie_where_somebody_read_what_nobody_wrote() -> None:
    """Of all tasks: one's output is another one's input."""
    builder = Observed(frozenset({"api/src/x/a"}), writes=frozenset({"api/dist/a"}))
    user = Observed(frozenset({"api/dist/a", "b"}))
    sources = frozenset({"api", "api/src", "api/src/x"})
    assert ground(TOPS, (builder, user)) == Ground(frozenset(TOPS), sources)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("api/dist/app-1.2.0.tar.gz", "api/dist/app-1.2.0.tar.gz"),
        ("api/x.16769123.tmp", "api/x.*.tmp"),
        ("api/12345678/x", "api/12345678/x"),
        ("web/index-0a1b2c3d.js", "web/index-*.js"),
        ("web/deadbeef.css", "web/deadbeef.css"),
    ],
)
def test_names_that_pass_become_patterns(path: str, pattern: str) -> None:
    """Numbers of processes, times and hashes are others the next time."""
    assert passing(path) == pattern


def test_a_claim_is_made_of_what_was_touched() -> None:
    """Caches are told apart, and what was said of caches, locks and ignored names stays."""
    old = Claim(reads=("api", "!api/ignored"), caches=("api/.c",), locks=("db",), known=False)
    touched = Observed(
        reads=frozenset(
            {"api/src/a", "api/package.json", "api/dist", "api/.mypy_cache/y", "lib/x"}
        ),
        listed=frozenset({"api", "api/src"}),
        writes=frozenset({"api/dist", "api/.c/x", "api/.mypy_cache/x", "api/s/__pycache__/m.pyc"}),
    )
    assert claim_of(task("x", old), touched, HERE) == Claim(
        reads=("api/*", "api/package.json", "api/src/**", "lib/x", "!api/ignored"),
        writes=("api/dist",),
        caches=("api/.c", "api/**/__pycache__", "api/.mypy_cache"),
        locks=("db",),
    )


@given(reads=PATHS, writes=PATHS, listed=PATHS)
def test_a_claim_of_what_was_touched_holds_it(
    reads: frozenset[str], writes: frozenset[str], listed: frozenset[str]
) -> None:
    """Whatever it was; and no project is claimed whole."""
    around = {"api", "web", "web/app"}  # of folders only the names are read
    touched = Observed(reads=reads - around, writes=writes - around, listed=listed)
    claim = claim_of(task("x", Claim(known=False)), touched, HERE)
    found = compare(task("x", claim), touched)
    assert (found.reads, found.writes) == ((), ())
    assert not {"**", "api/**", "web/**", "web/app/**"} & {*claim.reads, *claim.writes}


def test_a_claim_is_mended_by_what_it_lacked() -> None:
    """What it said stays, in front."""
    claim = Claim(reads=("api/src",), writes=("api/dist",), known=False)
    lacks = Finding("x", ("api/new",), ("api/*", "api/conf"), ("api/src",))
    assert mended(claim, lacks, HERE) == Claim(
        reads=("api/src", "api/*", "api/conf"),
        writes=("api/dist", "api/new"),
    )


def test_claims_are_united() -> None:
    """Only what both ignore is ignored, also where only one of them reads it."""
    one = Claim(("api/**", "!api/x", "!api/y"), ("a",), ("c",), ("l",))
    other = Claim(("api/**", "lib", "!api/x"), ("b",), ("c",), ("m",))
    assert united(one, other) == Claim(("lib", "api/**", "!api/x"), ("a", "b"), ("c",), ("l", "m"))


def test_a_graph_is_built_again_with_other_claims() -> None:
    """In the same order; tasks without another claim keep theirs."""
    tasks = [task(name, Claim(writes=("x",))) for name in "ba"]
    before = build(tasks, lambda each: (-ord(each.tool),))
    after = with_claims(before, {tasks[0].id: Claim(writes=("y",))})
    assert [each.tool for each in after.tasks] == ["b", "a"]
    assert (before.edges(), after.edges()) == (1, 0)
