"""What confinement and supervision cost a task: ``python benchmarks/confinement.py --help``.

A workspace of some projects, with 200 folders around it, which are a rule each. The same tasks of
/bin/true run confined and free, as whole runs with one lane; and one lane runs /bin/true against
`subprocess.run` with a session of its own. All take turns; values are medians.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import workspaces
from measure import Command, Figure, Sample, environment, interleaved, table

import polylane
from polylane.run import sandbox, tree
from polylane.run.pool import LanePool
from polylane.run.protocol import Assignment
from polylane.run.surroundings import outside
from run import machine

_INV = str(Path(sys.executable).parent / "inv")

#: Folders around the workspace, and projects in it.
_AROUND = 200
_PROJECTS = 10

#: The limit of both together, in milliseconds a task.
_LIMIT_MS = 0.3

#: Times of one task in seconds, by the clock and of the CPUs.
Cost = tuple[float, float]


def main() -> None:
    """Read the command line, measure, print the table."""
    said = _arguments()
    if why := sandbox.why_not():
        raise SystemExit(f"nothing is confined here: {why}")
    compileall.compile_dir(str(Path(polylane.__file__).parent), quiet=2)
    with tempfile.TemporaryDirectory(prefix="polylane-confinement-", dir=said.folder) as name:
        around = Path(name).resolve()
        for i in range(_AROUND):
            (around / f"sibling{i}").mkdir()
        folder = workspaces.of_true_in_projects(around / "workspace", said.tasks, _PROJECTS)
        figures = [*_of_runs(folder, said), *_of_a_lane(folder, said)]
        rules = len(outside(str(folder)))
    print(f"{machine()}, {rules} paths around the workspace\n\n{table(figures)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=300, help="of a run; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=11, help="pairs; default: %(default)s")
    parser.add_argument("--folder", type=Path, help="where the workspace is made")
    return parser.parse_args()


def _of_runs(folder: Path, said: argparse.Namespace) -> list[Figure]:
    """Whole runs of ``inv``, confined and free."""
    commands = {
        level: Command([_INV, "all", "--output", "errors", "--sandbox", level], folder)
        for level in ("projects", "off")
    }
    samples = interleaved(commands, rounds=said.rounds)
    costs = {level: [_each(taken, said.tasks) for taken in samples[level]] for level in samples}
    what = f"confinement, in runs of {said.tasks} tasks in {_PROJECTS} projects"
    return [_difference(what, costs, _LIMIT_MS)]


def _each(taken: Sample, tasks: int) -> Cost:
    return taken.wall / tasks, taken.cpu / tasks


def _of_a_lane(folder: Path, said: argparse.Namespace) -> list[Figure]:
    """One lane, free and confined, and the start of a process that nobody watches."""
    ways: dict[str, Callable[[int], None]] = {}
    pool = LanePool(environment=environment(), bodies={})
    try:
        free, confined = (_assignments(folder, confined=each) for each in (False, True))
        ways["plain"] = _plain
        ways["free"] = _in_lane(pool, [free[0]] * said.tasks)
        blocks = [confined[i * _PROJECTS // said.tasks] for i in range(said.tasks)]
        ways["confined"] = _in_lane(pool, blocks)
        ways["by turns"] = _in_lane(pool, confined * (said.tasks // _PROJECTS + 1))
        costs = _in_turn(ways, said.tasks, said.rounds)
    finally:
        pool.close()
    pairs = {
        "confinement, in a lane, one project after the other": ("confined", "free"),
        "confinement, in a lane, each task of another project": ("by turns", "free"),
        "supervision: a lane over `subprocess.run`": ("free", "plain"),
        "both, one project after the other": ("confined", "plain"),
    }
    return [
        _difference(what, {name: costs[name] for name in names}, _LIMIT_MS)
        for what, names in pairs.items()
    ]


def _assignments(folder: Path, *, confined: bool) -> list[Assignment]:
    """One task of each project."""
    made = []
    for i in range(_PROJECTS):
        own = sandbox.confine(folder, [f"p{i}", ".polylane"])
        job = Assignment(
            id=f"all:p{i}:t",
            argv=(workspaces.TRUE,),
            shell=False,
            cwd=str(folder / f"p{i}"),
            env=(),
            log=str(folder / ".polylane" / "log"),
            timeout=60.0,
            grace=1.0,
            leave=False,
            confinement=tuple(own) if confined else None,
        )
        made.append(job)
    return made


def _in_lane(pool: LanePool, jobs: Sequence[Assignment]) -> Callable[[int], None]:
    def run(number: int) -> None:
        pool.assign(0, jobs[number])
        [(_, report)] = pool.wait(None)
        if (report.kind, report.exit_code) != ("exited", 0):
            raise SystemExit(f"a task failed: {report}")

    return run


def _plain(_: int) -> None:
    subprocess.run([workspaces.TRUE], start_new_session=True, check=True)


def _in_turn(
    ways: Mapping[str, Callable[[int], None]], tasks: int, rounds: int
) -> dict[str, list[Cost]]:
    """Time the ways in turn, forwards and backwards; the first round is dropped."""
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(-1, rounds):
        for name in sorted(ways, reverse=bool(number % 2)):
            begun, used = time.perf_counter(), _cpu()
            for task in range(tasks):
                ways[name](task)
            taken = Sample(time.perf_counter() - begun, _cpu() - used)
            if number >= 0:
                costs[name].append(_each(taken, tasks))
    return costs


def _cpu() -> float:
    """CPU seconds of this process and of all below it, with those that they have reaped."""
    ticks = 0
    for pid in tree.descendants():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return sum(os.times()[:4]) + ticks / os.sysconf("SC_CLK_TCK")


def _difference(what: str, costs: Mapping[str, Sequence[Cost]], limit_ms: float) -> Figure:
    """How much longer a task takes in the first way than in the second, by medians."""
    medians = {name: _medians(taken) for name, taken in costs.items()}
    (wall, cpu), (wall_of_other, cpu_of_other) = medians.values()
    parts = [f"{name} {each[0]:.2f} ms (CPU {each[1]:.2f})" for name, each in medians.items()]
    return Figure(
        what,
        f"{wall - wall_of_other:+.2f} ms a task (CPU {cpu - cpu_of_other:+.2f} ms)",
        f"+{limit_ms:.1f} ms",
        wall - wall_of_other <= limit_ms,
        f"{', '.join(parts)}; {len(next(iter(costs.values())))} pairs",
    )


def _medians(taken: Sequence[Cost]) -> Cost:
    """In milliseconds."""
    wall, cpu = (statistics.median(each[i] for each in taken) * 1000 for i in (0, 1))
    return wall, cpu


if __name__ == "__main__":
    main()
