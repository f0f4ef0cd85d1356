"""Sets up the environments that a run lacks, before it: for hosts that promise it.

Two runs at once set an environment up once: the second waits for the projects' locks, and plans
again when it has them. Knows nothing of what an installer does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylane.describe.workspace import Workspace
from polylane.integrations import offers
from polylane.model import Project, Task
from polylane.plan.selection import Selection
from polylane.planning import Plan, Request

if TYPE_CHECKING:
    from polylane.integrations.bodies import Body
    from polylane.result import RunResult

VERB = "setup"

#: Tasks of these verbs use no environment.
_WITHOUT = frozenset({VERB, "clean"})


def run(request: Request, bodies: Sequence[Body], config: Any = None) -> RunResult:
    """Run a request, and the setup that it lacks before; where that fails, it is the result."""
    due = missing(request, bodies)
    if due:
        print(f"polylane: sets up first: {', '.join(due)}", file=sys.stderr, flush=True)
        result = offers.run(_setup_of(request, due), bodies, config)
        if result.exit_code:
            return result
    return offers.run(request, bodies, config)


def missing(request: Request, bodies: Sequence[Body]) -> list[str]:
    """Ids of the setup tasks that the request's own tasks need done and which are not."""
    due = undone(request.folder, plan_setup(request, bodies).graph.tasks)
    if not due:
        return []
    plan = offers.plan(request, bodies)
    return [t.id for t in serving(due, plan) if t.language not in request.environments]


def undone(folder: Path, tasks: Iterable[Task]) -> list[Task]:
    """Those setup tasks of which something that they create is missing in the workspace."""
    return [task for task in tasks if task.verb == VERB and not _is_done(folder, task)]


def plan_setup(request: Request, bodies: Sequence[Body], tasks: Sequence[Task] = ()) -> Plan:
    """The plan of these setup tasks; of all in the workspace where none are named."""
    selection = Selection((VERB,), ids=frozenset(task.id for task in tasks))
    return offers.plan(Request(request.folder, selection, must_match=False), bodies)


def serving(setups: Sequence[Task], plan: Plan) -> list[Task]:
    """Those which set up what the tasks of a plan use: their projects, and the ones around them."""
    users, projects = plan.graph.tasks, plan.workspace.projects
    return [
        setup
        for setup in setups
        if setup.id not in plan.tasks and any(serves(setup, user, projects) for user in users)
    ]


def serves(setup: Task, user: Task, projects: Mapping[str, Project]) -> bool:
    """Whether a setup task sets up what another task uses."""
    if user.verb in _WITHOUT:
        return False
    languages = {setup.language, user.language}
    if len(languages) > 1 and "" not in languages:
        return False
    outer, inner = (_path(projects, task.project) for task in (setup, user))
    return outer in (".", inner) or inner.startswith(f"{outer}/")


def _path(projects: Mapping[str, Project], name: str) -> str:
    return projects[name].path if name in projects else "."


def _is_done(folder: Path, task: Task) -> bool:
    """Whether all that it creates is there; of one that names nothing nobody could say it."""
    return all(_is_whole(folder / path) for path in task.creates)


def _is_whole(path: Path) -> bool:
    """Whether something is there, and no killed setup left half of it."""
    from polylane.tools.setup_python import MARKER, UNFINISHED

    try:
        return (path / MARKER).read_bytes() != UNFINISHED
    except OSError:
        return path.exists()


def _setup_of(request: Request, due: Sequence[str]) -> Request:
    """The request for a setup: what another run has done meanwhile is left out."""

    def adapt(tasks: list[Task], found: Workspace) -> list[Task]:
        left = [t for t in tasks if not t.creates or not _is_done(found.folder, t)]
        kept = {task.id for task in left}
        return [t._replace(needs=tuple(n for n in t.needs if n in kept)) for t in left]

    return request._replace(
        selection=Selection((VERB,), ids=frozenset(due)),
        words=(),
        timeout=None,
        adapt=adapt,
        environments={},
        must_match=False,
    )
