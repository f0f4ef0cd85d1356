"""Decides for each task of a run how it is confined, and prepares what confined tasks expect.

Knows the levels of `model.SANDBOXES`, and nothing of how the kernel enforces them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from polylane.model import Task
from polylane.run import landlock, sandbox, surroundings
from polylane.run.sandbox import Confinement
from polylane.run.writable import writable

if TYPE_CHECKING:
    from polylane.run.private_views import PrivateViews


class Confinements:
    """Of one run; `close` removes what it made."""

    def __init__(
        self,
        workspace: Path,
        own_folder: Path,
        projects: Mapping[str, str],
        environment: Mapping[str, str],
        protected: Sequence[Path],
        views: PrivateViews | None = None,
    ) -> None:
        """``projects``: paths by name. ``protected``: what no task may write, wherever it lies.

        ``views``: of strict tasks; None: these are confined as others are.

        ``own_folder``: ours, which stays writable for a run inside a task.
        """
        #: Why nothing is confined, in a few words; empty where it is.
        self.why_not = sandbox.why_not()
        #: The tasks that were seen to have all of the workspace: Landlock cannot leave out a part.
        self.whole: set[str] = set()
        #: What tasks' environments need beside.
        self.variables: tuple[tuple[str, str], ...] = ()
        self._workspace = workspace
        self._own = str(own_folder)
        self._projects = projects
        self._environment = environment
        self._views = views
        self._repository = protected
        self._protected = tuple(_outside(workspace, protected))
        self._temporary = ""
        self._made = ""
        self._prepared = False
        #: By the paths that may be written.
        self._known: dict[tuple[str, ...], Confinement | None] = {}

    def of(self, task: Task) -> Confinement | None:
        """How a task is confined; None where it is not."""
        if task.sandbox == "off" or self.why_not:
            return None
        self._prepare()
        paths = self._writable(task)
        if "." in paths and not self._is_viewed(task):
            self.whole.add(task.id)
        if "." in paths and not self._protected:
            # Nothing is left to refuse but signals; so things can be mounted, too.
            return self._free() if not self._is_viewed(task) else None
        if paths not in self._known:
            self._known[paths] = sandbox.confine(
                self._workspace,
                (*paths, self._own),
                protected=self._protected,
                temporary=self._temporary,
            )
        return self._known[paths]

    @property
    def exposed(self) -> str:
        """What tasks that had all of the workspace reached beside their own, in a few words."""
        if not self.whole:
            return ""
        return exposed(self._workspace, self._projects.values(), self._repository)

    def _free(self) -> Confinement | None:
        if (".",) not in self._known:
            scoped = landlock.scopes_signals()
            self._known[".",] = sandbox.confine(self._workspace, ["."]) if scoped else None
        return self._known[".",]

    def _is_viewed(self, task: Task) -> bool:
        return task.sandbox == "strict" and self._views is not None and not self._views.why_not()

    def _writable(self, task: Task) -> tuple[str, ...]:
        if self._is_viewed(task):
            return (".",)  # of its view
        project = self._projects.get(task.project, ".")
        return writable(str(self._workspace), project, task.claim, self._projects.values())

    def _prepare(self) -> None:
        """Once, before the first confined task: the home's folders, and a temporary folder."""
        if self._prepared or all(path == "." for path in self._projects.values()):
            return
        self._prepared = True
        workspace = os.path.realpath(self._workspace)
        home = self._environment.get("HOME", "")
        if home:
            surroundings.prepare_home(home, workspace, self._environment)
        self._temporary = self._environment.get("TMPDIR") or tempfile.gettempdir()
        self._made = surroundings.private_temporary(self._temporary, workspace)
        if self._made:
            self._temporary = self._made
            self.variables = (("TMPDIR", self._made),)

    def close(self) -> None:
        """Remove the temporary folder that was made."""
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)


def exposed(workspace: Path, projects: Collection[str], protected: Sequence[Path]) -> str:
    """What a task that may write the whole workspace reaches beside its own: a few words.

    ``projects``: their paths. ``protected``: the folders of git's data, inside or not.
    """
    outside = list(_outside(workspace, protected))
    parts = [".git"] if len(outside) < len(protected) else []
    parts += ["other projects"] if any(path != "." for path in projects) else []
    return " and ".join(parts)


def _outside(workspace: Path, protected: Iterable[Path]) -> Iterator[str]:
    inside = os.path.realpath(workspace) + os.sep
    real = map(os.path.realpath, protected)
    return (path for path in real if not path.startswith(inside))
