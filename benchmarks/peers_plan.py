"""How long planning takes: 10,000 tasks, each of which needs ten others.

Times the calls in new processes, without the start of Python; nothing runs.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import workspaces
from measure import Figure, absolute, environment

#: The first ones need nothing; each other needs so many.
_NEEDED = 10

_LIMIT_MS = 1000

#: Prints the seconds of planning, those of them that selection and graph took, and the size.
_PLAN = """
import time
from pathlib import Path
from polylane import planning
from polylane.plan.selection import Selection
alone = 0.0

def timed(call):
    def wrapper(*args):
        global alone
        begun = time.perf_counter()
        result = call(*args)
        alone += time.perf_counter() - begun
        return result
    return wrapper

for name in ("select", "reference_key", "build"):
    setattr(planning, name, timed(getattr(planning, name)))
begun = time.perf_counter()
plan = planning.make_plan(planning.Request(Path.cwd(), Selection(("all",))))
whole = time.perf_counter() - begun
print(whole, alone, len(plan.graph.tasks), plan.graph.edges())
"""


def plan(folder: Path, *, scale: float, rounds: int) -> list[Figure]:
    """Time planning for the first time and again, and the part of it that no file is read in."""
    made = _workspace(folder, round(10_000 * scale) + _NEEDED)
    first: list[float] = []
    again: list[float] = []
    alone: list[float] = []
    for number in range(-1, rounds):
        for cache in (made / ".polylane").glob("*.cache"):
            cache.unlink()
        fresh, _, size = _times(made)
        whole, only, _ = _times(made)
        if number >= 0:
            first.append(fresh)
            again.append(whole)
            alone.append(only)
    return [
        absolute(f"planning {size}: selection and graph", alone, _LIMIT_MS),
        absolute(f"planning {size}: all of it, configuration known", again, _LIMIT_MS),
        absolute(f"planning {size}: all of it, for the first time", first, None),
    ]


def _workspace(folder: Path, count: int) -> Path:
    chosen = random.Random(3)
    names = [f"t{i}" for i in range(count)]
    needs = {names[i]: chosen.sample(names[:i], _NEEDED) for i in range(_NEEDED, count)}
    return workspaces.of_tasks(folder, {name: [workspaces.TRUE] for name in names}, needs)


def _times(folder: Path) -> tuple[float, float, str]:
    """Seconds of planning, those of selection and graph, and the size in words."""
    argv = [sys.executable, "-c", _PLAN]
    done = subprocess.run(argv, cwd=folder, env=environment(), stdout=subprocess.PIPE, check=True)
    whole, alone, tasks, edges = done.stdout.split()
    return float(whole), float(alone), f"{int(tasks):,} tasks, {int(edges):,} edges"
