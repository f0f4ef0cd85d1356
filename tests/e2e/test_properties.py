"""Random workspaces whose tasks really read and write: a parallel run comes to the same.

``POLYLANE_EXAMPLES=300`` tries so many workspaces, other ones each time; else a few, the same ones.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from polylane.run.views.snapshot import differences
from tests.e2e.random_proofs import find_removal, observed, traced, validated
from tests.e2e.random_runs import Ran, Way, in_child, run_all
from tests.e2e.random_task import Work
from tests.e2e.random_workspaces import workspaces
from tests.e2e.random_world import RandomTask, RandomWorkspace

_MANY = int(os.environ.get("POLYLANE_EXAMPLES", "0"))

pytestmark = pytest.mark.timeout(0 if _MANY else 120)


def tried(few: int) -> settings:
    """Try a few examples, or many."""
    return settings(
        max_examples=_MANY or few,
        derandomize=not _MANY,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
        print_blob=True,
    )


@tried(4)
@given(
    workspaces(max_size=40) if _MANY else workspaces(min_size=6, max_size=12), st.integers(0, 99)
)
def test_every_way_to_run_comes_to_the_same(workspace: RandomWorkspace, seed: int) -> None:
    """Files, outcomes, exit codes; and what conflicts never meets, and keeps its order."""
    ways = [
        Way(),
        *(Way(jobs) for jobs in (1, 2, 4, 8)),
        *(Way(4, batches=seed + more) for more in (0, 1)),
        *(Way(jobs, durations=seed) for jobs in (2, 8)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        reference, *others = in_child(run_all, workspace, Path(folder), ways)
        for way, ran in zip(ways[1:], others, strict=True):
            note(str(way))
            check(workspace, reference, ran)


def check(workspace: RandomWorkspace, reference: Ran, ran: Ran) -> None:
    """Hold a run against the sequential one."""
    assert ran.outcomes == reference.outcomes
    assert ran.exit_code == reference.exit_code
    order = sorted(reference.spans, key=reference.spans.__getitem__)
    place = {name: i for i, name in enumerate(order)}
    for pair in workspace.conflicts():
        if place.keys() >= {*pair}:
            first, second = sorted(pair, key=place.__getitem__)
            assert ran.spans[first][1] <= ran.spans[second][0], (first, second)
    assert differences(reference.tree, ran.tree) == []


def test_a_wrong_order_shows(tmp_path: Path) -> None:
    """In the files, even where the one that comes too early only asks whether a file is there."""
    work = Work("t00", "p0/own/t00", [], [], [("remove", "p0/a")], [], [], [0])
    claim = ((), ("p0/a", work.own))
    writer = RandomTask("build:p0:t00", *claim, (), (), (0,), 0, 1, program=False, work=work)
    looks = Work("t01", "p0/own/t01", [], [("p0", ["a"])], [], [], [], [0])
    reader = writer._replace(id="lint:p0:t01", reads=("p0/*",), writes=(looks.own,), work=looks)
    workspace = RandomWorkspace((writer, reader), ("p0/a",), "off")
    ways = (Way(), Way(1, order=(0, 1)), Way(1, order=(1, 0)))
    reference, same, other = in_child(run_all, workspace, tmp_path, ways)
    check(workspace, reference, same)
    with pytest.raises(AssertionError, match="p0:t00"):
        check(workspace, reference, other)
    assert [path for path, _ in differences(reference.tree, other.tree)] == ["p0/own/t01/digest"]


@tried(2)
@given(workspaces(min_size=4, max_size=8), st.integers(0, 99))
def test_claims_that_hold_are_not_accused(workspace: RandomWorkspace, seed: int) -> None:
    """Neither by a trace nor by a certificate, whatever fails, is skipped or tried again."""
    with tempfile.TemporaryDirectory() as folder:
        trace = in_child(traced, workspace, Path(folder, "trace"))
        certificate = in_child(validated, workspace, Path(folder, "validate"), 3, seed)
    for task in trace["tasks"]:
        lacks = (task["undeclared_reads"], task["undeclared_writes"])
        assert lacks == ([], []) or not task["claim"]["known"], task["id"]
    assert [met for met in trace["collisions"] if not met["ordered"]] == []
    assert (certificate["differences"], certificate["exit_code"]) == ([], 0)


@tried(1)
@given(workspaces(min_size=4, max_size=8), st.integers(0, 99))
def test_a_claim_that_is_missing_is_named(workspace: RandomWorkspace, seed: int) -> None:
    """By a trace, for the task that lacks it; a certificate finds the difference, and the pair."""
    with tempfile.TemporaryDirectory() as folder:
        removal = in_child(find_removal, workspace, Path(folder), seed)
        assume(removal is not None)
        trace = in_child(traced, removal.workspace, Path(folder, "trace"))
        certificate = in_child(validated, removal.workspace, Path(folder, "validate"), 8, seed)
    note(str(removal))
    paths = frozenset.union(*removal.pairs.values())
    task = next(task for task in trace["tasks"] if task["id"] == removal.task)
    lacks = {*task["undeclared_reads"], *task["undeclared_writes"]}
    assert lacks & {*paths, *map(_names_beside, paths)}
    met = {(m["first"], m["second"]): m["paths"] for m in trace["collisions"] if not m["ordered"]}
    assert any(where & {*met.get(pair, ())} for pair, where in removal.pairs.items())
    assert certificate["exit_code"] == 1
    named = {(p["first"], p["second"]) for d in certificate["differences"] for p in d["pairs"]}
    assert named & removal.pairs.keys()


@tried(2)
@given(workspaces(min_size=4, max_size=10), st.integers(0, 99))
def test_claims_that_a_trace_writes_are_enough(workspace: RandomWorkspace, seed: int) -> None:
    """Where nothing was claimed, and the plan has nothing else to go by."""
    ways = [Way(), Way(4), Way(8, durations=seed), *(Way(4, batches=seed + n) for n in range(3))]
    with tempfile.TemporaryDirectory() as folder:
        unknown = workspace.unknown()
        known = unknown._replace(observed=in_child(observed, unknown, Path(folder, "trace")))
        note(known.observed)
        reference, *others = in_child(run_all, known, Path(folder), ways)
        for way, ran in zip(ways[1:], others, strict=True):
            note(str(way))
            check(known, reference, ran)


def _names_beside(path: str) -> str:
    return f"{path.rpartition('/')[0]}/*".removeprefix("/")
