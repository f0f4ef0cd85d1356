"""Where logs and results lie."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import unquote

import pytest

from polylane.errors import UserError
from polylane.remember import runs


def finished(folder: Path, **head: object) -> runs.RunFolder:
    run = runs.new_run(folder)
    result = {"mode": "sequential", "selection": ["qa"], "exit_code": 0, "wall_s": 9.0, **head}
    tasks = result.pop("tasks", [])
    run.write({**result, "tasks": tasks})
    return run


class TestLogNames:
    """A task's log."""

    @pytest.mark.parametrize("name", ["lint:api:ruff", "a/b: c", "ü✓", "..", "-", "%2F", "a\nb"])
    def test_a_name_is_the_encoded_id(self, tmp_path: Path, name: str) -> None:
        """It decodes to the id, and holds no separator."""
        log = runs.RunFolder("r", tmp_path).log(name)
        assert unquote(log.removesuffix(".log")) == name
        assert "/" not in log

    def test_long_ids_get_short_names_that_differ(self, tmp_path: Path) -> None:
        """300 characters fit, and two ids that begin alike have two logs."""
        run = runs.RunFolder("r", tmp_path)
        one, two = run.log("é" * 300 + "1"), run.log("é" * 300 + "2")
        assert one != two
        for log in (one, two):
            (tmp_path / log).touch()

    def test_a_retry_has_its_own_log(self, tmp_path: Path) -> None:
        """The first attempt's log stays."""
        run = runs.RunFolder("r", tmp_path)
        assert run.log("a", 2) != run.log("a", 1)


class TestRuns:
    """The folders of runs."""

    def test_two_runs_at_once_have_two_folders(self, tmp_path: Path) -> None:
        """In the same millisecond too."""
        assert len({runs.new_run(tmp_path).id for _ in range(20)}) == 20

    def test_last_points_to_the_newest(self, tmp_path: Path) -> None:
        """A link that is replaced at once."""
        finished(tmp_path)
        newest = finished(tmp_path)
        assert str((tmp_path / ".polylane" / "last").readlink()) == f"runs/{newest.id}"

    def test_an_unwritable_folder_is_the_users_to_mend(self, tmp_path: Path) -> None:
        """One line names it."""
        (tmp_path / ".polylane").write_text("in the way", encoding="utf-8")
        with pytest.raises(UserError, match=r"\.polylane.*cannot be written"):
            runs.new_run(tmp_path)

    def test_an_unwritable_runs_folder_too(self, tmp_path: Path) -> None:
        """``runs`` itself may be in the way."""
        (tmp_path / ".polylane").mkdir()
        (tmp_path / ".polylane" / "runs").write_text("in the way", encoding="utf-8")
        with pytest.raises(UserError, match=r"runs.*cannot be written"):
            runs.new_run(tmp_path)

    def test_the_newest_are_kept(self, tmp_path: Path) -> None:
        """Older ones go, but none that still goes on."""
        old = [finished(tmp_path) for _ in range(3)]
        going_on = runs.new_run(tmp_path)
        newest = [finished(tmp_path) for _ in range(2)]
        removed = runs.prune(tmp_path, 2)
        assert sorted(removed) == sorted(run.id for run in old)
        left = {path.name for path in (tmp_path / ".polylane" / "runs").iterdir()}
        assert left == {going_on.id, *(run.id for run in newest)}

    def test_an_abandoned_run_goes_after_a_day(self, tmp_path: Path) -> None:
        """Its runner was killed."""
        run = runs.new_run(tmp_path)
        os.utime(run.path, (0, 0))
        assert runs.prune(tmp_path, 0) == [run.id]

    def test_nothing_to_prune(self, tmp_path: Path) -> None:
        """A workspace without runs."""
        assert runs.prune(tmp_path, 1) == []


class TestResult:
    """``result.json``."""

    def test_result_is_json_with_tasks_last(self, tmp_path: Path) -> None:
        """So that the rest can be read without them."""
        run = finished(tmp_path, tasks=[{"id": "a"}])
        text = (run.path / "result.json").read_text(encoding="utf-8")
        assert list(json.loads(text))[-1] == "tasks"
