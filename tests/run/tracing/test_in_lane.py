"""Traces in a real lane."""

from __future__ import annotations

import os
from pathlib import Path

from polylane.run.tracing.touches import Touches
from tests.run.tracing.traces import TRACED, below
from tests.support import FORKS, job, run, wait_for

pytestmark = [FORKS, TRACED]


def test_a_traced_task_ends_as_an_untraced_one(tmp_path: Path) -> None:
    """Its exit code, its leftovers, and what it touched; the tracer's process is none of them."""
    script = "echo text > file; setsid sleep 300 & exit 3"
    report = run(job(tmp_path, script, trace="all"))[0]
    assert (report.kind, report.exit_code) == ("exited", 3)
    assert report.leftovers == ("sleep 300",)
    assert report.touches is not None
    assert below(tmp_path, Touches(*report.touches).written) == {"file"}


def test_what_a_traced_task_leaves_lives_on_through_the_next_tasks(tmp_path: Path) -> None:
    """Its calls are answered: the tracer's process is nobody's leftover."""
    os.mkfifo(tmp_path / "go")
    daemon = "(read line < go; echo > late) & exit 0"
    left = job(tmp_path, daemon, trace="all", leave=True)
    between, last = job(tmp_path, "exit 0", name="b"), job(tmp_path, "echo > go", name="c")
    reports = run(left, between, last)
    assert [(each.exit_code, each.leftovers) for each in reports] == [(0, ())] * 3
    wait_for((tmp_path / "late").exists, "a file of the daemon")
