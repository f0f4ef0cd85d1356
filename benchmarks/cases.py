"""The benchmarks by name: what is compared with what, and the limit that we set ourselves.

Each makes its workspaces below a folder of its own, and returns rows of the table.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import workspaces
from measure import Command, Figure, absolute, difference, environment, interleaved, ratio

JOBS = 2
_MANY = 1000
_BIN = Path(sys.executable).parent
_INV = str(_BIN / "inv")
EXAMPLE = Path(__file__).parent.parent / "examples" / "workflow-kit"

#: Finds the projects of the current folder as every run does, and prints how long it took: the
#: interpreter's own start and our imports are not part of it, nor is what a run does next.
_FIND = """
import time
from pathlib import Path
from polylane.describe import config, workspace
begun = time.perf_counter()
found = workspace.find(config.load(Path.cwd()))
print(len(found.projects), time.perf_counter() - begun)
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said."""

    folder: Path
    #: None: each benchmark has its own number.
    rounds: int | None

    def number(self, usual: int) -> int:
        return usual if self.rounds is None else self.rounds


Case = Callable[[Asked], list[Figure]]


def ten(asked: Asked) -> list[Figure]:
    """Ten tasks of /bin/true in parallel, against plain Invoke with a task that does nothing."""
    ours = workspaces.of_true(asked.folder / "ten", 10)
    plain = workspaces.hand_written(asked.folder / "plain", ["nothing"])
    samples = interleaved(
        {
            "polylane": Command([_INV, "all-parallel", "--jobs", str(JOBS)], ours),
            "inv nothing": Command([_INV, "nothing"], plain),
        },
        rounds=asked.number(25),
    )
    return [difference("10 tasks of /bin/true, over `inv nothing`", samples, 60)]


def listing(asked: Asked) -> list[Figure]:
    """``inv --list`` on the example, against a hand-written tasks.py with as many tasks."""
    ours = workspaces.copy_of(EXAMPLE, asked.folder / "example")
    plain = workspaces.hand_written(asked.folder / "by-hand", _names(ours))
    samples = interleaved(
        {
            "polylane": Command([_INV, "--list"], ours),
            "by hand": Command([_INV, "--list"], plain),
        },
        rounds=asked.number(25),
    )
    return [difference("`inv --list` of the example, over one by hand", samples, 30)]


def _names(folder: Path) -> list[str]:
    """Every Invoke task that polylane offers in a workspace."""
    argv = [_INV, "--list", "--list-format", "json"]
    listed = json.loads(_output(argv, folder))
    below = [f"{c['name']}-{t['name']}" for c in listed["collections"] for t in c["tasks"]]
    return [*(task["name"] for task in listed["tasks"]), *below]


def thousand(asked: Asked) -> list[Figure]:
    """1,000 tasks of /bin/true, against ninja; each sample prunes an older run."""
    ours = workspaces.of_true(asked.folder / "thousand", _MANY)
    ninjas = workspaces.of_true_for_ninja(asked.folder / "ninja", _MANY)
    argv = [_INV, "all-parallel", "--jobs", str(JOBS)]
    samples = interleaved(
        {
            "polylane": Command(argv, ours),
            "ninja": Command(["ninja", "-j", str(JOBS), "all"], ninjas),
        },
        rounds=asked.number(7),
    )
    return [ratio("1,000 tasks of /bin/true, over ninja", samples, 2.0)]


def discovery(asked: Asked) -> list[Figure]:
    """Finding 1,000 projects, with nothing remembered and with all."""
    folder = workspaces.of_projects(asked.folder / "projects", _MANY)
    cache = folder / ".polylane" / "workspace.cache"
    rows = []
    for name, limit, before in (
        ("cold", 500, lambda: cache.unlink(missing_ok=True)),
        ("warm", 50, lambda: None),
    ):
        times = [_find(folder, before) for _ in range(asked.number(9) + 1)][1:]
        rows.append(absolute(f"finding 1,000 projects, {name}", times, limit))
    return rows


def _find(folder: Path, before: Callable[[], None]) -> float:
    before()
    argv = [sys.executable, "-c", _FIND]
    found, seconds = _output(argv, folder).split()
    if int(found) != _MANY + 1:  # the workspace itself is a Node project too
        raise SystemExit(f"found {int(found)} projects, not {_MANY + 1}")
    return float(seconds)


def _output(argv: list[str], folder: Path) -> bytes:
    done = subprocess.run(argv, cwd=folder, env=environment(), stdout=subprocess.PIPE, check=True)
    return done.stdout


CASES: Mapping[str, Case] = {
    "ten": ten,
    "list": listing,
    "thousand": thousand,
    "discovery": discovery,
}
