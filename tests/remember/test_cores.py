"""How many cores tasks used, by what the history keeps of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.outcome import Outcome
from polylane.plan.durations import cores
from polylane.remember import history
from tests.remember.made import ended, run, tasks_of

TASK = "lint:api:own"


def known(workspace: Path) -> dict[str, float]:
    """From the summary; it must say what the database does."""
    found = cores(history.past(workspace))
    (workspace / ".polylane" / history.SUMMARY).unlink()
    assert cores(history.past(workspace)) == found
    return found


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".polylane").mkdir()
    return tmp_path


def took(
    workspace: Path, cpu: float, wall: float = 2.0, *, narrowed: bool = False, **more: object
) -> None:
    result = run(ended(TASK, wall, cpu_s=cpu, **more))
    assert not history.record(workspace, result, tasks_of(result), narrowed=narrowed)


def test_a_task_used_the_median_of_its_last_runs(workspace: Path) -> None:
    """Five of them."""
    for cpu in (20.0, 2.0, 4.0, 6.0, 4.0, 4.0):
        took(workspace, cpu)
    assert known(workspace) == {TASK: 2.0}


def test_only_a_usual_run_says_how_many_cores_a_task_uses(workspace: Path) -> None:
    """Not one that was short, failed, or had words of its own."""
    took(workspace, 1.0, wall=0.4)
    took(workspace, 9.0, outcome=Outcome.FAILED)
    took(workspace, 9.0, narrowed=True)
    assert known(workspace) == {}
    took(workspace, 3.0)
    assert known(workspace) == {TASK: 1.5}
