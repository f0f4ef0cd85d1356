"""The logs of a lane: each name leads to what its own task wrote."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from polylane.run.log_file import Logs
from tests.support import FORKS, forbid, in_fork, job, kill_left, lanes, pids_in, reports

pytestmark = FORKS


def written(folder: Path, texts: Sequence[str], *, reusable: bool = True) -> list[str]:
    """Write logs one after the other, and read them all."""
    logs = Logs()
    for number, text in enumerate(texts):
        log = logs.open(f"{folder}/{number}")
        os.write(log.descriptor, text.encode())
        found = [(folder / str(n)).read_text() for n in range(number + 1)]
        assert found == [*texts[: number + 1]]
        logs.ended(log, reusable=reusable)
    return [(folder / str(n)).read_text() for n in range(len(texts))]


def files(folder: Path) -> int:
    """How many files there are, whatever their names."""
    return len({path.stat().st_ino for path in folder.iterdir()})


@pytest.mark.parametrize(
    "texts",
    [
        ["", "", "", ""],
        ["", "", "", "d", "", "", "g", ""],
        ["a", "", "c", "", "", "", "g"],
        ["", "b", "", "d", "", "f"],
    ],
)
def test_each_name_has_its_own_text(tmp_path: Path, texts: list[str]) -> None:
    """At any moment, whatever was empty before or is afterwards."""
    assert written(tmp_path, texts) == texts


def test_empty_logs_are_few_files(tmp_path: Path) -> None:
    """Two: one that stays empty, and one that goes from task to task."""
    written(tmp_path, [""] * 50)
    assert files(tmp_path) == 2


def test_what_may_be_written_late_is_not_used_again(tmp_path: Path) -> None:
    """A process that was left behind has it open."""
    written(tmp_path, [""] * 5, reusable=False)
    assert files(tmp_path) == 5


def test_a_log_that_is_there_is_written_anew(tmp_path: Path) -> None:
    """As an attempt of an earlier run of the same name would be."""
    (tmp_path / "3").write_text("old")
    assert written(tmp_path, ["", "", "", "new", ""]) == ["", "", "", "new", ""]


@pytest.mark.parametrize("lost", [0, 1])
def test_who_removes_a_log_removes_that_one(tmp_path: Path, lost: int) -> None:
    """Neither the one that stays empty nor the one that goes on is needed."""
    logs = Logs()
    for number in range(2):
        logs.ended(logs.open(f"{tmp_path}/{number}"), reusable=True)
    (tmp_path / str(lost)).unlink()
    log = logs.open(f"{tmp_path}/2")
    os.write(log.descriptor, b"c")
    logs.ended(log, reusable=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        str(1 - lost): "",
        "2": "c",
    }


def test_a_file_system_may_not_know_the_exchange(tmp_path: Path) -> None:
    """Then each log is a file."""

    def look() -> tuple[list[str], int]:
        forbid("renameat2", errno.EINVAL)
        return written(tmp_path, ["", "", "", "d"]), files(tmp_path)

    assert in_fork(look) == (["", "", "", "d"], 4)


def test_tasks_of_a_lane_share_what_is_empty(tmp_path: Path) -> None:
    """But what failed has its own: it may go again, or be asked what it was refused."""
    with lanes() as pool:
        for number, code in enumerate((0, 0, 0, 1, 0)):
            pool.assign(number, job(tmp_path, f"exit {code}", name=f"{number}.log"))
            assert reports(pool)[number].exit_code == code
        pool.assign(5, job(tmp_path, "echo out; echo err >&2", name="5.log"))
        reports(pool)
    assert (tmp_path / "5.log").read_text() == "out\nerr\n"
    assert [path.stat().st_size for path in sorted(tmp_path.iterdir())] == [0] * 5 + [8]
    assert [path.stat().st_nlink for path in sorted(tmp_path.iterdir())] == [4, 4, 4, 1, 4, 1]


def test_a_daemon_writes_into_the_log_of_its_own_task(tmp_path: Path) -> None:
    """Not into that of the next one, however late."""
    os.mkfifo(tmp_path / "go")
    daemon = "(read _ < go; echo late; echo done > done) & echo $! > pids"
    with lanes() as pool:
        for number in range(2):
            pool.assign(number, job(tmp_path, "true", name=f"{number}.log"))
            reports(pool)
        pool.assign(2, job(tmp_path, daemon, name="2.log", leave=True))
        reports(pool)
        left = pids_in(tmp_path / "pids")
        try:
            wait = "echo > go; until [ -e done ]; do sleep 0.01; done; echo own"
            pool.assign(3, job(tmp_path, wait, name="3.log"))
            reports(pool)
        finally:
            kill_left(left)
    logs = [(tmp_path / f"{number}.log").read_text() for number in range(4)]
    assert logs == ["", "", "late\n", "own\n"]
