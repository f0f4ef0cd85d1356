"""Where a run starts: config -> workspace -> graph -> result -> report.

Every integration turns what its host was given into a `Request` and calls `start`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from polylane import garbage
from polylane.describe import config as configuration
from polylane.describe.config import Config
from polylane.describe.home import home
from polylane.execution import Manner, execute
from polylane.planning import Plan, Request, make_plan
from polylane.remember import history, runs
from polylane.remember.inputs import Inputs
from polylane.report import observers, plain, summary
from polylane.result import RunResult, to_json
from polylane.run.locks import ProjectLocks, wanted
from polylane.run.runner import Observer
from polylane.run.signals import Signals

if TYPE_CHECKING:
    from polylane.run.tracing.touches import Touches


class Watch(Protocol):
    """Sees what the tasks of a traced run touch."""

    def touched(self, task: str, touches: Touches) -> None:
        """An attempt at a task ended."""

    def ended(self, result: RunResult, folder: runs.RunFolder, screen: plain.Screen) -> None:
        """The run ended and the summary is printed; its locks are still held."""


@garbage.paused()  # but while tasks run
def start(request: Request, watch: Callable[[Plan], Watch] | None = None) -> RunResult:
    """Plan and run; prints the output and the summary, writes the logs and ``result.json``.

    With ``watch`` the tasks are traced.
    """
    garbage.spare_at_exit()
    plan, locks = _planned(request)
    try:
        folder = runs.new_run(plan.config.folder)
        inputs = Inputs(plan.config.folder, plan.graph)
        manner = _manner(plan, request, folder, None if watch else inputs)
        watching = None if watch is None else watch(plan)
        if watching is not None:
            manner = manner._replace(touched=watching.touched)
        # Until all is said: one Ctrl-C more must not lose the result, nor the exit code.
        with Signals(forward_only=manner.terminal) as signals:
            with observers.showing(manner.observer, signals):
                result = execute(plan, request, folder, manner, signals)
            _tell(plan, request, result, folder, watching, inputs)
    finally:
        locks.release()
    runs.prune(plan.config.folder, plan.config.keep_runs)
    return result


def _tell(
    plan: Plan,
    request: Request,
    result: RunResult,
    folder: runs.RunFolder,
    watching: Watch | None,
    inputs: Inputs,
) -> None:
    """Say how the run ended: to the files, the terminal, the host, and the history."""
    data = to_json(result, plan.tasks)
    folder.write(data)
    show = summary.brief if request.brief else summary.show
    screen = plain.Screen(colour=_colour())
    show(screen, result, folder.path)
    _tell_host(screen, plan, result, folder)
    if watching is None:
        _remember(plan, request, result, inputs)
    else:
        watching.ended(result, folder, screen)  # traced tasks take longer than usual
    if request.reports:
        _report(request, data, folder)


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


def lock_workspace(plan: Plan) -> ProjectLocks:
    """Lock every project of the workspace for ourselves, as `lock_projects` does."""
    locks = ProjectLocks(home(plan.config.folder))
    if not _inside_run_of(plan.config):
        locks.acquire(dict.fromkeys((".", *plan.workspace.projects), True), _say)
    return locks


def _inside_run_of(config: Config) -> bool:
    return Path(config.parent_run).parent == config.folder / ".polylane" / "runs"


def _say(text: str) -> None:
    print(f"polylane: {text}", file=sys.stderr, flush=True)


def _manner(plan: Plan, request: Request, folder: runs.RunFolder, inputs: Inputs | None) -> Manner:
    terminal = _has_terminal(plan, request)
    observer = _observer(plan, request, folder, terminal=terminal)
    return Manner(
        observer,
        terminal=terminal,
        colour=_colour(),
        load=_load(request, inputs),
        say=getattr(observer, "say", _say),
        look=getattr(observer, "watch", None),
    )


def _load(request: Request, inputs: Inputs | None) -> Iterator[None]:
    """Look at the tasks' inputs and load what the end needs, in steps, while tasks run."""
    # Traced and narrowed runs are compared with no others.
    if inputs is not None and not request.narrowed():
        with suppress(OSError):
            inputs.begin()
        yield
    for name in (*(() if request.brief else summary.LATE), *history.LATE):
        with garbage.paused(), suppress(ImportError):
            import_module(name)
        yield


def _remember(plan: Plan, request: Request, result: RunResult, inputs: Inputs) -> None:
    """Add the run to the history; where that cannot be, a line says so."""
    folder, narrowed = plan.config.folder, request.narrowed()
    found = inputs.by_task({task.id: task.outcome for task in result.tasks})
    if line := history.record(folder, result, plan.tasks, narrowed=narrowed, inputs=found):
        _say(line)


def _report(request: Request, data: dict[str, Any], folder: runs.RunFolder) -> None:
    """Write the reports; where one cannot be, a line says so, and the run's verdict stays."""
    from polylane.report import reports  # few runs have any

    for line in reports.write(data, folder.path, request.reports):
        _say(line)


def _has_terminal(plan: Plan, request: Request) -> bool:
    """Whether the only task gets the terminal: stdin, live output, a debugger."""
    one = len(plan.graph.tasks) == 1 and request.output == "auto"
    return one and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _colour() -> bool:
    return configuration.wants_colour(terminal=sys.stdout.isatty())


def _observer(plan: Plan, request: Request, folder: runs.RunFolder, *, terminal: bool) -> Observer:
    if terminal:
        return plain.Quiet()
    return observers.choose(
        request.output,
        plain.Screen(colour=_colour()),
        folder.path,
        len(plan.graph.tasks),
        host=_host(plan),
        inside=bool(plan.config.parent_run),
    )


def _host(plan: Plan) -> configuration.CIHost:
    """The host that wants to be told; a task's own run leaves that to the run around it."""
    return configuration.CIHost("") if plan.config.parent_run else configuration.ci_host()


def _tell_host(screen: plain.Screen, plan: Plan, result: RunResult, folder: runs.RunFolder) -> None:
    if (host := _host(plan)).name:
        from polylane.report import ci

        ci.ended(screen, result, plan.tasks, folder.path, host)
