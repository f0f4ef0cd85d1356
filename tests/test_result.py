"""The figures of a run, and ``result.json``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polylane.outcome import Outcome, TaskResult
from polylane.plan.graph import Graph
from polylane.result import RunResult, conclude, to_json
from tests.plan.examples import graph_of, task

#: A moment in 2026, in seconds.
BEGUN = 1_770_000_000.25


def _run(graph: Graph, results: dict[int, TaskResult], **said: Any) -> RunResult:
    fields = {
        "run": "20260101-1",
        "parallel": True,
        "jobs": 2,
        "selection": ("lint",),
        "begun": BEGUN,
        "wall_s": 2.5,
        "signal": 0,
        **said,
    }
    return conclude(graph, results, **fields)


def _passed(name: str, started: float | None = 0.0, wall: float = 1.0) -> TaskResult:
    return TaskResult(name, Outcome.PASSED, started_s=started, wall_s=wall)


def _of(*results: TaskResult, **said: Any) -> RunResult:
    graph = graph_of(*(task(result.id) for result in results))
    return _run(graph, dict(enumerate(results)), **said)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.PASSED, 0),
        (Outcome.SKIPPED, 0),
        (Outcome.CACHED, 0),
        (Outcome.CANCELLED, 0),
        (Outcome.FAILED, 1),
        (Outcome.TIMED_OUT, 1),
        (Outcome.CRASHED, 1),
    ],
)
def test_a_run_fails_where_a_task_did(outcome: Outcome, code: int) -> None:
    """Whatever the others did."""
    run = _of(_passed("a"), TaskResult("b", outcome), _passed("c"))
    assert run.exit_code == code


@pytest.mark.parametrize(("signal", "code"), [(2, 130), (15, 143), (1, 129)])
def test_a_signal_decides_the_exit_code(signal: int, code: int) -> None:
    """As shells say it, also where a task failed."""
    assert _of(TaskResult("a", Outcome.FAILED), signal=signal).exit_code == code


def test_work_is_the_sum_and_the_critical_path_the_longest_chain() -> None:
    """Of tasks that waited for each other, not of those that merely ran."""
    graph = graph_of(task("a"), task("b", needs=("a",)), task("c"))
    results = {0: _passed("a", 0, 1.0), 1: _passed("b", 1, 2.0), 2: _passed("c", 0, 2.5)}
    run = _run(graph, results)
    assert (run.work_s, run.critical_path_s, run.wall_s) == (5.5, 3.0, 2.5)


@pytest.mark.parametrize(
    ("spans", "most"),
    [
        ([], 0),
        ([(None, 0.0)], 0),
        ([(0.0, 1.0)], 1),
        ([(0.0, 1.0), (1.0, 1.0)], 1),
        ([(0.0, 1.5), (1.0, 1.0)], 2),
        ([(0.0, 9.0), (1.0, 1.0), (3.0, 1.0), (3.5, 1.0), (8.0, 3.0)], 3),
        ([(0.0, 0.0)], 1),
        ([(1.0, 0.0), (0.0, 2.0)], 2),
    ],
)
def test_the_slots_used_are_the_most_tasks_at_one_moment(
    spans: list[tuple[float | None, float]], most: int
) -> None:
    """An end comes before a start; a task that took no measurable time counts."""
    results = [_passed(f"t{i}", started, wall) for i, (started, wall) in enumerate(spans)]
    assert _of(*results).slots_used == most


def test_a_run_without_tasks_has_passed() -> None:
    """All its figures are zero."""
    run = _of()
    assert (run.exit_code, run.work_s, run.critical_path_s, run.tasks) == (0, 0, 0.0, ())


def test_the_mode_is_named_and_the_start_has_its_offset() -> None:
    """ISO 8601."""
    run = _of(_passed("a"), parallel=False)
    assert run.mode == "sequential"
    assert _of(_passed("a")).mode == "parallel"
    assert run.started.startswith("2026-02-0")
    assert run.started[-5] in "+-"


KEYS = {
    "id", "verb", "project", "language", "tool", "argv", "cwd", "outcome", "exit_code",
    "started_s", "wall_s", "cpu_s", "max_rss_bytes", "read_bytes", "write_bytes", "log", "signal",
    "reason", "attempts", "reported_s", "leftover_processes", "waited_for", "refused",
}  # fmt: skip


def test_the_json_says_all_that_version_1_promises() -> None:
    """Seconds to the microsecond; the tasks come last, in reference order."""
    tasks = [
        task("b", verb="lint", language="python", tool="ruff", argv=("ruff", "check")),
        task("a", needs=("b",)),
    ]
    graph = graph_of(*tasks)
    results = {
        0: TaskResult(
            "b",
            Outcome.TIMED_OUT,
            exit_code=None,
            signal=9,
            reason="after 3 s",
            started_s=0.123456789,
            wall_s=1.00000049,
            cpu_s=0.5,
            max_rss_bytes=1024,
            read_bytes=1,
            write_bytes=2,
            log="b.log",
            attempts=2,
            reported_s=1.2,
            leftovers=("sleep 9",),
        ),
        1: TaskResult("a", Outcome.SKIPPED, reason="needs b, which timed out", waited_for=("b",)),
    }
    data = to_json(
        _run(graph, results, sequential_wall_s=3.0, memory={"budget": "auto"}),
        {t.id: t for t in tasks},
    )
    assert list(data)[-1] == "tasks"
    started = data.pop("started")
    assert "T" in started
    first, second = data.pop("tasks")
    assert data == {
        "version": 1,
        "run": "20260101-1",
        "mode": "parallel",
        "selection": ["lint"],
        "jobs": 2,
        "wall_s": 2.5,
        "work_s": 1.0,
        "critical_path_s": 1.0,
        "slots_used": 1,
        "shared": False,
        "sequential_wall_s": 3.0,
        "exit_code": 1,
        "task_count": 2,
        "protection": data["protection"],
        "memory": {"budget": "auto"},
    }
    assert first == {
        "id": "b",
        "verb": "lint",
        "project": "p",
        "language": "python",
        "tool": "ruff",
        "argv": ["ruff", "check"],
        "cwd": ".",
        "outcome": "timed-out",
        "exit_code": None,
        "started_s": 0.123457,
        "wall_s": 1.0,
        "cpu_s": 0.5,
        "max_rss_bytes": 1024,
        "read_bytes": 1,
        "write_bytes": 2,
        "log": "b.log",
        "signal": 9,
        "reason": "after 3 s",
        "attempts": 2,
        "reported_s": 1.2,
        "leftover_processes": ["sleep 9"],
        "waited_for": [],
        "refused": [],
    }
    assert set(first) == set(second) == KEYS
    assert (second["started_s"], second["reported_s"], second["waited_for"]) == (None, None, ["b"])
    json.dumps(data)
