"""The result of a run: its figures and its tasks, and ``result.json`` version 1.

Knows nothing of how runs are made; reading DESIGN section 5 tells what each key means.
"""

import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from polylane.errors import FAILED, PASSED, SIGNAL_BASE
from polylane.model import Task
from polylane.outcome import BAD, TaskResult
from polylane.plan.graph import Graph, longest_paths
from polylane.records import NamedTuple

VERSION = 1


class RunResult(NamedTuple):
    """One execution of a selection; times in seconds."""

    id: str
    #: ``parallel`` or ``sequential``.
    mode: str
    selection: tuple[str, ...]
    jobs: int
    #: ISO 8601, with its offset.
    started: str
    wall_s: float
    #: The sum of the tasks' wall times.
    work_s: float
    #: The longest chain of tasks that waited for each other.
    critical_path_s: float
    exit_code: int
    #: In reference order.
    tasks: tuple[TaskResult, ...]
    #: The largest number of tasks that ran at the same time.
    slots_used: int = 1
    #: Tasks waited for other runs on the machine.
    shared: bool = False
    #: The wall time of an earlier sequential run of the same selection, where one is known.
    sequential_wall_s: float | None = None
    #: What supervised and confined the run.
    protection: Mapping[str, Any] = MappingProxyType({})
    #: Its budget of memory, and what memory did to its tasks.
    memory: Mapping[str, Any] = MappingProxyType({})
    #: Ctrl-C came, and was left to the task that had the terminal.
    forwarded: bool = False


def conclude(
    graph: Graph,
    results: Mapping[int, TaskResult],
    *,
    run: str,
    parallel: bool,
    jobs: int,
    selection: tuple[str, ...],
    begun: float,
    wall_s: float,
    signal: int,
    shared: bool = False,
    sequential_wall_s: float | None = None,
    protection: Mapping[str, Any] = MappingProxyType({}),
    memory: Mapping[str, Any] = MappingProxyType({}),
) -> RunResult:
    """Sum up a run; ``begun`` is the time of day in seconds, ``signal`` what ended it, or 0."""
    tasks = tuple(results[i] for i in range(len(graph.tasks)))
    walls = {task.id: task.wall_s for task in tasks}
    return RunResult(
        id=run,
        mode="parallel" if parallel else "sequential",
        selection=selection,
        jobs=jobs,
        started=time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(begun)),
        wall_s=wall_s,
        work_s=sum(walls.values()),
        critical_path_s=max(longest_paths(graph, lambda task: walls[task.id]), default=0.0),
        exit_code=_exit_code(tasks, signal),
        tasks=tasks,
        slots_used=_most_at_once(tasks),
        shared=shared,
        sequential_wall_s=sequential_wall_s,
        protection=protection,
        memory=memory,
    )


def _exit_code(tasks: Iterable[TaskResult], signal: int) -> int:
    if signal:
        return SIGNAL_BASE + signal
    return FAILED if any(task.outcome in BAD for task in tasks) else PASSED


def _most_at_once(tasks: Iterable[TaskResult]) -> int:
    """The largest number of tasks that ran at the same moment."""
    moments = []
    for task in tasks:
        if task.started_s is not None:
            # At one moment ends come before starts, but for those of tasks that took no time.
            end = (task.started_s + task.wall_s, 1 if task.wall_s == 0 else -1, -1)
            moments += [(task.started_s, 0, 1), end]
    running = most = 0
    for _, _, change in sorted(moments):
        running += change
        most = max(most, running)
    return most


def to_json(run: RunResult, tasks: Mapping[str, Task]) -> dict[str, Any]:
    """``result.json``; ``tasks`` comes last, so that the rest can be read without it."""
    return {
        "version": VERSION,
        "run": run.id,
        "mode": run.mode,
        "selection": list(run.selection),
        "jobs": run.jobs,
        "started": run.started,
        "wall_s": round(run.wall_s, 6),
        "work_s": round(run.work_s, 6),
        "critical_path_s": round(run.critical_path_s, 6),
        "slots_used": run.slots_used,
        "shared": run.shared,
        "sequential_wall_s": run.sequential_wall_s,
        "exit_code": run.exit_code,
        "task_count": len(run.tasks),
        "protection": dict(run.protection),
        "memory": dict(run.memory),
        "tasks": [_task(result, tasks[result.id]) for result in run.tasks],
    }


def _task(result: TaskResult, task: Task) -> dict[str, Any]:
    return {
        "id": result.id,
        "verb": task.verb,
        "project": task.project,
        "language": task.language,
        "tool": task.tool,
        "argv": list(task.argv),
        "cwd": task.cwd,
        "outcome": result.outcome.value,
        "exit_code": result.exit_code,
        "started_s": _rounded(result.started_s),
        "wall_s": _rounded(result.wall_s),
        "cpu_s": _rounded(result.cpu_s),
        "max_rss_bytes": result.max_rss_bytes,
        "read_bytes": result.read_bytes,
        "write_bytes": result.write_bytes,
        "log": result.log,
        "signal": result.signal,
        "reason": result.reason,
        "attempts": result.attempts,
        "reported_s": _rounded(result.reported_s),
        "leftover_processes": list(result.leftovers),
        "waited_for": list(result.waited_for),
        "refused": list(result.refused),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
