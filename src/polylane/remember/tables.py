"""The tables of the history, and what is written to and read from them; docs/results.md has them.

Knows nothing of the file that they lie in, nor of who else uses it.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from polylane.errors import PASSED, SIGNAL_BASE
from polylane.model import Task
from polylane.outcome import Outcome, TaskResult
from polylane.plan.durations import Walls
from polylane.plan.jobs import Trial
from polylane.records import NamedTuple
from polylane.remember.history import (
    SELECTIONS,
    Entry,
    Selection,
    Summary,
    Tried,
    longer,
    with_cores,
    with_peak,
    with_trial,
)
from polylane.result import RunResult

T = TypeVar("T")

#: So many runs of each task are kept.
KEEP = 50

#: How a task ends that nobody ended.
_OWN_ENDS = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED})

#: The statements that lead from each version to the next; ``PRAGMA user_version`` counts them.
STEPS = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        mode TEXT NOT NULL,
        selection TEXT NOT NULL,
        jobs INTEGER NOT NULL,
        started TEXT NOT NULL,
        wall_s REAL NOT NULL,
        work_s REAL NOT NULL,
        critical_path_s REAL NOT NULL,
        slots_used INTEGER NOT NULL,
        exit_code INTEGER NOT NULL,
        task_count INTEGER NOT NULL,
        interrupted INTEGER NOT NULL,
        narrowed INTEGER NOT NULL
    );
    CREATE TABLE tasks (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        verb TEXT NOT NULL,
        project TEXT NOT NULL,
        language TEXT NOT NULL,
        tool TEXT NOT NULL
    );
    CREATE TABLE task_runs (
        run INTEGER NOT NULL,
        task INTEGER NOT NULL,
        number INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        exit_code INTEGER,
        started_s REAL NOT NULL,
        wall_s REAL NOT NULL,
        cpu_s REAL NOT NULL,
        max_rss_bytes INTEGER,
        read_bytes INTEGER NOT NULL,
        write_bytes INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        PRIMARY KEY (run, task)
    ) WITHOUT ROWID;
    CREATE INDEX task_runs_by_task ON task_runs (task, number);
    """,
    "ALTER TABLE task_runs ADD COLUMN inputs INTEGER",
    """
    ALTER TABLE runs ADD COLUMN total_cpu_s REAL;
    ALTER TABLE runs ADD COLUMN whole INTEGER
    """,
)

_ADD_RUN = "INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_TASK_RUN = "INSERT OR REPLACE INTO task_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def newest(database: sqlite3.Connection) -> str:
    """The id of the newest run; empty where there is none."""
    row = database.execute("SELECT name FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else ""


def summary(database: sqlite3.Connection) -> Summary:
    """What the tables say of durations and memory: all of them are read."""
    walls: dict[tuple[int, str], Walls] = {}
    cores: dict[int, tuple[float, ...]] = {}
    for key, mode, wall, cpu in database.execute(
        "SELECT task, mode, task_runs.wall_s, cpu_s FROM task_runs JOIN runs ON runs.id = run"
        " WHERE outcome = 'passed' AND NOT narrowed AND typeof(task_runs.wall_s) = 'real'"
        " ORDER BY run"
    ):
        walls[key, mode] = longer(walls.get((key, mode), ()), wall)
        if isinstance(cpu, float):  # else somebody else's
            cores[key] = with_cores(cores.get(key, ()), cpu, wall)
    peaks: dict[int, tuple[int, ...]] = {}
    for key, peak, outcome in database.execute(
        "SELECT task, max_rss_bytes, outcome FROM task_runs JOIN runs ON runs.id = run"
        " WHERE NOT narrowed AND typeof(max_rss_bytes) = 'integer' ORDER BY run"
    ):
        peaks[key] = with_peak(peaks.get(key, ()), peak, passed=outcome == "passed")
    by_name: dict[str, Entry] = {}
    cores_by_name = {}
    for key, name, tool, runs in database.execute(
        "SELECT tasks.id, name, tool, coalesce(max(number), 0) FROM tasks"
        " LEFT JOIN task_runs ON task = tasks.id GROUP BY tasks.id"
    ):
        parallel, sequential = (walls.get((key, mode), ()) for mode in ("parallel", "sequential"))
        by_name[name] = (tool, parallel, sequential, key, runs, peaks.get(key, ()))
        if cores.get(key):
            cores_by_name[name] = cores[key]
    return Summary(
        newest(database), by_name, _sequential(database), cores_by_name, _trials(database)
    )


def _sequential(database: sqlite3.Connection) -> dict[Selection, float]:
    found: dict[Selection, float] = {}
    for selection, count, wall in database.execute(
        "SELECT selection, task_count, wall_s FROM runs WHERE mode = 'sequential'"
        " AND exit_code = 0 AND NOT narrowed AND typeof(wall_s) = 'real' ORDER BY id"
    ):
        with suppress(ValueError):  # somebody else's text
            _put(found, (_words(selection), count), wall)
    return found


def _trials(database: sqlite3.Connection) -> dict[Selection, tuple[Tried, ...]]:
    found: dict[Selection, tuple[Tried, ...]] = {}
    for selection, count, *values in database.execute(
        "SELECT selection, task_count, jobs, wall_s, work_s, total_cpu_s, critical_path_s FROM runs"
        " WHERE mode = 'parallel' AND whole AND NOT narrowed AND typeof(jobs) = 'integer'"
        " AND typeof(wall_s) = 'real' AND typeof(work_s) = 'real' AND typeof(total_cpu_s) = 'real'"
        " AND typeof(critical_path_s) = 'real' ORDER BY id"
    ):
        with suppress(ValueError):
            key = _words(selection), count
            _put(found, key, with_trial(found.get(key, ()), Trial(*values)))
    return found


def _words(selection: str) -> tuple[str, ...]:
    return tuple(map(str, json.loads(selection)))


def _put(known: dict[Selection, T], key: Selection, value: T) -> None:
    """Remember a selection's value as the newest, and forget the oldest."""
    known.pop(key, None)
    known[key] = value
    while len(known) > SELECTIONS:
        del known[next(iter(known))]


class AddedRun(NamedTuple):
    """A run on its way into the database."""

    result: RunResult
    tasks: Mapping[str, Task]
    narrowed: bool
    #: By task id: a number that is the same where its inputs are.
    inputs: Mapping[str, int]

    def add(self, database: sqlite3.Connection, known: Summary) -> None:
        """Add it to the database, and to what is known."""
        cpu_s, whole = sum(task.cpu_s for task in self.result.tasks), self._is_whole()
        run = self._add_run(database, cpu_s, whole=whole)
        ran = [task for task in self.result.tasks if task.started_s is not None]
        self._add_new_tasks(database, known, ran)
        rows = [self._row(run, task, known) for task in ran]
        database.executemany(_ADD_TASK_RUN, rows)
        old = [(key, number - KEEP) for _, key, number, *_ in rows if number > KEEP]
        database.executemany("DELETE FROM task_runs WHERE task = ? AND number = ?", old)
        if run % KEEP == 0:
            database.execute(
                "DELETE FROM runs WHERE id <= ?"
                " AND NOT EXISTS (SELECT 1 FROM task_runs WHERE task_runs.run = runs.id)",
                (run - KEEP,),
            )
        if not self.narrowed:
            self._add_times(known, cpu_s, whole=whole)

    def _is_whole(self) -> bool:
        """Whether each task came to its own end, and no other run held them up."""
        ended = all(task.outcome in _OWN_ENDS and task.attempts for task in self.result.tasks)
        return ended and not self.result.shared

    def _add_run(self, database: sqlite3.Connection, cpu_s: float, *, whole: bool) -> int:
        run = self.result
        values = (
            run.id,
            run.mode,
            json.dumps([stored(word) for word in run.selection], ensure_ascii=False),
            run.jobs,
            f"{run.started[:-2]}:{run.started[-2:]}",  # as SQLite's own functions want it
            run.wall_s,
            run.work_s,
            run.critical_path_s,
            run.slots_used,
            run.exit_code,
            len(run.tasks),
            run.exit_code > SIGNAL_BASE,
            self.narrowed,
            cpu_s,
            whole,
        )
        return database.execute(_ADD_RUN, values).lastrowid or 0

    def _add_new_tasks(
        self, database: sqlite3.Connection, known: Summary, ran: Sequence[TaskResult]
    ) -> None:
        new = {stored(each.id): each.id for each in ran if stored(each.id) not in known.tasks}
        if not new:
            return
        last = database.execute("SELECT coalesce(max(id), 0) FROM tasks").fetchone()[0]
        rows = []
        for key, (name, task_id) in enumerate(new.items(), last + 1):
            task = self.tasks[task_id]
            parts = (task.verb, task.project, task.language, task.tool)
            rows.append((key, name, *map(stored, parts)))
            known.tasks[name] = (stored(task.tool), (), (), key, 0, ())
        database.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _row(self, run: int, task: TaskResult, known: Summary) -> tuple[Any, ...]:
        """The task's row; what is known of it counts it too."""
        name = stored(task.id)
        tool, parallel, sequential, key, runs, peaks = known.tasks[name]
        passed = task.outcome is Outcome.PASSED
        if not self.narrowed:
            peaks = with_peak(peaks, task.max_rss_bytes, passed=passed)
        if passed and not self.narrowed:
            if cores := with_cores(known.cores.get(name, ()), task.cpu_s, task.wall_s):
                known.cores[name] = cores
            if self.result.mode == "parallel":
                parallel = longer(parallel, task.wall_s)
            else:
                sequential = longer(sequential, task.wall_s)
        known.tasks[name] = (tool, parallel, sequential, key, runs + 1, peaks)
        return (
            run,
            key,
            runs + 1,
            str(task.outcome),
            task.exit_code,
            task.started_s,
            task.wall_s,
            task.cpu_s,
            task.max_rss_bytes,
            task.read_bytes,
            task.write_bytes,
            task.attempts,
            self.inputs.get(task.id),
        )

    def _add_times(self, known: Summary, cpu_s: float, *, whole: bool) -> None:
        run = self.result
        key = tuple(map(stored, run.selection)), len(run.tasks)
        if run.mode == "sequential" and run.exit_code == PASSED:
            _put(known.sequential, key, run.wall_s)
        if run.mode == "parallel" and whole:
            values = run.jobs, run.wall_s, run.work_s, cpu_s, run.critical_path_s
            _put(known.trials, key, with_trial(known.trials.get(key, ()), Trial(*values)))


def stored(text: str) -> str:
    """A text as it is stored: a lone surrogate (a name that is not UTF-8) as JSON's escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
