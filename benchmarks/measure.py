"""Times whole processes, several commands in turn, so that noise of the machine meets all alike.

Knows nothing of what the commands are for.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: Variables that would change what is measured: a run around us, and how Python starts.
_DROPPED = frozenset(
    ["POLYLANE_RUN", "USE_PARALLEL", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"]
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One process with all that it waited for, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Command:
    """Something to time: a process, started anew for each sample."""

    argv: Sequence[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    #: Exit codes of a sample that counts.
    ok: Sequence[int] = (0,)


def environment(**more: str) -> dict[str, str]:
    """The environment of every command, ours or a peer's."""
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
    return {k: v for k, v in os.environ.items() if k not in _DROPPED} | {"PATH": path} | more


def sample(command: Command) -> Sample:
    """Run a command once; one that fails ends the benchmark, with its output."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=environment(**command.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def said() -> bytes:
            output.seek(0)
            return output.read()

        return ended(command, process, begun, said)


def ended(
    command: Command,
    process: subprocess.Popen[bytes],
    begun: float,
    said: Callable[[], bytes] = lambda: b"",
) -> Sample:
    """Wait for a command's process; one that fails ends the benchmark, with what it said."""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.ok:
        text = said().decode(errors="replace")
        raise SystemExit(f"{' '.join(command.argv)}: exit code {process.returncode}\n{text}")
    return Sample(wall, used.ru_utime + used.ru_stime)


def interleaved(
    commands: Mapping[str, Command],
    *,
    rounds: int,
    warm_up: int = 2,
    take: Callable[[Command], Sample] = sample,
) -> dict[str, list[Sample]]:
    """Sample commands in turn, forwards and backwards; the first ``warm_up`` rounds are dropped."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(-warm_up, rounds):
        names = list(commands)
        for name in names if number % 2 else reversed(names):
            taken = take(commands[name])
            if number >= 0:
                samples[name].append(taken)
    return samples


def median_wall(samples: Sequence[Sample]) -> float:
    """The median of wall times."""
    return statistics.median(each.wall for each in samples)


def median_cpu(samples: Sequence[Sample]) -> float:
    """The median of CPU times."""
    return statistics.median(each.cpu for each in samples)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    what: str
    value: str
    #: What it is measured against, and the limit; empty where there is none.
    limit: str = ""
    met: bool | None = None
    #: The medians that the value comes from.
    details: str = ""


def difference(what: str, samples: Mapping[str, Sequence[Sample]], limit_ms: float) -> Figure:
    """How much longer the first of two commands takes than the second, in ms."""
    (ours, mine), (peer, theirs) = samples.items()
    value = (median_wall(mine) - median_wall(theirs)) * 1000
    cpu = (median_cpu(mine) - median_cpu(theirs)) * 1000
    return Figure(
        what,
        f"+{value:.0f} ms (CPU +{cpu:.0f} ms)",
        f"+{limit_ms:.0f} ms",
        value <= limit_ms,
        _medians({ours: mine, peer: theirs}),
    )


def ratio(what: str, samples: Mapping[str, Sequence[Sample]], limit: float | None) -> Figure:
    """How many times as long as the second of two commands the first takes."""
    (ours, mine), (peer, theirs) = samples.items()
    value = median_wall(mine) / median_wall(theirs)
    cpu = median_cpu(mine) / median_cpu(theirs)
    return Figure(
        what,
        f"{value:.2f} (CPU {cpu:.2f})",
        "" if limit is None else f"{limit:.2f}",
        None if limit is None else value <= limit,
        _medians({ours: mine, peer: theirs}),
    )


def absolute(what: str, seconds: Sequence[float], limit_ms: float | None) -> Figure:
    """How long something takes, in ms."""
    value = statistics.median(seconds) * 1000
    details = f"{len(seconds)} rounds"
    if limit_ms is None:
        return Figure(what, f"{value:.0f} ms", details=details)
    return Figure(what, f"{value:.0f} ms", f"{limit_ms:.0f} ms", value <= limit_ms, details)


def _medians(samples: Mapping[str, Sequence[Sample]]) -> str:
    parts = [
        f"{name} {median_wall(each) * 1000:.0f} ms (CPU {median_cpu(each) * 1000:.0f})"
        for name, each in samples.items()
    ]
    return f"{', '.join(parts)}; {len(next(iter(samples.values())))} rounds"


def table(figures: Sequence[Figure]) -> str:
    """Figures as a Markdown table."""
    lines = ["| what | value | limit | met | medians |", "|---|---|---|---|---|"]
    for each in figures:
        met = {True: "yes", False: "no", None: ""}[each.met]
        lines.append(f"| {each.what} | {each.value} | {each.limit} | {met} | {each.details} |")
    return "\n".join(lines)
