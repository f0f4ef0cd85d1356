"""``lanes.trace``: a selection under the tracer, one task at a time -> what it touched, in words.

Knows nothing of Invoke.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from polylane import __version__
from polylane.describe import claims_file
from polylane.describe import config as configuration
from polylane.errors import UserError
from polylane.integrations import offers
from polylane.integrations.bodies import Body
from polylane.planning import Plan, Request
from polylane.prove.touched import Whereabouts, joined
from polylane.prove.trace import Trace, judge
from polylane.prove.trace_json import write
from polylane.report import trace_text
from polylane.result import RunResult
from polylane.run.tracing.tracer import available
from polylane.start import start

if TYPE_CHECKING:
    from polylane.describe.workspace import Workspace
    from polylane.model import Task
    from polylane.plan.observed import Observed
    from polylane.remember.runs import RunFolder
    from polylane.report.plain import Screen
    from polylane.run.tracing.touches import Touches


def trace(
    request: Request, bodies: Sequence[Body], config: Any = None, *, save: bool, merge: bool
) -> RunResult:
    """Run and report; ``save``: write what was observed into ``polylane.claims.toml``.

    ``merge``: keep what the file says. ``config`` is Invoke's. `UserError` where nothing can be
    traced.
    """
    if why := available():
        raise UserError(f"lanes.trace: {why}")
    if merge and not save:
        raise UserError("--merge: says how --write writes; give both")
    if save and request.words:
        raise UserError("--write: a run with words after -- is not the task's own; leave them out")
    request = offers.with_bodies(request, bodies, config)
    request = request._replace(sequential=True, adapt=_where_they_write)
    return start(request, lambda plan: _Watch(plan, request, save=save, merge=merge))


def _where_they_write(tasks: list[Task], _: Workspace) -> list[Task]:
    """Strict mode would hide what a task writes behind a view of its own."""
    return [t._replace(sandbox="projects") if t.sandbox == "strict" else t for t in tasks]


class _Watch:
    """Gathers what the tasks of one run touch, and says it at the end."""

    def __init__(self, plan: Plan, request: Request, *, save: bool, merge: bool) -> None:
        self._plan = plan
        self._save = save
        self._merge = merge
        own = request.own_tasks
        self._own = own(plan.config, plan.workspace) if own else ()
        paths = [project.path for project in plan.workspace.projects.values()]
        self._where = Whereabouts(plan.config.folder, paths, tempfile.gettempdir())
        self._seen: dict[str, Observed] = {}

    def touched(self, task: str, touches: Touches) -> None:
        seen = self._where.observed(touches)
        before = self._seen.get(task)
        self._seen[task] = seen if before is None else joined(before, seen)

    def ended(self, result: RunResult, folder: RunFolder, screen: Screen) -> None:
        found = judge(self._plan, self._own, result, self._seen, merge=self._merge)
        path = write(folder, found, result)
        home = configuration.task_environment().get("HOME", "")
        for line in trace_text.lines(self._plan, found, path, home):
            screen.line(line.text, style=line.style)
        for text in self._written(found) if self._save else trace_text.to_write(found):
            screen.line(text)

    def _written(self, found: Trace) -> Iterable[str]:
        if found.interrupted:
            return [f"interrupted: {claims_file.FILE} stays as it was"]
        today = date.today().isoformat()  # noqa: DTZ011 - for people, here
        claims_file.write(self._plan.config.folder, found.claims, today, __version__)
        return trace_text.written(found)
