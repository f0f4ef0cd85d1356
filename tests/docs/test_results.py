"""docs/results.md against the code."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from polylane import errors
from polylane.model import Claim, Task
from polylane.outcome import BAD, Outcome, TaskResult
from polylane.remember import tables
from polylane.result import RunResult, to_json
from polylane.run.signals import ENDING
from tests.docs.pages import named, rows, section


class TestResults:
    """docs/results.md against the code."""

    def test_every_exit_code_is_documented(self) -> None:
        """The table has the four codes of ours, those of ending signals, and no other."""
        documented = {int(cells[0]) for cells in rows(section("results.md", "## Exit codes"))}
        ours = {errors.PASSED, errors.FAILED, errors.USAGE, errors.DEFECT}
        assert documented == ours | {errors.SIGNAL_BASE + number for number in ENDING}

    def test_every_outcome_is_documented(self) -> None:
        """The table has every outcome, and says which make the run fail."""
        table = rows(section("results.md", "## Outcomes"))
        documented = {cells[0].strip(" `"): cells[-1].strip() for cells in table}
        assert documented == {
            outcome.value: str(errors.FAILED) if outcome in BAD else "" for outcome in Outcome
        }

    def test_every_key_of_the_result_is_documented(self) -> None:
        """The two tables have the keys of ``result.json``, and no other."""
        task = Task("lint:api:x", "lint", "api", "python", "x", ("x",), ".", Claim())
        result = TaskResult(task.id, Outcome.PASSED)
        run = RunResult("r", "parallel", ("lint",), 1, "", 0.0, 0.0, 0.0, 0, (result,))
        data = to_json(run, {task.id: task})
        of_run, of_tasks = section("results.md", "## `result.json`").split("Each of `tasks` has")
        assert named(of_run) == set(data)
        assert named(of_tasks) == set(data["tasks"][0])

    def test_every_table_of_the_history_is_documented(self) -> None:
        """With every column, and no other."""
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(";".join(tables.STEPS))
            known = {
                name: [column for _, column, *_ in database.execute(f"PRAGMA table_info({name})")]
                for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
        _, *parts = section("results.md", "## History").split("\nThe table `")
        documented = {part.partition("`")[0]: named(part) for part in parts}
        assert documented == {name: set(columns) for name, columns in known.items()}
