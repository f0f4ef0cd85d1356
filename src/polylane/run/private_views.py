"""Gives each strict task of a run a private view of the workspace, and says where none can be.

Knows nothing of what becomes of a view: see `strict`.
"""

from __future__ import annotations

import os
from pathlib import Path

from polylane.model import Task
from polylane.plan.observed import CACHES
from polylane.run.strict import Private
from polylane.run.views import places
from polylane.run.views.scratch import Scratch

#: Temporary folders of a run begin so. Sockets' paths have 107 bytes, so they are short.
TEMPORARY = "polylane-"


class PrivateViews:
    """Of one run; `close` removes what it made."""

    def __init__(self, workspace: Path, own_folder: Path, temporary: Path, grace: float) -> None:
        """``own_folder``: ours, in the workspace. ``temporary``: the tasks' ``TMPDIR``."""
        self._workspace = os.path.realpath(workspace)
        self._own = Path(os.path.realpath(own_folder))
        self._temporary = Path(os.path.realpath(temporary))
        self._grace = grace
        self._why_not: str | None = None
        #: Of views, and of temporary folders.
        self._scratches: list[Scratch] = []
        self._count = 0
        self._closed = False

    def why_not(self) -> str:
        """Why no view can be, in a few words; empty where one can. It is tried once."""
        if self._why_not is None:
            place = places.choose(Path(self._workspace), self._own / "views", pid=True)
            self._why_not = place.refused[-1] if place.none else self._make(place.folder)
        return self._why_not

    def _make(self, folder: Path) -> str:
        """Make the scratch folders; returns why they cannot be."""
        wanted = [(folder, places.PREFIX), (self._temporary, TEMPORARY)]
        for parent, prefix in wanted if not self._closed else []:
            try:
                self._scratches.append(Scratch(parent, prefix))
            except OSError as error:
                return f"{parent} cannot be written: {error.strerror}"
        return ""

    def of(self, task: Task) -> Private | None:
        """The view for one attempt at a task; None where it works in the workspace itself."""
        if task.sandbox != "strict" or self.why_not():
            return None
        views, temporary = (scratch.path for scratch in self._scratches)
        self._count += 1
        return Private(
            self._workspace,
            str(views / str(self._count)),
            str(temporary / str(self._count)),
            (*task.claim.writes, *task.claim.caches),
            dropped=(*self._ours(temporary), *CACHES),
            grace=self._grace,
        )

    def _ours(self, temporary: Path) -> tuple[str, ...]:
        """What lies in the workspace, and is no task's."""
        found = (os.path.relpath(path, self._workspace) for path in (self._own, temporary))
        return tuple(path for path in found if not path.startswith("../"))

    @staticmethod
    def variables(private: Private) -> tuple[tuple[str, str], ...]:
        """What a task's environment needs in its view.

        Where git would only note what it has seen (git(1), ``GIT_OPTIONAL_LOCKS``), nothing is
        written.
        """
        return (("TMPDIR", private.temporary), ("GIT_OPTIONAL_LOCKS", "0"))

    def close(self) -> None:
        """Remove all that is left of the views; there are no more."""
        self._closed = True
        while self._scratches:
            self._scratches.pop().close()
