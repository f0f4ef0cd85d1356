"""What a process tree uses at the moment."""

from __future__ import annotations

import subprocess

from polylane.run.sample import Sample, sample
from tests.support import python, wait_for


def test_it_sums_cpu_and_memory_of_all_below() -> None:
    """A grandchild counts; the process itself counts with its CPU only."""
    grandchild = "b = bytearray(50 << 20)\nwhile True: b[0] ^= 1"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-ISc', {grandchild!r}])"
    with subprocess.Popen(python(child), start_new_session=True) as started:
        try:
            wait_for(lambda: sample(started.pid).rss_bytes > 50 << 20, "its memory")
            before = sample(started.pid).cpu_s
            wait_for(lambda: sample(started.pid).cpu_s > before, "its CPU time")
        finally:
            import os
            import signal

            os.killpg(started.pid, signal.SIGKILL)


def test_a_process_that_is_gone_uses_nothing() -> None:
    """No error."""
    with subprocess.Popen(python("")) as started:
        pass
    assert sample(started.pid) == Sample(0.0, 0)
