"""What earlier runs took: durations of tasks, and the wall time of sequential runs.

Read from the results that are kept. Knows nothing of the run that asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from polylane.remember import runs

#: So many runs are looked at for a task's duration.
_LOOK_AT = 3


def durations(workspace: Path, wanted: AbstractSet[str]) -> dict[str, float]:
    """The wall time in seconds of each task that ran to its end lately, by id, newest first.

    Those of ``wanted``, and of others that lie beside them.
    """
    known: dict[str, float] = {}
    for seen, (path, _) in enumerate(runs.heads(workspace)):
        if seen == _LOOK_AT or wanted <= known.keys():
            break
        for task in runs.tasks_of(path):
            if task.get("outcome") in ("passed", "failed") and task.get("started_s") is not None:
                known.setdefault(task["id"], task["wall_s"])
    return known


def sequential_wall(workspace: Path, selection: Sequence[str], tasks: int) -> float | None:
    """The wall time of the newest passed sequential run of the same selection, if there is one."""
    for _, head in runs.heads(workspace):
        if (
            head.get("mode") == "sequential"
            and head.get("selection") == list(selection)
            and head.get("task_count") == tasks
            and head.get("exit_code") == 0
        ):
            return float(head["wall_s"])
    return None
