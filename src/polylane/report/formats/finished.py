"""A run that has ended, as reports see it: what ``result.json`` says, and where the logs lie.

Knows nothing of formats, nor of how a run is made. Reads results of older versions too: a key that
they lack is as if nothing was said.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polylane.outcome import BAD, Outcome, TaskResult
from polylane.records import NamedTuple
from polylane.report.plain import ending

Task = Mapping[str, Any]

#: Reports are read far from the workspace: names of logs begin here.
_RUNS = ".polylane/runs"

_KNOWN = frozenset(Outcome)


class Finished(NamedTuple):
    """What ``result.json`` says, and the run's folder."""

    result: Mapping[str, Any]
    folder: Path

    @property
    def tasks(self) -> list[Task]:
        """The tasks, in reference order."""
        return list(self.result["tasks"])

    def failures_first(self) -> list[Task]:
        """What failed, then what else did not pass, then the rest; else in reference order."""
        return sorted(self.tasks, key=lambda task: (not bad(task), task["outcome"] == "passed"))

    def log(self, task: Task) -> Path | None:
        """Where a task's log lies; None where it has none."""
        name = task.get("log", "")
        return self.folder / name if name and Path(name).name == name else None

    def log_name(self, task: Task) -> str:
        """A log's path in the workspace."""
        return f"{_RUNS}/{self.result['run']}/{task['log']}"


def bad(task: Task) -> bool:
    """Whether this outcome makes a run fail."""
    return task["outcome"] in BAD


def ran(task: Task) -> bool:
    """Whether it was started."""
    return task.get("started_s") is not None


def ended(task: Task) -> str:
    """How it ended, in words, as the terminal says it."""
    if task["outcome"] not in _KNOWN:  # a newer version's
        return str(task["outcome"])
    fields = ("id", "exit_code", "signal", "reason", "started_s", "wall_s", "attempts")
    said = {name: task[name] for name in fields if name in task}
    return ending(TaskResult(outcome=Outcome(task["outcome"]), **said))


def command(task: Task) -> str:
    """Its command as a shell takes it; empty for a Python body."""
    return shlex.join(task.get("argv", ()))


def verdict(run: Finished) -> str:
    """``12 passed, 1 failed``: as many as there are of each outcome."""
    counts: dict[str, int] = {}
    for task in run.tasks:
        counts[task["outcome"]] = counts.get(task["outcome"], 0) + 1
    order = [*(outcome.value for outcome in Outcome), *counts]
    words = [f"{counts[o]:,} {o.replace('-', ' ')}" for o in dict.fromkeys(order) if o in counts]
    return ", ".join(words) or "nothing to do"


def title(run: Finished) -> str:
    """What was asked for, in words."""
    return " ".join(run.result["selection"]) or "nothing"


def saved(result: Mapping[str, Any]) -> tuple[float, float, bool] | None:
    """What running side by side saved: seconds, share, and whether that was measured.

    None for a sequential run.
    """
    if result["mode"] != "parallel":
        return None
    measured = result.get("sequential_wall_s")
    whole = result["work_s"] if measured is None else measured
    seconds = whole - result["wall_s"]
    return seconds, seconds / whole if whole > 0 else 0.0, measured is not None
