"""Watching settles: what tasks write themselves starts no endless runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from polylane.plan.settling import ALIKE_REPEATS, REPEATS, Settling


def _written(path: str) -> bool:
    return path.startswith("out/")


def _runs(settling: Settling, name: Callable[[int], str]) -> int:
    """How many further runs are made where each one writes a file."""
    for number in range(100):
        if not settling.after_run([name(number)], _written, []):
            return number
    raise AssertionError("it goes on and on")


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        (lambda _: "src/version.py", REPEATS),
        (lambda _: "out/version.py", REPEATS),
        (lambda number: f"src/report-{number + 2_000_000}.xml", REPEATS),
        (lambda number: f"src/{'x' * (number + 1)}.xml", ALIKE_REPEATS),
    ],
    ids=["unclaimed", "claimed", "numbered", "of any name"],
)
def test_what_each_run_writes_ends_soon(name: Callable[[int], str], runs: int) -> None:
    """Whether a task claims it or not, and when its name is another one each time."""
    settling = Settling()
    assert _runs(settling, name) == runs
    assert settling.given_up == [name(runs)]
    assert _runs(settling, name) == 0


def test_a_change_of_a_file_that_tasks_write_is_run_for_once_more() -> None:
    """It may be somebody's edit; when the next run leaves it alone, all is as before."""
    settling = Settling()
    assert settling.after_run(["out/x.py"], _written, []) == {"out/x.py"}
    assert settling.after_run([], _written, []) == set()
    assert _runs(settling, lambda _: "out/x.py") == REPEATS


def test_a_product_that_git_ignores_starts_nothing() -> None:
    """Where a task claims to write it; another program's product counts."""
    settling = Settling()
    ignored = ["out/a", "dist/b"]
    assert settling.after_run([*ignored, "src/c"], _written, ignored) == {"dist/b", "src/c"}


def test_files_that_somebody_edits_during_slow_runs_are_all_run_for() -> None:
    """One after the other, however many."""
    settling = Settling()
    for number in range(2 * ALIKE_REPEATS):
        path = f"src/{'abc'[number % 3]}/x.py"
        assert settling.after_run([path], _written, []) == {path}


def test_what_changes_while_nothing_runs_is_somebodys() -> None:
    """Even where each run wrote it before: from then on it counts again."""
    settling = Settling()
    _runs(settling, lambda _: "src/x.py")
    settling.at_rest(["src/x.py"])
    assert settling.after_run(["src/x.py"], _written, []) == {"src/x.py"}
    assert settling.given_up == []
