"""How a run's end looks."""

from __future__ import annotations

import os
import termios
from pathlib import Path

import pytest

from polylane.outcome import Outcome, TaskResult
from polylane.report import summary
from polylane.report.plain import Screen
from polylane.result import RunResult


def run(*tasks: TaskResult, **more: object) -> RunResult:
    values = {
        "id": "r",
        "mode": "parallel",
        "selection": ("qa",),
        "jobs": 2,
        "started": "",
        "wall_s": 2.0,
        "work_s": 4.0,
        "critical_path_s": 1.0,
        "exit_code": 0,
        "tasks": tasks,
        "slots_used": 2,
        **more,
    }
    return RunResult(**values)  # type: ignore[arg-type]


def shown(result: RunResult, folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    summary.show(Screen(colour=False), result, folder)
    return capfd.readouterr().out


def test_every_task_has_a_row(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With outcome, times, memory and I/O; nothing for a task that never started."""
    tasks = (
        TaskResult(
            "a", Outcome.PASSED, 0, started_s=0.0, wall_s=1.25, cpu_s=0.5, max_rss_bytes=3_000_000
        ),
        TaskResult("b", Outcome.SKIPPED, reason="needs c"),
        TaskResult("c", Outcome.PASSED, 0, started_s=0.0, read_bytes=1_500_000),
    )
    lines = shown(run(*tasks), tmp_path, capfd).split("\n")
    rows = {line.split()[0]: line.split() for line in lines if line[:1] in ("a", "b", "c")}
    assert rows["a"] == ["a", "passed", "1.25", "0.50", "3", "0.0", "0.0"]
    assert rows["b"] == ["b", "skipped"]
    assert rows["c"] == ["c", "passed", "0.00", "0.00", "-", "1.5", "0.0"]


@pytest.mark.parametrize(
    ("width", "last"),
    [(0, "wrote MB"), (84, "wrote MB"), (80, "read MB"), (66, "peak MB"), (9, "wall s")],
)
def test_a_narrow_terminal_has_fewer_columns(width: int, last: str) -> None:
    """The table is no wider than the terminal as long as that leaves outcomes and times."""
    lines = summary.table(
        [("type-check:api:mypy", "passed", "1.0", "1.0", "99", "0.3", "7.0")], width
    )
    assert lines[0].endswith(last)
    assert len(lines[1]) <= width or width in (0, 9)


def test_the_width_is_that_of_the_terminal(tmp_path: Path) -> None:
    """What is no terminal has none."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 66))
    with open(tmp_path / "file", "w") as file:
        assert (summary.columns(theirs), summary.columns(file.fileno())) == (66, 0)
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "saved 2.00 s (50%), an estimate: no sequential run was measured"),
        ({"sequential_wall_s": 8.0}, "saved 6.00 s (75%), measured against"),
        ({"mode": "sequential"}, "wall 2.00 s, work 4.00 s, slots 2 of 2\n"),
        ({"work_s": 0.0, "wall_s": 0.0}, "saved 0.00 s, an estimate"),
        ({"work_s": 2.01}, "saved nothing, an estimate: no sequential run was measured"),
        ({"work_s": 1.99}, "saved nothing, an estimate: no sequential run was measured"),
        ({"work_s": 1.5, "wall_s": 2.0}, "saved nothing: 0.50 s longer than in sequence, an"),
    ],
)
def test_saved_time_says_where_it_comes_from(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], more: dict[str, object], words: str
) -> None:
    """Measured where it was, an estimate otherwise, nothing for a sequential run."""
    assert words in shown(run(**more), tmp_path, capfd)


def test_one_task_saves_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """There was nothing to run beside it."""
    one = run(TaskResult("a", Outcome.PASSED, 0, started_s=0.0, wall_s=1.9), work_s=1.9)
    assert "saved" not in shown(one, tmp_path, capfd)


def test_what_memory_did_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Which task ran alone for it, and which the kernel killed, and whether that went again."""
    memory = {"ran_alone": {"a": "ran alone: it needs 2 GB"}, "killed": {"b": "killed", "c": "oh"}}
    tasks = (
        TaskResult("a", Outcome.PASSED, 0, attempts=1),
        TaskResult("b", Outcome.PASSED, 0, attempts=2),
        TaskResult("c", Outcome.CANCELLED, attempts=1),
    )
    lines = shown(run(*tasks, memory=memory), tmp_path, capfd).split("\n")
    said = [line for line in lines if "of memory" in line or "enough memory" in line]
    assert said == [
        "not enough memory: a ran alone: it needs 2 GB",
        "out of memory: b: killed; retried alone",
        "out of memory: c: oh",
    ]


def test_a_failure_shows_its_logs_tail(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The last lines and the path, not the whole log."""
    (tmp_path / "a.log").write_text("".join(f"line {i}\n" for i in range(100)), encoding="utf-8")
    failed = TaskResult("a", Outcome.FAILED, 1, started_s=0.0, log="a.log")
    out = shown(run(failed, exit_code=1), tmp_path, capfd)
    assert "line 84\n" not in out
    assert "   line 85\n" in out
    assert "   line 99\n" in out
    assert "a.log" in out
    assert out.endswith("parallel: 1 failed\n")


@pytest.mark.parametrize(("exit_code", "said"), [(127, 1), (1, 0)])
def test_what_would_install_a_missing_program_is_said(
    exit_code: int, said: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Once, before the verdict, which stays the last line."""
    tasks = [TaskResult(name, Outcome.FAILED, exit_code, started_s=0.0) for name in "ab"]
    text = shown(run(*tasks, exit_code=1), tmp_path, capfd)
    assert text.count("inv setup installs the tools") == said
    assert text.endswith("parallel: 2 failed\n")


def test_a_log_that_is_gone_has_no_tail(tmp_path: Path) -> None:
    """Nothing is shown, and nothing breaks."""
    assert summary.tail(tmp_path / "none") == []
    (tmp_path / "empty").write_bytes(b"")
    assert summary.tail(tmp_path / "empty") == []


def test_of_many_tasks_only_the_interesting_are_listed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Those that did not pass, and the slowest; the others are counted."""
    tasks = [
        TaskResult(f"t{i:03}", Outcome.PASSED, 0, started_s=0.0, wall_s=float(i))
        for i in range(150)
    ]
    tasks[3] = TaskResult("t003", Outcome.SKIPPED, reason="x")
    out = shown(run(*tasks), tmp_path, capfd)
    assert "t003" in out
    assert "t149" in out
    assert "t100" not in out
    assert "... and 129 more that passed" in out


def test_nothing_to_do_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A run of no task."""
    assert shown(run(), tmp_path, capfd).endswith("parallel: nothing to do\n")


def test_a_name_with_a_line_end_stays_in_its_row(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Folders may be called anything."""
    odd = TaskResult("lint:a\nb\x1b:é", Outcome.PASSED, 0, started_s=0.0)
    assert "lint:a\\nb\\x1b:é  passed" in shown(run(odd), tmp_path, capfd)
