"""Where a run starts: config -> workspace -> graph -> result -> report.

Every integration turns what its host was given into a `Request` and calls `start`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from signal import SIGINT

from polylane.describe import config as configuration
from polylane.describe.config import Config
from polylane.describe.home import home
from polylane.errors import SIGNAL_BASE
from polylane.model import Task
from polylane.outcome import TaskResult
from polylane.plan.graph import longest_paths
from polylane.plan.schedule import Schedule
from polylane.planning import Plan, Request, make_plan
from polylane.remember import history, runs
from polylane.report import plain, summary
from polylane.result import RunResult, conclude, to_json
from polylane.run import slots
from polylane.run.assignments import Assignments
from polylane.run.locks import ProjectLocks, wanted
from polylane.run.pool import LanePool
from polylane.run.runner import Observer, Runner
from polylane.run.signals import Signals

OUTPUTS = ("auto", "grouped", "stream", "errors")

#: A task that no earlier run measured is taken to last so many seconds.
_UNKNOWN_S = 1.0

#: A thread gives way to one that waits after so many seconds; Python's own 5 ms are ten tasks.
_GIVE_WAY_S = 0.0005


def start(request: Request) -> RunResult:
    """Plan and run; prints the output and the summary, writes the logs and ``result.json``."""
    plan, locks = _planned(request)
    try:
        folder = runs.new_run(plan.config.folder)
        result = _execute(plan, request, folder)
        folder.write(to_json(result, plan.tasks))
    finally:
        locks.release()
    show = summary.brief if request.brief else summary.show
    show(plain.Screen(colour=_colour()), result, folder.path)
    runs.prune(plan.config.folder, plan.config.keep_runs)
    return result


def _planned(request: Request) -> tuple[Plan, ProjectLocks]:
    """Plan, and lock what the plan touches.

    A run that we waited for may have changed what there is to do: then the plan is made again.
    """
    plan = make_plan(request)
    while True:
        locks, waited = lock_projects(plan)
        if not waited:
            return plan, locks
        held = _touched(plan)
        try:
            plan = make_plan(request)
        except BaseException:
            locks.release()
            raise
        if all(n in held and held[n] >= alone for n, alone in _touched(plan).items()):
            return plan, locks
        locks.release()


def _touched(plan: Plan) -> dict[str, bool]:
    return wanted([task.claim for task in plan.graph.tasks], plan.workspace.projects)


def lock_projects(plan: Plan) -> tuple[ProjectLocks, bool]:
    """Lock the projects that a plan touches, unless we are a task of a run that has them.

    Returns the locks, and whether they had to be waited for.
    """
    waited: list[str] = []

    def say(text: str) -> None:
        waited.append(text)
        _say(text)

    locks = ProjectLocks(home(plan.config.folder))
    if not _inside_run_of(plan.config):
        locks.acquire(_touched(plan), say)
    return locks, bool(waited)


def _inside_run_of(config: Config) -> bool:
    return Path(config.parent_run).parent == config.folder / ".polylane" / "runs"


def _say(text: str) -> None:
    print(f"polylane: {text}", file=sys.stderr, flush=True)


def _execute(plan: Plan, request: Request, folder: runs.RunFolder) -> RunResult:
    """Run the plan in a pool of lanes."""
    terminal = _has_terminal(plan, request)
    environment = configuration.task_environment()
    assignments = Assignments(
        plan.config,
        plan.workspace,
        environment,
        run_folder=folder.path,
        log_name=None if terminal else folder.log,
        colour=_colour() and not terminal,
        words=request.words,
        environments=request.environments,
    )
    begun, zero = time.time(), time.monotonic()
    with Signals(forward_only=terminal) as signals:
        pool = LanePool(
            environment=environment,
            bodies=request.bodies,
            terminal=terminal,
            wakeup=signals.wakeup,
        )
        signals.suspend, signals.resume = pool.suspend, pool.resume
        try:
            runner = Runner(
                plan.graph,
                _schedule(plan),
                pool,
                slots.LoadGate(plan.config.max_load, slots.cores()),
                _observer(request, folder, terminal=terminal),
                assignments,
                fail_fast=request.fail_fast,
            )
            runner.start()
            with _beside(summary.load) if not request.brief else nullcontext():
                runner.run(signals.interrupted)
        finally:
            pool.close()
    return conclude(
        plan.graph,
        runner.results,
        run=folder.id,
        parallel=plan.mode.parallel,
        jobs=plan.mode.jobs,
        selection=tuple(request.selection.words()),
        begun=begun,
        wall_s=time.monotonic() - zero,
        signal=signals.number or _died_of_interrupt(runner.results.values(), signals),
        sequential_wall_s=_measured(plan, request),
    )


@contextmanager
def _beside(load: Callable[[], object]) -> Iterator[None]:
    """Load what the end of a run needs while tasks run, when nobody waits for it.

    The zygote was forked before, without this thread, which gives way to ours within a moment.
    """
    loading = threading.Thread(target=load)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_GIVE_WAY_S)
    loading.start()
    try:
        yield
    finally:
        loading.join()
        sys.setswitchinterval(usual)


def _died_of_interrupt(results: Iterable[TaskResult], signals: Signals) -> int:
    """SIGINT where Ctrl-C was left to the task that has the terminal, and the task died of it."""
    died = any(task.exit_code == SIGNAL_BASE + SIGINT for task in results)
    return int(SIGINT) if signals.forwarded and died else 0


def _has_terminal(plan: Plan, request: Request) -> bool:
    """Whether the only task gets the terminal: stdin, live output, a debugger."""
    one = len(plan.graph.tasks) == 1 and request.output == "auto"
    return one and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _colour() -> bool:
    return configuration.wants_colour(terminal=sys.stdout.isatty())


def _schedule(plan: Plan) -> Schedule:
    """Longest remaining path first in parallel; reference order in sequence."""
    priorities = None
    if plan.mode.parallel:
        known = history.durations(plan.config.folder, plan.tasks.keys())
        priorities = longest_paths(plan.graph, lambda task: _duration(known, task))
    return Schedule(plan.graph, slots=plan.mode.jobs, priorities=priorities, alone=plan.mode.alone)


def _duration(known: dict[str, float], task: Task) -> float:
    return known.get(task.id, _UNKNOWN_S)


def _measured(plan: Plan, request: Request) -> float | None:
    """The wall time of a sequential run of the same selection, where a parallel one wants it."""
    if not plan.mode.parallel:
        return None
    words = request.selection.words()
    return history.sequential_wall(plan.config.folder, words, len(plan.graph.tasks))


def _observer(request: Request, folder: runs.RunFolder, *, terminal: bool) -> Observer:
    screen = plain.Screen(colour=_colour())
    if terminal:
        return plain.Quiet()
    if request.output == "stream":
        return plain.Stream(screen, folder.path)
    return plain.Grouped(screen, folder.path, errors_only=request.output == "errors")
