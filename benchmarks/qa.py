"""``qa`` of a real workspace: parallel against sequential, and against what no order could beat.

Knows nothing of what the workspace holds; it must be set up, with all that its tools need.
"""

from __future__ import annotations

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Command, Figure, Sample, median_wall, sample

_POLYLANE = str(Path(sys.executable).parent / "polylane")

#: What our overhead, and tasks that do not fit side by side, may add to the bound.
_OVER_BOUND = 1.15


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: its process, and what ``result.json`` says of it, in seconds."""

    process: Sample
    critical_path: float
    cpu: float
    #: Outcomes by task.
    outcomes: dict[str, str]


def qa(folder: Path, *, rounds: int, jobs: int, limit: float | None) -> list[Figure]:
    """Interleaved pairs after a first one that warms caches; times of whole processes."""
    commands = {
        "sequential": Command([_POLYLANE, "qa", "--sequential"], folder, ok=(0, 1)),
        "parallel": Command([_POLYLANE, "qa-parallel", "--jobs", str(jobs)], folder, ok=(0, 1)),
    }
    runs: dict[str, list[_Run]] = {name: [] for name in commands}
    for number in range(-1, rounds):
        for name in commands if number % 2 else reversed(commands):
            taken = _run(commands[name])
            if number >= 0:
                runs[name].append(taken)
    _same_verdicts(runs)
    return _figures(folder.name, runs, jobs, limit)


def _run(command: Command) -> _Run:
    process = sample(command)
    path = command.folder / ".polylane" / "last" / "result.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return _Run(
        process,
        result["critical_path_s"],
        sum(task["cpu_s"] for task in result["tasks"]),
        {task["id"]: task["outcome"] for task in result["tasks"]},
    )


def _same_verdicts(runs: dict[str, list[_Run]]) -> None:
    seen = {tuple(sorted(run.outcomes.items())) for each in runs.values() for run in each}
    if len(seen) > 1:
        differ = set().union(*seen).difference(set(seen.pop()).intersection(*seen))
        raise SystemExit(f"runs differ in their outcomes: {sorted(differ)}")


def _figures(
    name: str, runs: dict[str, list[_Run]], jobs: int, limit: float | None
) -> list[Figure]:
    sequential, parallel = runs["sequential"], runs["parallel"]
    walls = {mode: median_wall([run.process for run in each]) for mode, each in runs.items()}
    value = walls["parallel"] / walls["sequential"]
    details = (
        f"parallel {walls['parallel']:.2f} s, sequential {walls['sequential']:.2f} s;"
        f" {len(parallel)} pairs; {_verdict(parallel[0])}"
    )
    met = None if limit is None else value <= limit
    said = "" if limit is None else f"{limit:.2f}"
    rows = [Figure(f"`qa` of {name}: parallel / sequential", f"{value:.2f}", said, met, details)]
    for mode, each in (("parallel", parallel), ("sequential", sequential)):
        path = statistics.median(run.critical_path for run in each)
        cpu = statistics.median(run.cpu for run in each)
        over = walls["parallel"] / max(path, cpu / jobs)
        rows.append(
            Figure(
                f"`qa` of {name}: parallel / bound by its tasks' times in the {mode} run",
                f"{over:.2f}",
                f"{_OVER_BOUND:.2f}",
                over <= _OVER_BOUND,
                f"critical path {path:.2f} s, CPU {cpu:.2f} s / {jobs} = {cpu / jobs:.2f} s",
            )
        )
    return rows


def _verdict(run: _Run) -> str:
    outcomes = list(run.outcomes.values())
    return ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes))
