"""Memory in whole runs: what is learned, what waits, what the kernel kills, and what then."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.repository import Done, Repository
from tests.limited import Group, group
from tests.support import FORKS

pytestmark = FORKS

MB = 1_000_000

#: Two of these meet before each takes its memory, and hold it until the other one is gone.
MEETING = """
import os, pathlib, sys, time
own, other, size = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
limit = time.monotonic() + 60

def state():
    try:
        pid = other.read_text()
        return pathlib.Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X" if other.exists() else ""

pathlib.Path(f"{own}.new").write_text(str(os.getpid()))
pathlib.Path(f"{own}.new").rename(own)
while not state() and time.monotonic() < limit:
    time.sleep(0.002)
block = b"x" * (size * 1_000_000)
while state() not in "ZX" and time.monotonic() < limit:
    time.sleep(0.002)
"""

#: A task that is large for as long as it takes to be seen so.
LARGE = "import time; x = b'x' * ({} * 1_000_000); time.sleep(0.6)"


def result(repository: Repository) -> Any:
    path = repository.folder / ".polylane" / "last" / "result.json"
    return json.loads(path.read_text(encoding="utf-8"))


def by_tool(repository: Repository) -> dict[str, Any]:
    return {task["tool"]: task for task in result(repository)["tasks"]}


def limited(repository: Repository, little: Group, *words: str) -> Done:
    """Run ``inv`` in a control group."""
    enter = f'echo $$ >"{little.folder}/cgroup.procs" && exec "$@"'
    return repository.run("sh", "-c", enter, "sh", sys.executable, "-m", "invoke", *words)


def python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


def made(folder: Path, memory: str = "auto", **tasks: object) -> Repository:
    """A repository with these tasks, in which only memory holds tasks back."""
    repository = Repository(folder).tasks(**tasks)
    file = folder / "pyproject.toml"
    said = f'[tool.polylane]\nmemory = "{memory}"\nmax_load = "100%"\nmachine_jobs = "off"\n'
    file.write_text(said + file.read_text(encoding="utf-8"), encoding="utf-8")
    return repository


def most_at_once(repository: Repository) -> int:
    spans = [(t["started_s"], t["started_s"] + t["wall_s"]) for t in by_tool(repository).values()]
    most: int = max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)
    return most


def test_learned_peaks_bound_how_many_run_at_once(tmp_path: Path) -> None:
    """Six of 100 MB on a budget of 350: all six at once until that is known, then three."""
    tasks = {f"t{i}": python(LARGE.format(100)) for i in range(6)}
    repository = made(tmp_path, "auto", **tasks)
    assert repository.inv("all-parallel", "--jobs", "6").code == 0
    peaks = [task["max_rss_bytes"] for task in by_tool(repository).values()]
    assert all(100 * MB < peak < 116 * MB for peak in peaks)
    assert most_at_once(repository) == 6
    made(tmp_path, "350MB", **tasks)
    assert repository.inv("all-parallel", "--jobs", "6").code == 0
    assert most_at_once(repository) == 3
    memory = result(repository)["memory"]
    assert memory == {
        "budget": 350 * MB,
        "budget_bytes": 350 * MB,
        "ran_alone": {},
        "killed": {},
    }


def test_a_group_is_a_budget(tmp_path: Path) -> None:
    """Of 400 MB a quarter is left to others, and to us: two of 120 MB fit, and not three."""
    large = {"command": python(LARGE.format(100)), "memory": "120MB"}
    repository = made(tmp_path, "auto", **{f"t{i}": large for i in range(4)})
    with group(400 * MB) as little:
        done = limited(repository, little, "all-parallel", "--jobs", "4")
    assert done.code == 0
    assert most_at_once(repository) <= 2
    assert result(repository)["memory"]["budget"] == "auto"
    assert 120 * MB < result(repository)["memory"]["budget_bytes"] < 300 * MB


def test_what_fits_nowhere_runs_alone_and_is_said(tmp_path: Path) -> None:
    """In the task's line, in the summary and in `result.json`; sequential runs say nothing."""
    repository = made(
        tmp_path,
        "500MB",
        large={"command": python(LARGE.format(1)), "memory": "1GB"},
        small={"command": python(LARGE.format(1)), "memory": "1MB"},
    )
    done = repository.inv("all-parallel", "--jobs", "2")
    words = "ran alone: it needs 1.0 GB of memory (as configured), and the budget is 500 MB"
    assert done.code == 0
    assert most_at_once(repository) == 1
    assert f"== all:root:large passed: {words} (" in done.out
    assert f"\nnot enough memory: all:root:large {words}\n" in done.out
    assert result(repository)["memory"]["ran_alone"] == {"all:root:large": words}
    assert by_tool(repository)["large"]["reason"] == words
    assert "ran alone" not in repository.inv("all").out


@pytest.mark.parametrize("shell", [False, True], ids=["itself", "its child"])
def test_what_the_kernel_kills_is_named_and_retried_alone(tmp_path: Path, *, shell: bool) -> None:
    """Two that are larger than they said: one is killed, and passes when it is alone."""
    words = {"one": ("one", "two"), "two": ("two", "one")}
    repository = made(
        tmp_path,
        "auto",
        **{
            name: {
                "command": f"{sys.executable} -I -S meet.py {own} {other} 180; exit $?"
                if shell
                else [sys.executable, "-I", "-S", "meet.py", own, other, "180"],
                "shell": shell,
                "memory": "16MB",
                "writes": [own],
            }
            for name, (own, other) in words.items()
        },
    )
    repository.write({"meet.py": MEETING})
    with group(320 * MB) as little:
        done = limited(repository, little, "all-parallel", "--jobs", "2")
    assert done.code == 0, done.all
    (killed,) = [task for task in by_tool(repository).values() if task["attempts"] == 2]
    (other,) = [task for task in by_tool(repository).values() if task["attempts"] == 1]
    assert (killed["outcome"], other["outcome"], other["reason"]) == ("passed", "passed", "")
    assert killed["reason"].startswith("the kernel killed ")
    assert killed["reason"].endswith(" for memory, so it was retried alone")
    assert killed["started_s"] >= other["started_s"] + other["wall_s"]
    assert list(result(repository)["memory"]["killed"]) == [killed["id"]]
    assert f"\nout of memory: {killed['id']}: the kernel killed " in done.out


@pytest.mark.parametrize("name", ["all", "all-parallel"])
def test_what_is_too_large_for_the_machine_fails_and_says_why(tmp_path: Path, name: str) -> None:
    """In sequence too; it is tried twice."""
    repository = made(tmp_path, huge={"command": python(LARGE.format(400)), "memory": "16MB"})
    with group(200 * MB) as little:
        done = limited(repository, little, name)
    assert done.code == 1
    huge = by_tool(repository)["huge"]
    assert (huge["outcome"], huge["signal"], huge["attempts"]) == ("failed", 9, 2)
    assert huge["reason"] == "the kernel killed it for memory, also when it ran alone"
    assert "; retried alone\n" in done.out


def test_a_python_body_is_killed_and_retried_too(tmp_path: Path) -> None:
    """Its process is a fork of the lane; the lane lives on."""
    repository = Repository(tmp_path)
    repository.write(
        {
            "tasks.py": (
                "import polylane\n"
                "@polylane.task(verb='all', reads=[], writes=[])\n"
                "def huge(c):\n"
                "    x = b'x' * 400_000_000\n"
                "ns = polylane.namespace()\n"
            )
        }
    )
    with group(200 * MB) as little:
        assert limited(repository, little, "all").code == 1
    huge = by_tool(repository)["huge"]
    assert (huge["attempts"], huge["signal"]) == (2, 9)
    assert "for memory" in huge["reason"]
