"""Runs a plan in a pool of lanes: plan -> result.

Knows nothing of what was asked for in which words, and prints nothing itself; the observer does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from signal import SIGINT
from typing import TYPE_CHECKING, Any, NamedTuple

from polylane.describe import config as configuration
from polylane.describe import git
from polylane.describe.home import home
from polylane.errors import SIGNAL_BASE
from polylane.model import Task
from polylane.outcome import TaskResult
from polylane.plan.graph import longest_paths
from polylane.plan.schedule import Schedule
from polylane.planning import Plan, Request
from polylane.remember import history, runs
from polylane.result import RunResult, conclude
from polylane.run import slots
from polylane.run.assignments import Assignments
from polylane.run.confinements import Confinements
from polylane.run.pool import LanePool
from polylane.run.runner import Observer, Runner
from polylane.run.signals import Signals

if TYPE_CHECKING:
    from polylane.run.tracing.touches import Touches

#: A task that no earlier run measured is taken to last so many seconds.
_UNKNOWN_S = 1.0


class Manner(NamedTuple):
    """How a plan is run, beyond what it says itself."""

    observer: Observer
    #: The only task has the terminal.
    terminal: bool = False
    colour: bool = False
    #: Loads what the end of the run needs, while lanes end.
    load: Callable[[], object] | None = None
    #: Every task is traced; is told what each one touched, by its id, when it has ended.
    touched: Callable[[str, Touches], None] | None = None


def execute(
    plan: Plan, request: Request, folder: runs.RunFolder, manner: Manner, signals: Signals
) -> RunResult:
    """Run the plan; writes the logs into the run's folder, and returns when nothing is left.

    ``signals`` is entered, and stays so until the caller has said how it ended.
    """
    environment = configuration.task_environment()
    confinements = _confinements(plan, environment)
    assignments = Assignments(
        plan.config,
        plan.workspace,
        environment,
        run_folder=folder.path,
        log_name=None if manner.terminal else folder.log,
        colour=manner.colour and not manner.terminal,
        words=request.words,
        environments=request.environments,
        confinements=confinements,
        trace="" if manner.touched is None else "all",
    )
    begun, zero = time.time(), time.monotonic()
    pool = LanePool(
        environment=environment,
        bodies=request.bodies,
        terminal=manner.terminal,
        wakeup=signals.wakeup,
    )
    signals.suspend, signals.resume = pool.suspend, pool.resume
    try:
        runner = Runner(
            plan.graph,
            _schedule(plan),
            pool,
            slots.LoadGate(plan.config.max_load, slots.cores()),
            manner.observer,
            assignments,
            fail_fast=request.fail_fast,
            explain=_explainer(plan),
            touched=manner.touched,
        )
        runner.run(signals.interrupted)
        pool.dismiss()
        if manner.load is not None:
            manner.load()
    finally:
        pool.close()
        confinements.close()
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
        protection=_protection(plan, confinements),
    )


def _protection(plan: Plan, confinements: Confinements) -> dict[str, Any]:
    """What supervised and confined the run, as it stands in ``result.json``."""
    free = sorted(task.id for task in plan.graph.tasks if task.sandbox == "off")
    some = len(free) < len(plan.graph.tasks)
    return {
        "supervision": "lanes",
        "sandbox": "projects" if some and not confinements.why_not else "off",
        "not_confined": free,
        "why_not": confinements.why_not if some else "",
    }


def _explainer(plan: Plan) -> Callable[[Task, tuple[str, ...]], tuple[str, ...]]:
    def explain(task: Task, refused: tuple[str, ...]) -> tuple[str, ...]:
        from polylane.run.refusals import Explainer  # few runs need it

        table = "" if plan.config.file == "polylane.toml" else "tool.polylane."
        return Explainer(plan.config.folder, _owners(plan), table)(task, refused)

    return explain


def _owners(plan: Plan) -> dict[str, str]:
    """Names of projects by path."""
    return {project.path: project.name for project in plan.workspace.projects.values()}


def _confinements(plan: Plan, environment: Mapping[str, str]) -> Confinements:
    folder = plan.config.folder
    projects = {name: path for path, name in _owners(plan).items()}
    return Confinements(folder, home(folder), projects, environment, git.data_folders(folder))


def _died_of_interrupt(results: Iterable[TaskResult], signals: Signals) -> int:
    """SIGINT where Ctrl-C was left to the task that has the terminal, and the task died of it."""
    died = any(task.exit_code == SIGNAL_BASE + SIGINT for task in results)
    return int(SIGINT) if signals.forwarded and died else 0


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
