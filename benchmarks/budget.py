"""Several runs at once on one machine: how many tasks run, how long it all takes, and who waits.

``python benchmarks/budget.py``: four runs, each of eight tasks that compute, on two slots of the
machine. Counts how many of the tasks ran at once, compares the wall time with the tasks' own CPU
time shared by the slots, and the runs with each other. Then the same with one run killed, and how
soon its slots are free.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import workspaces
from measure import Command, Figure, environment, sample, table

from polylane.run.slot_survey import survey

#: Computes for so many seconds of its own CPU time, and says when it began and ended.
_WORK = """
import os, sys, time
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(log, b"+ 0\\n")
while time.process_time() < float(sys.argv[2]):
    pass
os.write(log, b"- %f\\n" % time.process_time())
"""

_LIMIT_S = 600


class Round(NamedTuple):
    """What one round of runs came to."""

    #: The most tasks that ran at once.
    most: int
    wall_s: float
    #: When each run ended, since all were started.
    ends_s: list[float]
    #: CPU time of all tasks.
    work_s: float


def main() -> None:
    said = _arguments()
    with tempfile.TemporaryDirectory(prefix="polylane-budget-") as name:
        folder = Path(name)
        (folder / "slots").mkdir()
        runs = [_workspace(folder, f"r{i}", said) for i in range(said.runs)]
        nothing = workspaces.hand_written(folder / "plain", ["nothing"])
        base = statistics.median(
            sample(Command([sys.executable, "-m", "invoke", "nothing"], nothing)).wall
            for _ in range(5)
        )
        _round(folder, runs)
        rounds = [_round(folder, runs) for _ in range(said.rounds)]
        freed = [_killed(folder, runs) for _ in range(said.rounds)]
    print(table(list(_figures(said, rounds, freed, base))))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--slots", type=int, default=2, help="of the machine")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time of each task")
    return parser.parse_args()


def _workspace(folder: Path, name: str, said: argparse.Namespace) -> Path:
    words = [sys.executable, "-I", "-S", "-c", _WORK, str(folder / "log"), str(said.seconds)]
    made = workspaces.of_tasks(folder / name, {f"t{i}": words for i in range(said.tasks)})
    file = made / "pyproject.toml"
    head = f'[tool.polylane]\nmachine_jobs = {said.slots}\nmax_load = "100%"\n'
    file.write_text(file.read_text().replace("[tool.polylane]\n", head, 1))
    return made


@contextmanager
def _started(folder: Path, runs: Sequence[Path]) -> Iterator[list[subprocess.Popen[bytes]]]:
    (folder / "log").write_bytes(b"")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "invoke", "all-parallel", "--jobs", "2", "--output", "errors"],
            cwd=run,
            env=environment(POLYLANE_SLOTS_DIR=str(folder / "slots")),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # those that wait say so
        )
        for run in runs
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _round(folder: Path, runs: Sequence[Path]) -> Round:
    begun = time.monotonic()
    with _started(folder, runs) as processes:
        ends: dict[int, float] = {}
        while len(ends) < len(processes):
            pid, status = os.wait()  # all children here are runs
            ends[pid] = time.monotonic() - begun
            if status:
                raise SystemExit(f"a run failed: {os.waitstatus_to_exitcode(status)}")
        for process in processes:
            process.returncode = 0
    most, work = _logged(folder / "log")
    return Round(most, max(ends.values()), sorted(ends.values()), work)


def _logged(log: Path) -> tuple[int, float]:
    """The most tasks at once, and the CPU time of all."""
    running, most, work = 0, 0, 0.0
    for line in log.read_text().splitlines():
        sign, cpu = line.split()
        running += 1 if sign == "+" else -1
        most, work = max(most, running), work + float(cpu)
    return most, work


def _killed(folder: Path, runs: Sequence[Path]) -> float:
    """Kill the first run that has a slot; after how many seconds it has none."""
    with _started(folder, runs) as processes:
        victim = _await(lambda: next(iter(_holders(folder)), 0))
        process = next(each for each in processes if each.pid == victim)
        begun = time.monotonic()
        process.kill()
        _await(lambda: victim not in _holders(folder))
        return time.monotonic() - begun


def _holders(folder: Path) -> set[int]:
    return {each.who.pid for each in survey(str(folder / "slots")).held}


def _await(look: Callable[[], int]) -> int:
    limit = time.monotonic() + _LIMIT_S
    while not (found := look()):
        if time.monotonic() > limit:
            raise SystemExit("nothing happens")
        time.sleep(0.002)
    return found


def _figures(
    said: argparse.Namespace, rounds: Sequence[Round], freed: Sequence[float], base: float
) -> Iterator[Figure]:
    what = f"{said.runs} runs of {said.tasks} tasks on {said.slots} slots"
    most = max(each.most for each in rounds)
    yield Figure(f"{what}: tasks at once", str(most), str(said.slots), most <= said.slots)
    ratios = [(each.wall_s - base) / (each.work_s / said.slots) for each in rounds]
    value = statistics.median(ratios)
    wall = statistics.median(each.wall_s for each in rounds)
    ideal = statistics.median(each.work_s / said.slots for each in rounds)
    yield Figure(
        f"{what}: wall, less `inv nothing`, over the tasks' CPU time / slots",
        f"{value:.3f}",
        "1.05",
        value <= 1.05,
        f"wall {wall:.2f} s, ideal {ideal:.2f} s, inv nothing {base * 1000:.0f} ms;"
        f" {len(rounds)} rounds",
    )
    spread = statistics.median(each.ends_s[-1] / each.ends_s[0] - 1 for each in rounds)
    ends = ", ".join(f"{end:.2f}" for end in rounds[-1].ends_s)
    yield Figure(
        f"{what}: the last run's end after the first's",
        f"+{spread:.0%}",
        "+25%",
        spread <= 0.25,
        f"in the last round {ends} s",
    )
    slowest = max(freed)
    yield Figure(
        f"{what}, one killed: its slots are free",
        f"{slowest * 1000:.0f} ms",
        "1000 ms",
        slowest <= 1.0,
        f"the slowest of {len(freed)}; median {statistics.median(freed) * 1000:.0f} ms",
    )


if __name__ == "__main__":
    main()
