"""What earlier parallel runs took, with how many slots."""

from __future__ import annotations

from pathlib import Path

from polylane.plan.jobs import Trial
from polylane.remember import history
from polylane.remember.trials import trials
from polylane.result import RunResult
from tests.remember.made import ended, run, tasks_of


def _remember(folder: Path, result: RunResult, *, narrowed: bool = False) -> None:
    (folder / ".polylane").mkdir(exist_ok=True)
    assert not history.record(folder, result, tasks_of(result), narrowed=narrowed)


def test_runs_of_the_same_tasks_are_found(tmp_path: Path) -> None:
    """The newest first."""
    one = ended("lint:a:x")
    for jobs, wall in ((4, 5.0), (8, 3.0)):
        _remember(tmp_path, run(one, jobs=jobs, wall_s=wall))
    assert trials(tmp_path, ("lint",), 1) == [Trial(8, 3.0, 4.0, 1.0), Trial(4, 5.0, 4.0, 1.0)]


def test_others_do_not_count(tmp_path: Path) -> None:
    """Another selection, more tasks, sequential, failed, or with words for the tools."""
    one, two = ended("lint:a:x"), ended("lint:b:x")
    _remember(tmp_path, run(one, selection=("test",)))
    _remember(tmp_path, run(one, two))
    _remember(tmp_path, run(one, mode="sequential"))
    _remember(tmp_path, run(one, exit_code=1))
    _remember(tmp_path, run(one), narrowed=True)
    assert trials(tmp_path, ("lint",), 1) == []


def test_nothing_is_known_without_a_history(tmp_path: Path) -> None:
    """Nor of a damaged one; and none is made."""
    assert trials(tmp_path, ("lint",), 1) == []
    (tmp_path / ".polylane").mkdir()
    assert trials(tmp_path, ("lint",), 1) == []
    file = tmp_path / ".polylane" / history.FILE
    assert not file.exists()
    file.write_bytes(b"x" * 5000)
    assert trials(tmp_path, ("lint",), 1) == []
