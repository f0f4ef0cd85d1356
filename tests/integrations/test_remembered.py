"""What runs of every kind leave in the history, and what they make of it, through real Invoke."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from polylane.remember import history
from polylane.run.tracing.tracer import available as tracing
from tests.integrations.repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A workspace with three tasks, in which nothing ran."""
    return Repository(tmp_path / "r").tasks(a="true", b=["sleep", "0.05"], c="true")


def file(repository: Repository) -> Path:
    return repository.folder / ".polylane" / "history.sqlite3"


def rows(repository: Repository, question: str) -> list[Any]:
    with closing(sqlite3.connect(file(repository))) as opened:
        return opened.execute(question).fetchall()


def test_a_run_is_added(repository: Repository) -> None:
    """With the figures of its ``result.json``, whatever it came to."""
    repository.tasks(a="true", b="false", c={"command": "true", "needs": ["all:root:b"]})
    assert repository.inv("all-parallel", "--jobs", "2").code == 1
    result = repository.result()
    (run,) = rows(repository, "SELECT name, mode, jobs, exit_code, wall_s, narrowed FROM runs")
    assert run[:4] == (result["run"], "parallel", 2, 1)
    assert run[4] == pytest.approx(result["wall_s"], abs=1e-5)
    assert run[5] == 0
    assert rows(
        repository,
        "SELECT name, outcome, exit_code, attempts FROM task_runs JOIN tasks ON tasks.id = task"
        " ORDER BY name",
    ) == [("all:root:a", "passed", 0, 1), ("all:root:b", "failed", 1, 1)]


def test_a_parallel_run_is_measured_against_the_last_sequential_one(
    repository: Repository,
) -> None:
    """Of the same selection; one with words for its tools is another."""
    assert repository.inv("all").code == 0
    sequential = repository.result()["wall_s"]
    assert repository.inv("all-parallel").code == 0
    assert repository.result()["sequential_wall_s"] == pytest.approx(sequential, abs=1e-5)
    assert repository.inv("all-parallel", "--", "0").code == 0
    assert repository.result()["sequential_wall_s"] is None
    assert rows(repository, "SELECT narrowed FROM runs") == [(0,), (0,), (1,)]


def test_the_longest_path_goes_first_as_it_was_measured(repository: Repository) -> None:
    """In the second run; the first one takes the reference order."""
    assert repository.inv("all-parallel", "--jobs", "2").code == 0
    assert repository.inv("all-parallel", "--jobs", "2").code == 0
    started = {task["tool"]: task["started_s"] for task in repository.result()["tasks"]}
    assert min(started, key=started.__getitem__) == "b"


def test_the_plan_says_how_long_it_may_take(repository: Repository) -> None:
    """Once every task was measured; before that nothing is said."""
    plan = ("lanes.plan", "--select", "all", "--jobs", "2")
    assert "expected" not in repository.inv(*plan).out
    assert repository.inv("all-parallel", "--jobs", "2").code == 0
    assert re.search(
        r"^expected: about 0\.\d s in parallel with 2 slots \(about 0\.\d s in sequence\),"
        r" from 1 earlier run$",
        repository.inv(*plan).out,
        re.MULTILINE,
    )


def test_a_damaged_history_does_not_fail_a_run(repository: Repository) -> None:
    """It is set aside, one line says so, and the next run says nothing."""
    assert repository.inv("all").code == 0
    file(repository).write_bytes(b"spoiled" * 1000)
    done = repository.inv("all")
    assert done.code == 0
    (line,) = done.err.splitlines()
    assert re.fullmatch(
        r"polylane: \S+/history\.sqlite3: is damaged \(file is not a database\): set aside as"
        r" history\.sqlite3\.corrupt-\d{8}-\d{6}, and begun anew",
        line,
    )
    assert repository.inv("all").err == ""


def test_a_python_without_sqlite_runs_too(repository: Repository) -> None:
    """Some are built without; a line says what is lost."""
    repository.write({"sqlite3.py": "raise ImportError('not built')\n"})
    done = repository.inv("all-parallel", PYTHONPATH=str(repository.folder))
    assert done.code == 0
    assert done.err == "polylane: no history: not built\n"
    assert not file(repository).exists()


@pytest.mark.skipif(bool(tracing()), reason=f"no tracing here: {tracing()}")
def test_a_traced_run_is_not_added(repository: Repository) -> None:
    """Its tasks take longer than they do."""
    assert repository.inv("lanes.trace", "--select", "all").code == 0
    assert not file(repository).exists()


def test_the_rounds_of_a_certificate_are_not_added(repository: Repository) -> None:
    """They run in views, under a load that is made for them."""
    assert repository.inv("all").code == 0
    before = file(repository).read_bytes(), history.read(repository.folder)
    done = repository.inv("lanes.validate", "--select", "all", "--rounds", "1")
    assert done.code == 0, done.all
    assert (file(repository).read_bytes(), history.read(repository.folder)) == before
