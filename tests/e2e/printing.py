"""A run of four tasks that print at once, killed in some way when they have printed so much.

Used by ``test_logs.py`` and by ``benchmarks/logs.py``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from polylane.run import tree
from tests import printer
from tests.integrations.repository import Repository
from tests.support import LIMIT_S, parent, wait_for, wait_gone

TASKS = ("t0", "t1", "t2", "t3")

#: What is killed: each task's own process, each lane, the runner; or the run is told to end.
KILLS = ("tasks", "lanes", "runner", "run")


def printed(folder: Path, lines: int, kill: str, after: Sequence[int], *, bodies: bool) -> int:
    """Run, kill each task after so many lines of its own, and look at the logs.

    Returns how many lines were written in all. Where ``kill`` is ``runner`` or ``run``, the first
    end is that of all.

    Raises:
        AssertionError: a log lacks what was written before the end, or is out of order.
    """
    _repository(folder, lines, bodies=bodies)
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "all-parallel", "--jobs", "4"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in ("USE_PARALLEL", "POLYLANE_RUN")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for name, lines_before in zip(TASKS, after, strict=True):
            _kill(folder / name, process, kill, lines_before)
        process.wait(LIMIT_S)
        wait_gone([pid for pid, _ in (printer.said(folder / name) for name in TASKS) if pid])
    finally:
        process.kill()
        process.wait()
    return sum(_check(folder, name) for name in TASKS)


def _repository(folder: Path, lines: int, *, bodies: bool) -> None:
    repository = Repository(folder)
    repository.write({"printer.py": Path(printer.__file__).read_text(encoding="utf-8")})
    command = [sys.executable, "-I", "-S", "printer.py"]
    commands = {} if bodies else {name: [*command, name, str(lines)] for name in TASKS}
    repository.tasks(**commands)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('[tool.polylane]\ngrace = 0.2\nmax_load = "100%"\n')
    with (folder / "tasks.py").open("a", encoding="utf-8") as file:
        file.write(_bodies(lines) if bodies else "")


def _bodies(lines: int) -> str:
    return "import polylane, printer\n" + "".join(
        f"@polylane.task(verb='all', reads=[], writes=[])\n"
        f"def {name}(c):\n    return printer.be({name!r}, {lines}, body=True)\n"
        for name in TASKS
    )


def _kill(file: Path, process: subprocess.Popen[bytes], kill: str, after: int) -> None:
    """Kill what is to be killed when a task has written so much, if it is still there."""
    wait_for(
        lambda: printer.said(file)[1] >= after or process.poll() is not None,
        f"{after} lines of {file.name}",
    )
    if process.poll() is not None or kill not in KILLS:
        return
    pid, _ = printer.said(file)
    below = tree.descendants(process.pid)  # nobody else is killed, whatever became of the run
    if pid in below and kill == "tasks":
        os.kill(pid, signal.SIGKILL)
    elif pid in below and kill == "lanes" and (lane := parent(pid)) in below:
        os.kill(lane, signal.SIGKILL)
    elif kill in ("runner", "run"):
        process.send_signal(signal.SIGKILL if kill == "runner" else signal.SIGTERM)


def _check(folder: Path, name: str) -> int:
    _, written = printer.said(folder / name)
    logs = list(folder.glob(f".polylane/runs/*/*{name}.log"))
    assert len(logs) == bool(written) or not written, f"{name} has {len(logs)} logs"
    found = printer.whole_lines(logs[0].read_bytes()) if logs else 0
    assert found >= written, f"{name} has written {written} lines, its log has {found}"
    return written
