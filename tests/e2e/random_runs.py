"""Runs of random workspaces: in each way that must come to the same, with a limit, and looked at.

They run in a process of their own: the tests' is large, and each Python body is a fork of it.

Knows nothing of what the tasks do, but that they write down when they begin and end.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from polylane.describe.home import home
from polylane.execution import Manner, execute
from polylane.plan.graph import Graph
from polylane.plan.orders import Coverage, in_batches, next_round
from polylane.planning import make_plan
from polylane.remember import history, runs
from polylane.report.plain import Quiet
from polylane.result import to_json
from polylane.run.signals import Signals
from polylane.run.views.snapshot import Fingerprint, fingerprint, named
from polylane.start import start
from tests.e2e.random_world import RandomWorkspace

#: Seconds that the runs of one workspace may take on a loaded machine.
_LIMIT_S = 100.0

_CHECKOUT = Path(__file__).parents[2]


class Way(NamedTuple):
    """How a workspace is run: in sequence where ``jobs`` is 0."""

    jobs: int = 0
    #: Random: an order in batches, as `lanes.validate` chooses them; and what earlier runs took,
    #: by which tasks that are ready are chosen.
    batches: int | None = None
    durations: int | None = None
    #: One task after the other, by index, whatever the plan says.
    order: tuple[int, ...] | None = None


class Ran(NamedTuple):
    """What a run came to."""

    exit_code: int
    #: By id: the outcome, the exit code, how many attempts.
    outcomes: dict[str, tuple[str, int | None, int]]
    tree: Fingerprint
    #: By id, for those that ran: the first attempt's begin and the last one's end.
    spans: dict[str, tuple[float, float]]


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module in a light process; fails where that does not end in time."""
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import main; main()"],
        cwd=_CHECKOUT,
        input=pickle.dumps((function, arguments)),
        env={k: v for k, v in os.environ.items() if k not in ("USE_PARALLEL", "POLYLANE_RUN")},
        capture_output=True,
        check=False,
        timeout=_LIMIT_S,
    )
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)


def main() -> None:
    """Be that process: stdin says what to call; what it prints goes to stderr."""
    out = os.dup(1)
    os.dup2(2, 1)
    function, arguments = pickle.load(sys.stdin.buffer)
    found = function(*arguments)
    with os.fdopen(out, "wb") as file:
        pickle.dump(found, file)


def run_all(workspace: RandomWorkspace, folder: Path, ways: Iterable[Way]) -> list[Ran]:
    """Run it in each way, in new folders below ``folder``."""
    return [_run(workspace, folder / str(number), way) for number, way in enumerate(ways)]


def _run(workspace: RandomWorkspace, folder: Path, way: Way) -> Ran:
    folder.mkdir()
    workspace.make(folder)
    if way.durations is not None:
        _remember(workspace, folder, Random(way.durations))
    request = workspace.request(folder, jobs=way.jobs)
    if way.batches is None and way.order is None:
        start(request)
        return _look(folder)
    plan = make_plan(request)
    run_folder = runs.new_run(folder)
    with Signals() as signals:
        changed = plan._replace(graph=_changed(plan.graph, way))
        result = execute(changed, request, run_folder, Manner(Quiet()), signals)
        run_folder.write(to_json(result, plan.tasks))
    return _look(folder)


def _changed(graph: Graph, way: Way) -> Graph:
    if way.order is not None:
        free = graph._replace(before=tuple(() for _ in graph.before))
        return in_batches(free, [(task,) for task in way.order])
    return in_batches(graph, next_round(graph, Coverage(graph), way.jobs, Random(way.batches)))


def _remember(workspace: RandomWorkspace, folder: Path, random: Random) -> None:
    """Let earlier runs have taken random times."""
    (home(folder) / history.FILE).touch()
    walls: dict[str, history.Entry] = {
        task.id: (task.work.name, (random.random(),), (), number, 1, ())
        for number, task in enumerate(workspace.tasks)
    }
    history.write(folder, history.Summary("", walls, {}, {}, {}))


def _look(folder: Path) -> Ran:
    last = folder / ".polylane" / "last"
    result = json.loads((last / runs.RESULT).read_text(encoding="utf-8"))
    return Ran(
        result["exit_code"],
        {t["id"]: (t["outcome"], t["exit_code"], t["attempts"]) for t in result["tasks"]},
        fingerprint(folder, named((".polylane", ".git"))),
        dict(_spans(last, result["tasks"])),
    )


def _spans(last: Path, tasks: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[float, float]]]:
    for task in tasks:
        if task["attempts"]:
            times = (last / f"{task['tool']}.times").read_text(encoding="ascii").split()
            assert len(times) == 2 * task["attempts"]
            yield task["id"], (float(times[0]), float(times[-1]))
