"""Runs that were, for the history's tests: results, and the tasks that they are of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from polylane.model import Claim, Task
from polylane.outcome import Outcome, TaskResult
from polylane.result import RunResult

_numbers = count(1)


def task(name: str) -> Task:
    """The task with this id."""
    verb, project, tool = name.split(":")
    return Task(name, verb, project, "python", tool, (tool,), ".", Claim())


def ended(name: str, wall: float = 1.0, **more: Any) -> TaskResult:
    """The end of a task that passed."""
    values = {"exit_code": 0, "started_s": 0.5, "attempts": 1, **more}
    return TaskResult(name, values.pop("outcome", Outcome.PASSED), wall_s=wall, **values)


def run(*tasks: TaskResult, **more: Any) -> RunResult:
    """A run of them, in parallel and passed where nothing else is said."""
    values: dict[str, Any] = {
        "id": f"run-{next(_numbers)}",
        "mode": "parallel",
        "selection": ("lint",),
        "jobs": 2,
        "started": "2026-01-02T03:04:05+0100",
        "wall_s": 2.0,
        "work_s": 4.0,
        "critical_path_s": 1.0,
        "exit_code": 0,
        "tasks": tasks,
        **more,
    }
    return RunResult(**values)


#: Table and column.
_SINCE_VERSION_1 = (("task_runs", "inputs"), ("runs", "total_cpu_s"), ("runs", "whole"))


def make_old(path: Path) -> None:
    """Bring a history's file back to version 1, with all that this could hold."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for table, column in _SINCE_VERSION_1:
            database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 1")


def tasks_of(result: RunResult) -> dict[str, Task]:
    """The tasks of a run by id."""
    return {each.id: task(each.id) for each in result.tasks}
