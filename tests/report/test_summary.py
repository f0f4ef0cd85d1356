"""How a run's end looks."""

from __future__ import annotations

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
    ("more", "words"),
    [
        ({}, "saved 2.00 s (50%), an estimate: no sequential run was measured"),
        ({"sequential_wall_s": 8.0}, "saved 6.00 s (75%), measured against"),
        ({"mode": "sequential"}, "wall 2.00 s, work 4.00 s, slots 2 of 2\n"),
        ({"work_s": 0.0, "wall_s": 0.0}, "saved 0.00 s, an estimate"),
        ({"work_s": 1.5, "wall_s": 2.0}, "saved nothing: 0.50 s longer than in sequence, an"),
    ],
)
def test_saved_time_says_where_it_comes_from(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], more: dict[str, object], words: str
) -> None:
    """Measured where it was, an estimate otherwise, nothing for a sequential run."""
    assert words in shown(run(**more), tmp_path, capfd)


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
