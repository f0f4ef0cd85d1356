"""The Invoke tasks ``lanes.*``: what polylane says of a workspace and of itself.

Each turns what Invoke was given into a request, and what comes of it into text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

from polylane.integrations import bodies, offers
from polylane.integrations.invoke_flags import exits, invoke_task, names, request
from polylane.plan.selection import Selection


def collection(folder: Path) -> Collection:
    """Return the collection ``lanes`` of a workspace."""
    lanes = Collection("lanes")
    for make in (_plan,):
        lanes.add_task(make(folder))
    return lanes


def _plan(folder: Path) -> Task[Any]:
    def plan(
        c: Any,
        select: str = "",
        project: Sequence[str] | None = None,
        language: str = "",
        jobs: str = "",
        sequential: bool = False,
    ) -> None:
        """Show the plan: every task, its command, what it comes after, and what was left out."""
        from polylane.report import plan_text

        with exits():
            selection = _selection(folder, select, project, language)
            asked = request(folder, selection, c, {"jobs": jobs, "sequential": sequential})
            print(plan_text.plan(offers.plan(asked, bodies.registry)))

    return invoke_task(plan, "plan", ("project",))


def _selection(
    folder: Path, select: str, project: Sequence[str] | None, language: str
) -> Selection:
    verbs = offers.verbs_of(folder, select or "qa", bodies.registry)
    return Selection(verbs, names(language), tuple(project or ()))
