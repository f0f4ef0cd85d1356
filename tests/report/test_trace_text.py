"""How a trace reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylane.describe.claims_file import FILE, SaidClaim
from polylane.describe.config import Config, TaskConfig
from polylane.describe.workspace import Workspace
from polylane.model import Claim, Project, Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.graph import build
from polylane.plan.observed import Collision, Observed, compare
from polylane.planning import Mode, Plan
from polylane.prove.trace import TaskTrace, Trace
from polylane.report import trace_text

HOME = "/home/me"


UNKNOWN = Claim(known=False)


def task(tool: str, claim: Claim = UNKNOWN, **more: Any) -> Task:
    return Task(f"lint:api:{tool}", "lint", "api", "", tool, (tool,), "api", claim, **more)


def traced(task: Task, seen: Observed | None = None, **more: Any) -> TaskTrace:
    """One task that passed in two seconds."""
    result = more.pop("result", TaskResult(task.id, Outcome.PASSED, 0, wall_s=2.0))
    return TaskTrace(task, result, seen, compare(task, seen) if seen else None, **more)


def trace(*tasks: TaskTrace, **more: Any) -> Trace:
    graph = build([each.task for each in tasks], lambda each: (each.id,))
    said = {"collisions": (), "outside": (), "claims": {}, "vanished": (), "interrupted": False}
    return Trace(tasks, graph=graph, planned=graph, **{**said, **more})


def text(found: Trace, **config: Any) -> str:
    """The report of a workspace with the projects ``.`` and ``api``."""
    said = Config(Path("/w"), file="polylane.toml", **config)
    projects = {"root": Project("root", "."), "api": Project("api", "api")}
    tasks = {each.task.id: each.task for each in found.tasks}
    plan = Plan(
        said, Workspace(Path("/w"), projects), Mode(parallel=False, jobs=1), found.graph, tasks
    )
    lines = trace_text.lines(plan, found, Path("trace.json"), HOME)
    return "".join(f"{line.text}\n" for line in lines)


def paths(*words: str) -> frozenset[str]:
    return frozenset(" ".join(words).split())


def test_many_paths_are_folded_into_few_places() -> None:
    """The project's own as its task sees them, the fullest first, some more only counted."""
    many = [f"api/src/{name}" for name in "abc"] + [f"api/{name}" for name in "uvwxyz"]
    shown = text(
        trace(traced(task("x"), Observed(paths(*many, "conf"), writes=paths("api/out/x"))))
    )
    assert "    reads   src (3), ../conf, u, v, w, x and 2 more\n    writes  out\n" in shown


def test_caches_stand_apart() -> None:
    """Those of the claim, and those that all know."""
    claim = Claim(reads=("**",), caches=("api/.own",))
    seen = Observed(paths("api/a", "api/.own/x"), writes=paths("api/__pycache__/a.pyc"))
    shown = text(trace(traced(task("x", claim), seen)))
    assert "    reads   a\n    writes  nothing\n    caches  .own, __pycache__\n" in shown
    assert "!" not in shown


@pytest.mark.parametrize(
    ("outside", "shown"),
    [
        ("/home/me/.cache/uv/a /home/me/.cache/uv/b/c /tmp/x", "~/.cache/uv (2), /tmp/x"),
        (" ".join(f"/tmp/{n}/x" for n in range(9)), "/tmp (9)"),
        ("/home/mean/x", "/home/mean"),
    ],
)
def test_what_lies_outside_is_folded_by_its_first_folders(outside: str, shown: str) -> None:
    """Fewer where there would be many."""
    seen = Observed(outside=paths(outside))
    assert f"    outside {shown}\n" in text(trace(traced(task("x"), seen)))


def test_what_is_wrong_is_listed_in_colour() -> None:
    """Folded as a claim would say it, up to a number; what could not be seen stands there too."""
    seen = Observed(
        paths(*(f"d{n}/x" for n in range(25))),
        writes=paths("new"),
        lost=("open by x: why (1 times)",),
    )
    found = trace(traced(task("x", Claim()), seen))
    shown = text(found)
    assert "  ! not seen: open by x: why (1 times)\n" in shown
    assert "  ! writes what it does not claim:\n        new\n" in shown
    assert "        d0/x\n" in shown
    assert "        and 5 more\n" in shown


@pytest.mark.parametrize(
    ("made", "config", "where"),
    [
        (task("x"), {}, "unknown, taken to be its whole project"),
        (task("x", Claim(), source="the language python"), {}, "the language python"),
        (task("x", Claim()), {"claims": {"lint:api:x": SaidClaim()}}, FILE),
        (task("x", Claim()), {"tasks": {"lint:api:x": TaskConfig(reads=())}}, "polylane.toml"),
    ],
)
def test_it_says_who_said_a_claim(made: Task, config: dict[str, Any], where: str) -> None:
    """What is to be mended, and where."""
    assert f"lint:api:x, claim: {where}\n" in text(trace(traced(made, Observed())), **config)


@pytest.mark.parametrize(
    ("claims", "shown"), [({}, False), ({"lint:api:x": SaidClaim(("gone",))}, True)]
)
def test_claims_that_are_too_wide_are_shown_to_those_who_said_them(
    claims: dict[str, SaidClaim], *, shown: bool
) -> None:
    """What polylane found is its own affair; the JSON has both."""
    found = trace(traced(task("x", Claim(("gone",))), Observed()))
    assert ("    claims and never touched: gone\n" in text(found, claims=claims)) is shown


def test_a_task_that_was_not_seen_has_its_reason() -> None:
    """How it ended."""
    result = TaskResult("lint:api:x", Outcome.SKIPPED, reason="needs y")
    shown = text(trace(traced(task("x"), result=result)))
    assert "\nlint:api:x skipped: needs y, claim: unknown" in shown
    assert "    nothing was seen of it\n" in shown


def test_pairs_without_an_order_come_first() -> None:
    """And say whether the claims that were observed order them; many others are only counted."""
    whole = Claim(("**",), ("**",), known=False)
    a, b = task("a", whole), task("b", whole)
    met = [Collision(a.id, b.id, (f"p{n}",), ordered=n > 0) for n in range(15)]
    found = trace(traced(a), traced(b), collisions=tuple(met))
    shown = text(found)
    assert (
        "\n1 pair of tasks met and nothing orders them:\n  ! lint:api:a and lint:api:b: p0\n"
        in shown
    )
    assert "        the claims that were observed order them\n14 pairs met in order\n" in shown
    assert "    lint:api:a then lint:api:b: p12\n    and 2 more\n" in shown
    apart = [task("a", Claim()), task("b", Claim())]
    still = text(trace(*map(traced, apart), collisions=tuple(met[:1])))
    assert "order them\n  !" not in still
    assert "the claims that were observed order them" not in still


def test_caches_of_the_home_may_be_shared() -> None:
    """They are made for all who run at once; other files are not."""
    a, b = task("a", Claim()), task("b", Claim())
    both = (f"{HOME}/.cache/uv/x", f"{HOME}/.npm/y", f"{HOME}/.conf", "/tmp/z")
    met = Collision(a.id, b.id, both, ordered=False)
    shown = text(trace(traced(a), traced(b), outside=(met,)))
    assert "1 pair wrote the same outside of the workspace:\n" in shown
    assert "  ! lint:api:a and lint:api:b: ~/.conf, /tmp/z\n" in shown
    ordered = text(trace(traced(a), traced(b), outside=(met._replace(ordered=True),)))
    assert "outside of the workspace" not in ordered
    cached = text(trace(traced(a), traced(b), outside=(met._replace(paths=both[:2]),)))
    assert "outside of the workspace" not in cached


def test_it_says_what_safe_defaults_cost() -> None:
    """In tasks, and in the time that they took."""
    whole = Claim(("**",), ("**",), known=False)
    both = [traced(task(name, whole)) for name in "ab"]
    free = build([task(name, Claim()) for name in "ab"], lambda each: (each.id,))
    shown = text(trace(*both)._replace(planned=free))
    assert "2 of 2 tasks ran under safe defaults (lint:api:a, lint:api:b)\n" in shown
    assert "the longest chain has 2 tasks, and the slowest one took 4.0 s of 4.0 s\n" in shown
    assert "with the claims that were observed it has 1 task, and the slowest one took 2.0 s\n" in (
        shown
    )


def test_a_key_that_lacks_something_is_named() -> None:
    """By its place in the configuration, or that of a Python body."""
    lacking = {"reads": ("conf", "src/**")}
    said = {"tasks": {"lint:api:x": TaskConfig(reads=())}}
    shown = text(trace(traced(task("x", Claim()), Observed(), lacking=lacking)), **said)
    assert 'polylane.toml: tasks."lint:api:x".reads lacks "conf", "src/**"\n' in shown
    body = task("x", Claim(), source="tasks.py:7")
    shown = text(trace(traced(body, Observed(), lacking=lacking)))
    assert 'tasks.py:7 lacks "conf", "src/**"\n' in shown


def test_what_is_written_is_counted_and_what_not_has_its_reason() -> None:
    """Before, and after."""
    found = trace(
        traced(task("x"), Observed(), entry=SaidClaim()),
        traced(task("y"), Observed(), unfit="it failed"),
        vanished=("lint:api:z",),
    )
    rest = f"the claim of 1 task (lint:api:x) into {FILE}, less those of tasks that are not there:"
    refused = "not written: lint:api:y: it failed"
    assert list(trace_text.written(found)) == [f"wrote {rest} lint:api:z", refused]
    assert list(trace_text.to_write(found)) == [
        f"lanes.trace --write would put {rest} lint:api:z",
        refused,
    ]


def test_a_name_may_be_anything() -> None:
    """It stays in its line."""
    shown = text(trace(traced(task("x\n"), Observed(paths("api/a\x1b/b")))))
    assert "\nlint:api:x\\n, claim" in shown
    assert "    reads   a\\x1b\n" in shown
