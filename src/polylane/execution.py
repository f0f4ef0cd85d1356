"""Runs a plan in a pool of lanes: plan -> result.

Knows nothing of what was asked for in which words, and prints nothing itself; the observer does.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Any

from polylane import garbage
from polylane.describe import config as configuration
from polylane.describe import git
from polylane.describe.home import home
from polylane.errors import SIGNAL_BASE
from polylane.model import Task
from polylane.outcome import TaskResult
from polylane.plan import memory as expectations
from polylane.plan.durations import Past, Span, cores, priorities, spans
from polylane.plan.graph import Graph
from polylane.plan.schedule import Schedule
from polylane.plan.width import Width, narrow, widths
from polylane.planning import Plan, Request
from polylane.records import NamedTuple
from polylane.remember import runs
from polylane.result import RunResult, conclude
from polylane.run import slots
from polylane.run.assignments import Assignments
from polylane.run.confinements import Confinements
from polylane.run.inner import Inner, deaf
from polylane.run.memory import Memory
from polylane.run.pool import LanePool
from polylane.run.protocol import Report
from polylane.run.runner import Observer, Runner
from polylane.run.share import Share, Wish, join
from polylane.run.signals import Signals

if TYPE_CHECKING:
    from polylane.run.private_views import PrivateViews
    from polylane.run.tracing.touches import Touches


#: A run whose longest path takes so many seconds is worth a second thought about its order.
_LONG_S = 1.0


class Insight(NamedTuple):
    """What an observer may look at while tasks run; in the thread of the run, but for the data."""

    graph: Graph
    slots: int
    #: Verbs whose tasks take all slots.
    alone: frozenset[str]
    #: What each task may take, by its index; empty in sequence, where history is not read.
    expected: Sequence[Span]
    #: The process that a running task's tree hangs on, by its index; 0 where nobody can tell.
    pid_of: Callable[[int], int]
    slots_used: Callable[[], int]
    #: What a start waits for now, in words.
    waits_for: Callable[[], str]


class Manner(NamedTuple):
    """How a plan is run, beyond what it says itself."""

    observer: Observer
    #: The only task has the terminal.
    terminal: bool = False
    colour: bool = False
    #: Loads what the end of the run needs, a step at a time, while the first tasks run.
    load: Iterable[object] = ()
    #: Every task is traced; is told what each one touched, by its id, when it has ended.
    touched: Callable[[str, "Touches"], None] | None = None
    #: Is told in a line what should be known at once.
    say: Callable[[str], None] = lambda _: None
    #: Is given what it may look at, before anything starts.
    look: Callable[[Insight], None] | None = None


def execute(
    plan: Plan, request: Request, folder: runs.RunFolder, manner: Manner, signals: Signals
) -> RunResult:
    """Run the plan; writes the logs into the run's folder, and returns when nothing is left.

    ``signals`` is entered, and stays so until the caller has said how it ended.
    """
    past = plan.past() if plan.mode.parallel else Past()
    environment = configuration.task_environment()
    views = None if manner.touched is not None else _views(plan, environment)
    confinements = _confinements(plan, environment, views)
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
        views=views,
        trace="" if manner.touched is None else "all",
    )
    begun, zero = time.time(), time.monotonic()
    share = _share(plan, request, folder, manner)
    pool = LanePool(
        environment={**environment, **narrow(environment)} if plan.mode.parallel else environment,
        bodies=request.bodies,
        terminal=manner.terminal,
        wakeup=signals.wakeup,
        private=share.keeps,
        ready=min(plan.mode.jobs, plan.graph.roots(), slots.cores()),
    )
    share.watch = pool.watch
    _stop_with(signals, pool, share)
    # One task at a time needs no measure, but may be killed for memory all the same.
    needs = expectations.needs(plan.graph.tasks, past) if plan.mode.parallel else []
    memory = Memory(plan.config.memory, needs, pool.resident_bytes, others=share)
    unheard = deaf(plan.graph.tasks, assignments.path, environment) if plan.mode.parallel else set()
    expected = spans(plan.graph.tasks, past, parallel=True) if plan.mode.parallel else []
    schedule = _schedule(plan, expected, needs, _widths(plan, past, expected, environment, unheard))
    inner = _inner(plan, schedule, environment, pool.watch, unheard, share)
    try:
        runner = Runner(
            plan.graph,
            schedule,
            pool,
            slots.LoadGate(plan.config.max_load, slots.cores()),
            manner.observer,
            assignments,
            memory=memory,
            inner=inner,
            share=share,
            fail_fast=request.fail_fast,
            explain=_explainer(plan),
            touched=manner.touched,
            meanwhile=manner.load,
        )
        if manner.look is not None:
            manner.look(_insight(plan, expected, schedule, pool, runner))
        with garbage.working():
            runner.run(signals.interrupted)
        pool.dismiss()
        for _ in manner.load:  # what is left of it, while the lanes end
            pass
    finally:
        if inner is not None:
            inner.close()
        pool.close()
        share.close()
        confinements.close()
        if views is not None:
            views.close()
    return conclude(
        plan.graph,
        runner.results,
        run=folder.id,
        parallel=plan.mode.parallel,
        jobs=plan.mode.jobs,
        selection=tuple(request.selection.words()),
        begun=begun,
        wall_s=time.monotonic() - zero,
        shared=share.has_waited,
        signal=signals.number or _died_of_interrupt(runner.results.values(), signals),
        sequential_wall_s=_measured(plan, request, past),
        protection=_protection(plan, confinements, views),
        memory=memory.to_json([task.id for task in plan.graph.tasks]),
    )._replace(forwarded=signals.forwarded)


def _insight(
    plan: Plan, expected: Sequence[Span], schedule: Schedule, pool: LanePool, runner: Runner
) -> Insight:
    return Insight(
        plan.graph,
        plan.mode.jobs,
        plan.mode.alone,
        expected,
        pool.pid_of,
        lambda: schedule.slots - schedule.free,
        lambda: runner.waits_for,
    )


def _protection(
    plan: Plan, confinements: Confinements, views: "PrivateViews | None"
) -> dict[str, Any]:
    """What supervised and confined the run, as it stands in ``result.json``."""
    tasks = plan.graph.tasks
    no_views = "" if not _has_strict(plan) else views.why_not() if views else "tasks are traced"
    asked = {t.sandbox if t.sandbox != "strict" or not no_views else "projects" for t in tasks}
    kept = asked if not confinements.why_not else asked - {"projects"}
    return {
        "supervision": "lanes",
        "sandbox": next((level for level in ("projects", "strict") if level in kept), "off"),
        "not_confined": sorted(task.id for task in tasks if task.sandbox == "off"),
        "why_not": confinements.why_not if "projects" in asked else "",
        "no_views": no_views,
        "whole_workspace": sorted(confinements.whole),
        "exposed": confinements.exposed,
    }


def _has_strict(plan: Plan) -> bool:
    return any(task.sandbox == "strict" for task in plan.graph.tasks)


def _explainer(plan: Plan) -> Callable[[Task, Report], tuple[str, ...]]:
    def explain(task: Task, report: Report) -> tuple[str, ...]:
        from polylane.run.refusals import Explainer  # few runs need it

        explainer = Explainer(plan.config.folder, _owners(plan), plan.config.table)
        if report.unclaimed:
            return explainer.unclaimed(task, report.unclaimed)
        return explainer.refused(task, report.refused)

    return explain


def _owners(plan: Plan) -> dict[str, str]:
    """Names of projects by path."""
    return {project.path: project.name for project in plan.workspace.projects.values()}


def _confinements(
    plan: Plan, environment: Mapping[str, str], views: "PrivateViews | None"
) -> Confinements:
    folder = plan.config.folder
    projects = {name: path for path, name in _owners(plan).items()}
    protected = git.data_folders(folder)
    return Confinements(folder, home(folder), projects, environment, protected, views)


def _views(plan: Plan, environment: Mapping[str, str]) -> "PrivateViews | None":
    if not _has_strict(plan):
        return None
    from tempfile import gettempdir

    from polylane.run.private_views import PrivateViews  # few runs need it

    folder = plan.config.folder
    temporary = Path(environment.get("TMPDIR") or gettempdir())
    return PrivateViews(folder, home(folder), temporary, plan.config.grace)


def _died_of_interrupt(results: Iterable[TaskResult], signals: Signals) -> int:
    """SIGINT where Ctrl-C was left to the task that has the terminal, and the task died of it."""
    died = any(task.exit_code == SIGNAL_BASE + SIGINT for task in results)
    return int(SIGINT) if signals.forwarded and died else 0


def _widths(
    plan: Plan,
    past: Past,
    expected: Sequence[Span],
    environment: Mapping[str, str],
    unheard: Collection[str],
) -> Sequence[Width] | None:
    """How many slots each task takes; None in sequence, where each has the machine."""
    if not plan.mode.parallel:
        return None
    found = widths(plan.graph.tasks, expected, environment, cores(past), unheard)
    return [each._replace(elastic=False) for each in found] if plan.mode.narrow else found


def _inner(
    plan: Plan,
    schedule: Schedule,
    environment: Mapping[str, str],
    watch: Callable[[int, bool], None],
    unheard: Collection[str],
    share: Share,
) -> Inner | None:
    if not plan.mode.parallel:
        return None  # tools use what they want
    return Inner(plan.graph.tasks, schedule, environment, watch, deaf=unheard, machine=share)


def _share(plan: Plan, request: Request, folder: runs.RunFolder, manner: Manner) -> Share:
    """What this run may use of the machine, beside others."""
    config = plan.config
    wish = Wish(
        slots.machine_slots(config.machine_jobs),
        said=config.machine_jobs != "auto",
        jobs=plan.mode.jobs,
        inside=bool(config.parent_run),
        name="\n".join((str(config.folder), folder.id, *request.selection.words())),
        folder=Path(config.slots_folder) if config.slots_folder else None,
    )
    return join(wish, manner.say)


def _stop_with(signals: Signals, pool: LanePool, share: Share) -> None:
    """Have Ctrl-Z stop what runs, and give others its slots meanwhile."""

    def suspend() -> None:
        pool.suspend()
        share.suspend()

    def resume() -> None:
        share.resume()
        pool.resume()

    signals.suspend, signals.resume = suspend, resume


def _schedule(
    plan: Plan,
    expected: Sequence[Span],
    needs: Sequence[expectations.Need],
    widths: Sequence[Width] | None,
) -> Schedule:
    """Longest remaining path first in parallel, or better; reference order in sequence."""
    sizes = [need.size for need in needs]

    def begin(line: Sequence[float] | None) -> Schedule:
        return Schedule(
            plan.graph,
            slots=plan.mode.jobs,
            priorities=line,
            alone=plan.mode.alone,
            sizes=sizes,
            widths=widths,
        )

    if not plan.mode.parallel:
        return begin(None)
    line: Sequence[float] = priorities(plan.graph, expected)
    if max(line, default=0.0) >= _LONG_S:
        from polylane.plan.improve import improve  # in short runs there is nothing to win

        line = improve(plan.graph, expected, line, begin)
    return begin(line)


def _measured(plan: Plan, request: Request, past: Past) -> float | None:
    """The wall time of a sequential run of the same selection, where a parallel one wants it."""
    if request.narrowed():
        return None
    return past.sequential.get((tuple(request.selection.words()), len(plan.graph.tasks)))
