"""``lanes.stats`` after real runs: what is flaky, and what is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.integrations.repository import Repository
from tests.remember.made import make_old


def flaky(repository: Repository) -> list[str]:
    """What is said to be flaky."""
    done = repository.inv("lanes.stats")
    assert done.code == 0, done.all
    return [line for line in done.out.splitlines() if line.startswith("flaky: ")]


def made(folder: Path, **more: object) -> Repository:
    """A task that fails every other time, by a count that lies outside of the workspace."""
    count = folder / "count"
    script = f"echo >> {count}; test $(($(wc -l < {count}) % 2)) = 0"
    task = {"command": script, "shell": True, "reads": ["src"], **more}
    honest = {"command": "grep -q good src/a", "shell": True, "reads": ["src"]}
    repository = Repository(folder / "repository").tasks(flaky=task, honest=honest)
    return repository.write({"src/a": "good"})


def test_a_task_with_both_outcomes_and_the_same_inputs_is_flaky(tmp_path: Path) -> None:
    """In whichever mode it ran."""
    repository = made(tmp_path)
    codes = [repository.inv(name).code for name in ("all", "all-parallel", "all-parallel")]
    assert codes == [1, 0, 1]
    assert flaky(repository) == [
        "flaky: all:root:flaky failed in 2 runs and passed in 1 with the same inputs"
    ]


def test_a_task_that_fails_for_a_changed_file_is_not(tmp_path: Path) -> None:
    """Whether it is committed or not."""
    repository = made(tmp_path, command="true", shell=False)
    codes = [repository.inv("all").code]
    repository.write({"src/a": "bad"})
    codes.append(repository.inv("all").code)
    repository.run("git", "add", ".")
    codes.append(repository.inv("all").code)
    repository.write({"src/a": "good"})
    codes.append(repository.inv("all").code)
    assert codes == [0, 1, 1, 0]
    assert flaky(repository) == []
    question = "SELECT inputs FROM task_runs JOIN tasks ON id = task WHERE tool = 'honest'"
    with closing(sqlite3.connect(repository.folder / ".polylane/history.sqlite3")) as database:
        numbers = [number for (number,) in database.execute(question)]
    assert numbers[0] == numbers[3] != numbers[1] == numbers[2]


def test_a_task_that_passes_on_a_retry_is_flaky(tmp_path: Path) -> None:
    """In one run."""
    repository = made(tmp_path, retries=1)
    assert repository.inv("all").code == 0
    assert flaky(repository) == ["flaky: all:root:flaky passed on a retry in 1 run"]


def test_a_history_from_before_inputs_says_nothing_of_them(tmp_path: Path) -> None:
    """What it holds stays; the next run brings it to the new tables."""
    repository = made(tmp_path)
    repository.inv("all")
    path = repository.folder / ".polylane/history.sqlite3"
    make_old(path)
    assert flaky(repository) == []
    assert repository.inv("all").code == 0
    assert flaky(repository) == []
    assert repository.inv("all").code == 1
    assert flaky(repository) == [
        "flaky: all:root:flaky failed in 1 run and passed in 1 with the same inputs"
    ]
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT inputs IS NULL FROM task_runs ORDER BY run").fetchall()
    assert rows == [(1,), (1,), (0,), (0,), (0,), (0,)]
