"""The whole history, read back: every run and every start of a task that it has kept.

Leaves out what says nothing of usual runs: narrowed and interrupted ones. Knows nothing of what is
made of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from polylane.describe.home import NAME
from polylane.errors import UserError
from polylane.remember.history import FILE

_RUNS = (
    "SELECT mode, selection, started, wall_s, exit_code FROM runs"
    " WHERE NOT narrowed AND NOT interrupted AND typeof(wall_s) = 'real' ORDER BY id"
)
_STARTS = (
    "SELECT tasks.name, mode, outcome, task_runs.wall_s, attempts, {inputs} FROM task_runs"
    " JOIN tasks ON tasks.id = task JOIN runs ON runs.id = run"
    " WHERE NOT narrowed AND NOT interrupted AND typeof(task_runs.wall_s) = 'real'"
    " AND typeof(attempts) = 'integer' ORDER BY run"
)


class Run(NamedTuple):
    """One run; ``wall_s`` in seconds."""

    mode: str
    selection: tuple[str, ...]
    started: str
    wall_s: float
    exit_code: int


class Start(NamedTuple):
    """What became of a task in a run; of several attempts ``wall_s`` is the last one's."""

    task: str
    mode: str
    outcome: str
    wall_s: float
    attempts: int
    #: The same number, the same inputs; None where nobody knows.
    inputs: int | None = None


class Records(NamedTuple):
    """The oldest first."""

    runs: list[Run]
    starts: list[Start]


def read(workspace: Path) -> Records:
    """All that is kept; nothing where there is no history, `UserError` where it is unreadable."""
    path = (workspace / NAME / FILE).absolute()
    if not path.exists():
        return Records([], [])
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            starts = [Start(*row) for row in database.execute(_starts(database))]
            return Records(list(_runs(database)), starts)
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def _starts(database: sqlite3.Connection) -> str:
    """The question; a database that no newer run has written to knows no inputs."""
    columns = [name for _, name, *_ in database.execute("PRAGMA table_info(task_runs)")]
    return _STARTS.format(inputs="inputs" if "inputs" in columns else "NULL")


def _runs(database: sqlite3.Connection) -> Iterator[Run]:
    for mode, selection, *rest in database.execute(_RUNS):
        yield Run(mode, tuple(map(str, json.loads(selection))), *rest)
