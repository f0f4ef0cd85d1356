"""What memory does to runs, and what watching it costs: ``python benchmarks/memory.py --help``.

Eight tasks that take as much as is said, on budgets that hold three, two and none of them, and two
in a control group that the kernel kills one of. Then the CPU time of a lane that watches trees of
many processes, and that of the question whether a task fits.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # for the tests' own helpers

import pytest
import workspaces
from measure import environment
from tests.limited import Group, group
from tests.support import job, lanes, wait_for

from polylane.plan.memory import Need
from polylane.run import tree
from polylane.run.memory import Memory

_MB = 1_000_000
_TICKS = os.sysconf("SC_CLK_TCK")

#: Python itself takes about ten megabytes.
_HOG = "import time; x = b'x' * {}; time.sleep({})"


def main() -> None:
    said = _arguments()
    with tempfile.TemporaryDirectory(prefix="polylane-memory-") as name:
        size = said.size * _MB
        program = _HOG.format(size - 20 * _MB, said.seconds)
        command = [sys.executable, "-I", "-S", "-c", program]
        folder = workspaces.of_tasks(Path(name) / "hogs", {f"t{i}": command for i in range(8)})
        print("| what | at once, at most | killed | attempts | exit code |")
        print("|---|---|---|---|---|")
        _row("sequential: peaks are learned", folder, "all")
        for share, words in ((3, "budget of three"), (2, "of two"), (0.5, "of half a task")):
            _row(words, folder, "all-parallel", memory=f"{int(share * said.size)}MB")
        try:
            with group(3 * size) as made:
                _row("control group of three, less a floor", folder, "all-parallel", made=made)
            with group(size * 3 // 2) as made:
                _row("of one and a half, and a lie", folder, "all-parallel", made=made, lie="16MB")
        except pytest.skip.Exception as why:
            print(f"(no control group: {why})")
    print("\n| what | CPU time |")
    print("|---|---|")
    for count in said.processes:
        share = _watched(count, said.seconds * 10)
        print(f"| watching a task of {count} processes | {share:.2%} of a core |")
    print(f"| does a task fit, with plenty | {_asked() * 1e6:.1f} us a task |")


def _row(words: str, folder: Path, name: str, **how: Any) -> None:
    lie, memory, made = how.get("lie"), how.get("memory", "auto"), how.get("made")
    file = folder / "pyproject.toml"
    before = file.read_text()
    # Only memory shall hold tasks back.
    run = f'memory = "{memory}"\nmax_load = "100%"\nmachine_jobs = "off"'
    text = before.replace("[tool.polylane]", f"[tool.polylane]\n{run}", 1)
    if lie:
        text = text.replace("reads = []", f'reads = []\nmemory = "{lie}"')
    file.write_text(text)
    try:
        code = _run(folder, [name, *(["--jobs", "8"] if name != "all" else [])], made)
    finally:
        file.write_text(before)
    result = json.loads((folder / ".polylane" / "last" / "result.json").read_text())
    killed, tasks = len(result["memory"]["killed"]), result["tasks"]
    attempts = sum(task["attempts"] for task in tasks)
    print(f"| {words} | {result['slots_used']} | {killed} | {attempts} | {code} |", flush=True)
    for why in result["memory"]["ran_alone"].values():
        print(f"(each of {len(result['memory']['ran_alone'])}: {why})")
        break


def _run(folder: Path, words: Sequence[str], made: Group | None) -> int:
    enter = f'echo $$ >"{made.folder}/cgroup.procs" && exec "$@"' if made else 'exec "$@"'
    argv = ["sh", "-c", enter, "sh", sys.executable, "-m", "invoke", *words]
    return subprocess.run(
        argv, cwd=folder, env=environment(), capture_output=True, check=False
    ).returncode


def _watched(count: int, seconds: float) -> float:
    """The share of a core that a lane takes to watch so many processes."""
    with tempfile.TemporaryDirectory(prefix="polylane-memory-") as name, lanes() as pool:
        more = f"i=1; while [ $i -lt {count} ]; do sleep 999 & i=$((i+1)); done"
        pool.assign(0, job(Path(name), f"{more}; >ready; exec sleep 999"))
        wait_for((Path(name) / "ready").exists, "processes")
        lane = pool._zygote.pid_of(0)  # noqa: SLF001
        assert len(tree.descendants(lane)) == count
        begun, before = time.monotonic(), _cpu(lane)
        time.sleep(seconds)
        share = (_cpu(lane) - before) / (time.monotonic() - begun)
        pool.cancel(kill=True)
    return share


def _cpu(pid: int) -> float:
    """User and system time of one process, in seconds: proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _asked(count: int = 10_000) -> float:
    """What the budget costs a task that has plenty, four at once, in seconds."""
    from polylane.run.protocol import Report

    memory = Memory("auto", [Need(_MB, "")] * count, lambda _: 0)
    report = Report("exited", 0)
    begun = time.process_time()
    for task in range(count):
        memory.fits(task)
        memory.started(task)
        if task >= 4:
            memory.ended(task - 4, report, failed=False)
    return (time.process_time() - begun) / count


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="megabytes a task takes")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long it holds them")
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 10, 100, 1000])
    return parser.parse_args()


if __name__ == "__main__":
    main()
