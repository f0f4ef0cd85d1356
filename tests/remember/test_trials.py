"""What earlier parallel runs took, with how many slots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from polylane.outcome import Outcome
from polylane.plan.jobs import Trial
from polylane.remember import history
from polylane.result import RunResult
from tests.remember.made import ended, run, tasks_of

ONE = ended("lint:a:x", cpu_s=0.5)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".polylane").mkdir()
    return tmp_path


def remember(workspace: Path, result: RunResult, *, narrowed: bool = False) -> None:
    assert not history.record(workspace, result, tasks_of(result), narrowed=narrowed)


def trials(workspace: Path) -> Sequence[Trial]:
    """Of a task of lint, from the summary; it must say what the database does."""
    found = history.past(workspace).trials
    (workspace / ".polylane" / history.SUMMARY).unlink(missing_ok=True)
    assert history.past(workspace).trials == found
    return found.get((("lint",), 1), ())


def test_runs_of_the_same_tasks_are_found(workspace: Path) -> None:
    """The newest last; also those in which tasks failed by themselves."""
    remember(workspace, run(ONE, jobs=4, wall_s=5.0))
    failed = ended("lint:a:x", outcome=Outcome.FAILED, exit_code=1, cpu_s=0.25)
    remember(workspace, run(failed, jobs=8, wall_s=3.0, exit_code=1))
    assert trials(workspace) == [Trial(4, 5.0, 4.0, 0.5, 1.0), Trial(8, 3.0, 4.0, 0.25, 1.0)]


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.TIMED_OUT, Outcome.CRASHED])
def test_a_run_that_was_cut_short_does_not_count(workspace: Path, outcome: Outcome) -> None:
    """Somebody ended a task of it."""
    remember(workspace, run(ended("lint:a:x", outcome=outcome), exit_code=1))
    assert not trials(workspace)


def test_others_do_not_count(workspace: Path) -> None:
    """Of another selection, more tasks, or one that never started; held up, or of another kind."""
    other = ended("lint:b:x")
    remember(workspace, run(ONE, selection=("test",)))
    remember(workspace, run(ONE, other))
    skipped = ended("lint:a:x", outcome=Outcome.SKIPPED, started_s=None, attempts=0)
    remember(workspace, run(skipped))
    remember(workspace, run(ONE, mode="sequential"))
    remember(workspace, run(ONE, shared=True))
    remember(workspace, run(ONE), narrowed=True)
    assert not trials(workspace)


def test_the_last_five_of_a_number_are_kept_for_fifty_runs(workspace: Path) -> None:
    """What a run with more took is forgotten at last: the repository has changed since."""
    remember(workspace, run(ONE, jobs=4, wall_s=9.0))
    for number in range(49):
        remember(workspace, run(ONE, jobs=2, wall_s=float(number)))
    assert [(trial.jobs, trial.wall_s) for trial in trials(workspace)] == [
        (4, 9.0),
        *((2, float(number)) for number in range(44, 49)),
    ]
    remember(workspace, run(ONE, jobs=2))
    assert {trial.jobs for trial in trials(workspace)} == {2}


def test_nothing_is_known_without_a_history(workspace: Path) -> None:
    """Nor of a damaged one; and none is made."""
    assert not trials(workspace)
    file = workspace / ".polylane" / history.FILE
    assert not file.exists()
    file.write_bytes(b"x" * 5000)
    assert not trials(workspace)
