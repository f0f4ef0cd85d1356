"""What a start reads of the history: the summary beside the database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from polylane.outcome import Outcome
from polylane.plan.durations import Past
from polylane.remember import database, history
from polylane.result import RunResult
from tests.integrations.repository import Repository
from tests.remember.made import ended, run, tasks_of

RUFF = "lint:api:ruff"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with ours in it."""
    (tmp_path / ".polylane").mkdir()
    return tmp_path


def record(workspace: Path, result: RunResult, *, narrowed: bool = False) -> None:
    line = history.record(workspace, result, tasks_of(result), narrowed=narrowed)
    assert line == ""


def cache(workspace: Path) -> Path:
    return workspace / ".polylane" / "durations.cache"


def test_the_last_five_passed_runs_count_for_each_mode(workspace: Path) -> None:
    """The newest last; what failed, or was ended, says little of how long a task takes."""
    for wall in range(7):
        record(workspace, run(ended(RUFF, float(wall))))
    record(workspace, run(ended(RUFF, 9.0), mode="sequential"))
    for outcome in Outcome:
        if outcome is not Outcome.PASSED:
            record(workspace, run(ended(RUFF, 99.0, outcome=outcome)))
    tool, parallel, sequential, *_ = history.past(workspace).tasks[RUFF]
    assert (tool, parallel, sequential) == ("ruff", (2.0, 3.0, 4.0, 5.0, 6.0), (9.0,))


def test_a_task_that_passed_in_a_failed_run_counts(workspace: Path) -> None:
    """So does one of an interrupted run: it came to its own end."""
    record(workspace, run(ended(RUFF, 1.0), exit_code=1))
    record(workspace, run(ended(RUFF, 2.0), exit_code=130))
    assert history.past(workspace).tasks[RUFF][1] == (1.0, 2.0)


def peaks(workspace: Path) -> tuple[int, ...]:
    """The last peaks of ruff, as the summary says and as the database does."""
    said = history.past(workspace).tasks[RUFF][5]
    cache(workspace).unlink()
    assert history.past(workspace).tasks[RUFF][5] == said
    assert isinstance(said, tuple)
    return said


def test_the_last_ten_peaks_are_known(workspace: Path) -> None:
    """Of both modes; a task that was too short to be measured has none."""
    record(workspace, run(ended(RUFF)))
    assert peaks(workspace) == ()
    for peak in range(1, 13):
        mode = "parallel" if peak % 2 else "sequential"
        record(workspace, run(ended(RUFF, max_rss_bytes=peak), mode=mode))
    assert peaks(workspace) == tuple(range(3, 13))


def test_a_peak_of_a_task_that_did_not_pass_counts_where_it_is_larger(workspace: Path) -> None:
    """It may have ended before its peak, but it was as large as it was."""
    for peak, outcome in [(9, "failed"), (5, "passed"), (7, "failed"), (12, "timed-out")]:
        record(workspace, run(ended(RUFF, max_rss_bytes=peak, outcome=Outcome(outcome))))
    assert peaks(workspace) == (9, 5, 12)


def test_a_peak_of_a_narrowed_run_does_not_count(workspace: Path) -> None:
    """With few files a tool needs less."""
    record(workspace, run(ended(RUFF, max_rss_bytes=9)))
    record(workspace, run(ended(RUFF, max_rss_bytes=5)), narrowed=True)
    assert peaks(workspace) == (9,)


def test_a_narrowed_run_does_not_count(workspace: Path) -> None:
    """With words of their own, or for a few files, tasks take another time."""
    record(workspace, run(ended(RUFF, 9.0), mode="sequential"))
    record(workspace, run(ended(RUFF, 1.0), mode="sequential", wall_s=1.0), narrowed=True)
    for _ in range(2):
        past = history.past(workspace)
        assert past.tasks[RUFF][2] == (9.0,)
        assert [*past.sequential.values()] == [2.0]
        cache(workspace).unlink(missing_ok=True)


def test_the_newest_sequential_run_of_a_selection_is_the_measure(workspace: Path) -> None:
    """One that passed, of as many tasks."""
    one, two = ended(RUFF), ended("lint:web:eslint")
    for tasks, wall, more in (
        ((one, two), 6.0, {}),
        ((one, two), 7.0, {}),
        ((one, two), 1.0, {"mode": "parallel"}),
        ((one,), 2.0, {}),
        ((one, two), 3.0, {"exit_code": 1}),
        ((one, two), 4.0, {"selection": ("docs",)}),
    ):
        record(workspace, run(*tasks, **{"mode": "sequential", "wall_s": wall, **more}))
    expected = {(("lint",), 2): 7.0, (("lint",), 1): 2.0, (("docs",), 2): 4.0}
    assert history.past(workspace).sequential == expected
    cache(workspace).unlink()
    assert history.past(workspace).sequential == expected


def test_so_many_selections_are_remembered(workspace: Path) -> None:
    """The newest; each run of one makes it new."""
    for number in (*range(49), 0, *range(49, 51)):
        record(workspace, run(mode="sequential", selection=(f"v{number}",)))
    kept = [words[0] for words, _ in history.past(workspace).sequential]
    assert kept == [*(f"v{i}" for i in range(2, 49)), "v0", "v49", "v50"]
    assert len(kept) == history.SELECTIONS


def test_without_its_file_the_database_says_the_same(workspace: Path) -> None:
    """Caches may be removed at any time."""
    for number in range(8):
        tasks = [ended(f"lint:p{i}:ruff", float(i + number)) for i in range(number)]
        record(workspace, run(*tasks, mode="sequential" if number % 3 else "parallel"))
    said = history.read(workspace)
    cache(workspace).unlink()
    assert history.read(workspace) is None
    assert database.summary(workspace) == said
    past = history.past(workspace)
    assert said is not None
    assert (past.tasks, past.sequential) == (said.tasks, said.sequential)


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: b"x" + data, lambda _: b""])
def test_a_broken_one_is_as_good_as_none(workspace: Path, spoil: object) -> None:
    """The database is asked, and the next run mends it."""
    record(workspace, run(ended(RUFF, 3.0)))
    cache(workspace).write_bytes(spoil(cache(workspace).read_bytes()))  # type: ignore[operator]
    assert history.read(workspace) is None
    assert history.past(workspace).tasks[RUFF][1] == (3.0,)
    record(workspace, run(ended(RUFF, 4.0)))
    said = history.read(workspace)
    assert said is not None
    assert said.tasks[RUFF][1] == (3.0, 4.0)


def test_one_of_another_database_is_not_believed(workspace: Path) -> None:
    """As after a kill between the two, or where somebody put an old file back."""
    record(workspace, run(ended(RUFF, 1.0)))
    older = cache(workspace).read_bytes()
    record(workspace, run(ended(RUFF, 2.0)))
    cache(workspace).write_bytes(older)
    record(workspace, run(ended(RUFF, 3.0)))
    assert history.past(workspace).tasks[RUFF] == ("ruff", (1.0, 2.0, 3.0), (), 1, 3, ())


def test_without_a_database_nothing_is_known(workspace: Path) -> None:
    """Whoever removes it forgets the summary too."""
    assert history.past(workspace) == Past()
    record(workspace, run(ended(RUFF)))
    (workspace / ".polylane" / history.FILE).unlink()
    assert history.past(workspace) == Past()


def test_a_start_reads_it_without_sqlite(workspace: Path) -> None:
    """That would cost every start its import."""
    record(workspace, run(ended(RUFF)))
    program = (
        "import sys; from pathlib import Path; from polylane.remember import history\n"
        f"assert history.past(Path({str(workspace)!r})).tasks\n"
        "print('sqlite3' in sys.modules)"
    )
    done = Repository(workspace / "r").run(sys.executable, "-c", program)
    assert done.all == "False\n"
