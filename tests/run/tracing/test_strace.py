"""The tracer and strace say the same of one run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.tracing.traces import TRACED
from tests.support import LIMIT_S

PROGRAM = Path(__file__).parents[3] / "benchmarks" / "tracer.py"


@TRACED
@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
@pytest.mark.skipif(not PROGRAM.exists(), reason="the benchmarks are not here")
def test_the_tracer_agrees_with_strace() -> None:
    """On each way to change a file that a shell has; the benchmark does so for real tools."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "shell", "--rounds", "0"],
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| shell | yes | 12 |" in done.stdout
