"""Turns a task into the order for one attempt at it: absolute paths, environment, log.

Knows nothing of when tasks run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from polylane.describe import languages
from polylane.describe.config import RUN_VARIABLE, Config
from polylane.describe.languages.base import Environment
from polylane.describe.workspace import Workspace
from polylane.model import VERBS, Task
from polylane.run.confinements import Confinements
from polylane.run.protocol import Assignment

if TYPE_CHECKING:
    from polylane.run.private_views import PrivateViews

Pairs = tuple[tuple[str, str], ...]

#: These verbs run the user's own program, which must not see a colour that we asked for: it could
#: change a verdict.
_NO_COLOUR = frozenset({"test", "test-unit", "test-integration"})
_COLOUR: Pairs = (("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1"))


class Assignments:
    """Makes the assignments of one run."""

    def __init__(
        self,
        config: Config,
        workspace: Workspace,
        environment: Mapping[str, str],
        *,
        run_folder: Path,
        log_name: Callable[[str, int], str] | None,
        colour: bool = False,
        words: tuple[str, ...] = (),
        environments: Mapping[str, Environment] | None = None,
        confinements: Confinements | None = None,
        views: PrivateViews | None = None,
        trace: str = "",
    ) -> None:
        """``log_name``: of a task's attempt; None where the task has the terminal instead.

        ``environments``: by language, instead of the projects' own. ``trace``: see `Assignment`.
        """
        self._config = config
        self._folder = str(config.folder)
        self._workspace = workspace
        self._path = environment.get("PATH", os.defpath)
        self._run_folder = str(run_folder)
        self._log_name = log_name
        self._colour = colour
        self._words = words
        self._environments = environments or {}
        self._confinements = confinements
        self._views = views
        self._trace = trace
        self._known: dict[tuple[str, str], Pairs] = {}

    def __call__(self, task: Task, attempt: int) -> Assignment:
        """The assignment for an attempt, counted from 1."""
        folder = self._folder
        confined = self._confinements.of(task) if self._confinements else None
        is_bound = confined is not None and not confined.is_free
        more = self._confinements.variables if self._confinements and is_bound else ()
        view = self._views.of(task) if self._views else None
        if view is not None and self._views is not None:
            more = (*more, *self._views.variables(view))
        log = f"{self._run_folder}/{self._log_name(task.id, attempt)}" if self._log_name else ""
        return Assignment(
            id=task.id,
            argv=task.argv,
            shell=task.shell,
            cwd=folder if task.cwd == "." else os.path.join(folder, task.cwd),  # noqa: PTH118
            env=self._environment(task, more),
            log=log,
            timeout=task.timeout,
            grace=self._config.grace,
            leave=task.leave,
            words=() if task.argv else self._words,
            again=task.verb in VERBS,  # a verb of the user's may publish something
            confinement=None if confined is None else tuple(confined),
            view=None if view is None else tuple(view),
            trace=self._trace,
        )

    def path(self, task: Task) -> str:
        """Where a task's programs are looked for."""
        return dict(self._environment(task, ()))["PATH"]

    def _environment(self, task: Task, more: Pairs) -> Pairs:
        """What is added to our own environment: the project's tools lead ``PATH``."""
        key = (task.project, task.language)
        if key not in self._known:
            self._known[key] = self._of_project(task)
        colour = _COLOUR if self._colour and task.verb not in _NO_COLOUR else ()
        run = (RUN_VARIABLE, self._run_folder)
        return (*self._known[key], run, *colour, *more, *task.env)

    def _of_project(self, task: Task) -> Pairs:
        project = self._workspace.projects.get(task.project)
        path = project.path if project else "."
        targets = self._workspace.languages
        names = [task.language] if task.language else list(project.languages if project else ())
        folders: list[str] = []
        variables: list[tuple[str, str]] = []
        for name in names:
            if name in targets:
                found = self._environments.get(name) or languages.load(targets[name]).environment(
                    self._workspace.folder, path
                )
                folders.extend(found.path_dirs)
                variables.extend(found.variables)
        return (("PATH", os.pathsep.join([*folders, self._path])), *variables)
