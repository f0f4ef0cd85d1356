"""How a plan reads: what it says of the time that it may take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from polylane.describe.config import Config
from polylane.describe.workspace import Workspace
from polylane.model import Claim, Task
from polylane.plan.durations import Past
from polylane.plan.graph import build
from polylane.planning import Mode, Plan
from polylane.report import plan_text


def task(tool: str, verb: str = "lint", **more: Any) -> Task:
    return Task(f"{verb}:api:{tool}", verb, "api", "", tool, (tool,), ".", Claim(), **more)


def plan(*tasks: Task, **mode: Any) -> Plan:
    graph = build(tasks, lambda each: (each.id,))
    said = {"parallel": True, "jobs": 2, **mode}
    workspace = Workspace(Path("/w"), {}, {})
    return Plan(Config(Path("/w")), workspace, Mode(**said), graph, {t.id: t for t in tasks})


def past(**walls: float) -> Past:
    """Each task in three sequential runs, and in three parallel ones a second longer."""
    return Past(
        {f"lint:api:{tool}": (tool, (wall + 1,) * 3, (wall,) * 3) for tool, wall in walls.items()}
    )


def expected(made: Plan, known: Past | None) -> list[str]:
    lines = plan_text.plan(made, known).split("\n")
    return [line for line in lines if line.startswith("expected")]


def test_a_parallel_plan_says_both_times() -> None:
    """Each by the runs of its kind."""
    made = plan(task("a"), task("b"), task("c"))
    (line,) = expected(made, past(a=30, b=20, c=9))
    both = "about 31 s in parallel with 2 slots (about 59 s in sequence)"
    assert line == f"expected: {both}, from 3 earlier runs"


def test_a_sequential_plan_says_its_own() -> None:
    """Its tasks one after the other."""
    made = plan(task("a"), task("b"), parallel=False, jobs=1)
    assert expected(made, past(a=30, b=20)) == [
        "expected: about 50 s in sequence, from 3 earlier runs"
    ]


def shares(made: Plan, known: Past | None = None) -> list[str]:
    lines = plan_text.plan(made, known).split("\n")
    return [line.strip() for line in lines if line.startswith("    takes ")]


def test_a_parallel_plan_says_what_tasks_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots, and memory with where the figure comes from; in sequence nothing is shared."""
    monkeypatch.delenv("RUFF_NUM_THREADS", raising=False)
    monkeypatch.delenv("RAYON_NUM_THREADS", raising=False)
    tasks = (
        task("black", memory=1_200_000_000, slots=2),
        task("mine"),
        task("ruff", verb="format"),
    )
    peak = ("mine", (1.0,), (1.0,), 1, 2, (340_000_000,))
    assert shares(plan(*tasks, jobs=4), Past({"lint:api:mine": peak})) == [
        "takes 1 to 4 slots, and is told how many; 64 MB of memory, a guess by its tool",
        "takes 2 slots; 1.2 GB of memory, as configured",
        "takes 1 slot; 340 MB of memory, the most of its last runs",
    ]
    assert shares(plan(*tasks, parallel=False, jobs=1)) == []


def test_no_task_takes_more_slots_than_there_are() -> None:
    """What wants more has all of them."""
    (line,) = shares(plan(task("mine", slots=8), jobs=2))
    assert line.startswith("takes 2 slots;")


def test_verbs_that_run_alone_do_so() -> None:
    """They share no slot."""
    made = plan(task("a"), task("b"), jobs=4, alone=frozenset({"lint"}))
    (line,) = expected(made, past(a=30, b=20))
    assert line.startswith("expected: about 52 s in parallel with 4 slots (about 50 s in")


@pytest.mark.parametrize("known", [None, Past(), past(a=30)])
def test_without_history_nothing_is_said(known: Past | None) -> None:
    """Nor where a task that matters is unknown."""
    assert expected(plan(task("a"), task("b", needs=("lint:api:a",))), known) == []


@pytest.mark.parametrize(
    ("wall", "text"),
    [
        (0.001, "0.1 s"),
        (0.44, "0.4 s"),
        (9.4, "9.4 s"),
        (41.2, "41 s"),
        (119.0, "119 s"),
        (125.0, "2 min"),
        (3600.0, "60 min"),
        (9000.0, "2 h 30 min"),
    ],
)
def test_a_time_is_as_exact_as_it_can_be_known(wall: float, text: str) -> None:
    """Tenths of a second, seconds, minutes, hours."""
    assert plan_text.seconds(wall) == text
