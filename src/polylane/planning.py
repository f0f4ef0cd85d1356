"""Everything before anything runs: what was asked, and the plan that it comes to.

``config -> workspace -> graph``, the first half of a run. Starts nothing, writes no output.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from polylane.describe import config as configuration
from polylane.describe import workspace
from polylane.describe.config import Config
from polylane.describe.languages.base import Environment
from polylane.describe.workspace import Workspace
from polylane.errors import UserError, did_you_mean
from polylane.model import Task
from polylane.plan.durations import Past
from polylane.plan.graph import Graph, build
from polylane.plan.jobs import Trial
from polylane.plan.selection import Selection, reference_key, select
from polylane.plan.tasks import all_tasks
from polylane.records import NamedTuple
from polylane.remember import history
from polylane.run import slots


class Request(NamedTuple):
    """What was asked for. None, or empty: nothing was said."""

    folder: Path
    selection: Selection
    #: The name ended in ``-parallel``.
    parallel: bool = False
    sequential: bool = False
    jobs: int | str | None = None
    fail_fast: bool = False
    output: str = "auto"
    timeout: float | None = None
    #: For all selected tasks; empty: what the configuration says.
    sandbox: str = ""
    #: Words for the tools of the selected tasks.
    words: tuple[str, ...] = ()
    #: Changes the selected tasks before they are planned: a hook narrows them to changed files.
    adapt: Callable[[list[Task], Workspace], list[Task]] | None = None
    #: Adds the tasks that the user wrote in Python.
    own_tasks: Callable[[Config, Workspace], tuple[Task, ...]] | None = None
    #: Their bodies by task id: they take the words after ``--``, and return an exit code.
    bodies: Mapping[str, Callable[[tuple[str, ...]], int]] = MappingProxyType({})
    #: By language: the environment that its tasks use instead of the projects' own.
    environments: Mapping[str, Environment] = MappingProxyType({})
    #: Whether a selection that matches no task is an error.
    must_match: bool = True
    #: End with a line instead of a table: for hosts that show the output of failures only.
    brief: bool = False
    #: Where reports of the run are to be written, each in the format of its ending.
    reports: tuple[Path, ...] = ()

    def narrowed(self) -> bool:
        """Whether tasks get words or files of their own: then they take another time than usual."""
        return bool(self.words) or self.adapt is not None


class Mode(NamedTuple):
    """How tasks share the time."""

    parallel: bool
    jobs: int
    #: Verbs that are not rolled out yet: each of their tasks has all slots for itself.
    alone: frozenset[str] = frozenset()
    #: No task takes more slots than it must, so that more of them meet.
    narrow: bool = False


class Plan(NamedTuple):
    """Everything that is known before anything runs."""

    config: Config
    workspace: Workspace
    mode: Mode
    graph: Graph
    #: By id.
    tasks: Mapping[str, Task]
    #: Ids that ``polylane.claims.toml`` speaks of, and that are no tasks (any more).
    vanished: tuple[str, ...] = ()
    #: What earlier runs took, read when it is first asked for.
    past: Callable[[], Past] = Past


def make_plan(request: Request) -> Plan:
    """Read the configuration, find the work, select and order it; starts nothing."""
    config = configuration.load(request.folder)
    found = workspace.find(config)
    own = request.own_tasks(config, found) if request.own_tasks else ()
    tasks = all_tasks(config, found, own)
    selected = select(tasks, request.selection)
    if request.adapt is not None:
        selected = request.adapt(selected, found)
    selected = _with_flags(selected, request)
    _check_leave(selected)
    if not selected and request.must_match:
        raise UserError(_nothing(config, found, request.selection))
    key = reference_key(request.selection, found.projects, found.languages, tasks.values())
    graph = build(selected, key)
    check_verbs(config, tasks.values())
    verbs = frozenset(task.verb for task in selected)
    past = cache(lambda: history.past(config.folder))
    mode = choose_mode(request, config, verbs, lambda: _trials(past(), request, len(selected)))
    vanished = tuple(name for name in config.claims if name not in tasks)
    by_id = {task.id: task for task in selected}
    return Plan(config, found, mode, graph, by_id, vanished, past)


def choose_mode(
    request: Request,
    config: Config,
    verbs: frozenset[str],
    trials: Callable[[], Iterable[Trial]] = tuple,
) -> Mode:
    """Parallel or not, the strongest first: flag, environment, name or jobs, configuration.

    ``verbs``: those of the tasks that run, of needed ones too. ``trials``: what earlier runs took.
    """
    if request.sequential or config.use_parallel is False:
        return Mode(parallel=False, jobs=1)
    said = config.jobs if request.jobs is None else request.jobs
    asked = request.jobs is not None and slots.resolve_jobs(said, slots.cores()) > 1
    parallel = request.parallel or config.use_parallel or asked
    if not parallel and set(config.parallel).isdisjoint(request.selection.verbs):
        return Mode(parallel=False, jobs=1)
    jobs = slots.resolve_jobs(said, slots.cores(), trials)
    if said == "auto" and config.machine_jobs not in ("auto", "off"):
        jobs = min(jobs, slots.machine_slots(config.machine_jobs) or jobs)
    alone = frozenset[str]() if parallel else verbs - set(config.parallel)
    return Mode(parallel=True, jobs=jobs, alone=alone)


def _trials(past: Past, request: Request, tasks: int) -> Sequence[Trial]:
    if request.narrowed():
        return ()
    return past.trials.get((tuple(request.selection.words()), tasks), ())


def check_verbs(config: Config, tasks: Iterable[Task]) -> None:
    """Refuse a verb in ``parallel`` that no task could have."""
    known = dict.fromkeys((*config.verb_order(), *(task.verb for task in tasks)))
    for verb in config.parallel:
        if verb not in known:
            hint = did_you_mean(verb, known) or f"; verbs: {', '.join(known)}"
            raise UserError(f"{config.where('parallel')}: there is no verb {verb!r}{hint}")


def _with_flags(tasks: Iterable[Task], request: Request) -> list[Task]:
    """Apply ``--timeout``, ``--sandbox``, and the words after ``--`` to what takes them."""
    result = list(tasks)
    if request.timeout is not None:
        result = [task._replace(timeout=request.timeout) for task in result]
    if request.sandbox:
        result = [task._replace(sandbox=request.sandbox) for task in result]
    if not request.words:
        return result
    takers = {t.id for t in result if t.verb in request.selection.verbs and t.takes_arguments}
    if not takers:
        words = shlex.join(request.words)
        raise UserError(f"-- {words}: none of the selected tasks takes words for its tool")
    return [_with_words(t, request.words) if t.id in takers else t for t in result]


def _check_leave(tasks: Iterable[Task]) -> None:
    for task in tasks:
        if task.leave and task.sandbox == "strict":
            raise UserError(
                f'{task.id} ({task.source}): leave = true cannot be with sandbox = "strict": all'
                ' processes of a private view end with it; say sandbox = "projects" for this task'
            )


def _with_words(task: Task, words: tuple[str, ...]) -> Task:
    if not task.argv:
        return task  # a Python body takes them from its assignment
    if task.shell:
        return task._replace(argv=(f"{task.argv[0]} {shlex.join(words)}",))
    return task._replace(argv=(*task.argv, *words))


def _nothing(config: Config, found: Workspace, selection: Selection) -> str:
    if not found.projects and not config.tasks:
        return (
            f"{config.folder}: no project was found: polylane looks for pyproject.toml,"
            " setup.cfg, setup.py and package.json that git does not ignore"
        )
    return f"nothing to do for {' '.join(selection.words())}: inv lanes.plan shows what was found"
