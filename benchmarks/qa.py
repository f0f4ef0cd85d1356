"""``qa`` of a real workspace: parallel against sequential, against what no order could beat, and
against the same commands under other runners.

Knows nothing of what the workspace holds; it must be set up, with all that its tools need.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qa_peers
import workspaces
from measure import Command, Figure, Sample, median_cpu, median_wall, sample
from peers_found import Runner

from polylane.run.slots import cores

_BIN = Path(sys.executable).parent
_POLYLANE = str(_BIN / "polylane")

#: Plain Invoke with a task that does nothing: taken off our time where it says net.
_NOTHING = "inv nothing"

#: What our overhead, and tasks that do not fit side by side, may add to the bound, net.
_OVER_BOUND = 1.08

#: So many runs may try other numbers of slots before one is chosen.
_TRIALS = 4


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: its process, and what ``result.json`` says of it, in seconds."""

    process: Sample
    critical_path: float
    cpu: float
    #: As they stand in ``result.json``.
    tasks: Sequence[Mapping[str, Any]]
    #: Slots.
    jobs: int

    def outcomes(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((task["id"], task["outcome"]) for task in self.tasks))


@dataclass(frozen=True, slots=True)
class _Measured:
    """All runs of all rounds."""

    name: str
    jobs: int
    ours: Mapping[str, Sequence[_Run]]
    #: Others by name, ``inv nothing`` among them.
    others: Mapping[str, Sequence[Sample]]

    def wall(self, mode: str) -> float:
        """Our median in seconds."""
        return median_wall([run.process for run in self.ours[mode]])


def qa(
    folder: Path, *, rounds: int, jobs: str, limit: float | None, runners: Sequence[Runner] = ()
) -> list[Figure]:
    """Interleaved runs after first ones that warm caches; times of whole processes.

    With ``jobs`` of ``auto`` the first ones let us choose; the peers get as many.
    """
    commands = {
        "sequential": Command([_POLYLANE, "qa", "--sequential"], folder, ok=(0, 1)),
        "parallel": Command([_POLYLANE, "qa-parallel", "--jobs", jobs], folder, ok=(0, 1)),
    }
    _run(commands["sequential"])
    settled = _settled(commands["parallel"])
    with tempfile.TemporaryDirectory(prefix="polylane-qa-") as name:
        place = Path(name).resolve()
        found = qa_peers.others(folder, place, runners, settled.tasks, settled.jobs)
        print("".join(f"{line}\n" for line in found.missing), end="", file=sys.stderr)
        plain = workspaces.hand_written(place / "plain", ["nothing"])
        others = {_NOTHING: Command([str(_BIN / "inv"), "nothing"], plain), **found.commands}
        for other in list(others):
            _taken(other, others)
        measured = _turns(folder.name, settled.jobs, commands, others, rounds)
    _same_verdicts(measured)
    return [*_figures(measured, limit), *_beside(measured)]


def _settled(command: Command) -> _Run:
    """The first run that has as many slots as the one before it; or the last of a few."""
    run = _run(command)
    for _ in range(_TRIALS):
        before, run = run, _run(command)
        if run.jobs == before.jobs:
            break
    return run


def _turns(
    name: str,
    jobs: int,
    commands: Mapping[str, Command],
    others: dict[str, Command],
    rounds: int,
) -> _Measured:
    """Let all take turns, forwards and backwards; of the others those that stay in ``others``."""
    ours: dict[str, list[_Run]] = {mode: [] for mode in commands}
    theirs: dict[str, list[Sample]] = {other: [] for other in others}
    for number in range(rounds):
        names = [*commands, *others]
        for each in names if number % 2 else reversed(names):
            if each in commands:
                ours[each].append(_run(commands[each]))
            elif each in others and (taken := _taken(each, others)) is not None:
                theirs[each].append(taken)
    return _Measured(name, jobs, ours, {other: theirs[other] for other in others})


def _taken(name: str, others: dict[str, Command]) -> Sample | None:
    """Sample one of the others; one that fails where we did not is left out from then on."""
    try:
        return sample(others[name])
    except SystemExit as end:
        print(f"{name} is left out: {end}", file=sys.stderr, flush=True)
        del others[name]
        return None


def _run(command: Command) -> _Run:
    process = sample(command)
    path = command.folder / ".polylane" / "last" / "result.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return _Run(
        process,
        result["critical_path_s"],
        sum(task["cpu_s"] for task in result["tasks"]),
        result["tasks"],
        result["jobs"],
    )


def _same_verdicts(measured: _Measured) -> None:
    seen = {run.outcomes() for each in measured.ours.values() for run in each}
    if len(seen) > 1:
        differ = set().union(*seen).difference(set(seen.pop()).intersection(*seen))
        raise SystemExit(f"runs differ in their outcomes: {sorted(differ)}")


def _figures(measured: _Measured, limit: float | None) -> list[Figure]:
    sequential, parallel = measured.wall("sequential"), measured.wall("parallel")
    nothing = median_wall(measured.others[_NOTHING])
    what, jobs = f"`qa` of {measured.name}: parallel", measured.jobs
    runs = measured.ours["parallel"]
    details = (
        f"parallel {parallel:.2f} s, sequential {sequential:.2f} s, {_NOTHING} {nothing:.2f} s;"
        f" {len(runs)} rounds, {', '.join(_slots(runs))} slots; {_verdict(runs[0])}"
    )
    value = parallel / sequential
    met = None if limit is None else value <= limit
    said = "" if limit is None else f"{limit:.2f}"
    at_once = min(jobs, cores())
    rows = [Figure(f"{what} / sequential", f"{value:.2f}", said, met, details)]
    for mode in ("parallel", "sequential"):
        each = measured.ours[mode]
        path = statistics.median(run.critical_path for run in each)
        cpu = statistics.median(run.cpu for run in each)
        bound = max(path, cpu / at_once)
        net = (parallel - nothing) / bound
        rows.append(
            Figure(
                f"{what} / bound by its tasks' times in the {mode} run",
                f"net {net:.2f} ({parallel / bound:.2f})",
                f"net {_OVER_BOUND:.2f}",
                net <= _OVER_BOUND,
                f"critical path {path:.2f} s, CPU {cpu:.2f} s / {at_once} = {cpu / at_once:.2f} s",
            )
        )
    return rows


def _beside(measured: _Measured) -> list[Figure]:
    """Us over each peer that ran the same commands; the start of Invoke is ours."""
    ours = measured.wall("parallel")
    own_cpu = median_cpu([run.process for run in measured.ours["parallel"]])
    rows = []
    for name, samples in measured.others.items():
        if name == _NOTHING:
            continue
        theirs, cpu = median_wall(samples), median_cpu(samples)
        rows.append(
            Figure(
                f"`qa` of {measured.name}: parallel / the same commands by {name}",
                f"{ours / theirs:.2f} (CPU {own_cpu / cpu:.2f})",
                "1.00",
                ours < theirs,
                f"{ours:.2f} s (CPU {own_cpu:.2f}), {name} {theirs:.2f} s (CPU {cpu:.2f})",
            )
        )
    return rows


def _slots(runs: Sequence[_Run]) -> list[str]:
    """How many slots our runs had: a number, or several where one of them tried another."""
    return [str(jobs) for jobs in sorted({run.jobs for run in runs})]


def _verdict(run: _Run) -> str:
    outcomes = [outcome for _, outcome in run.outcomes()]
    return ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes))
