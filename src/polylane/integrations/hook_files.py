"""Changed files -> the tasks that a hook runs: of their projects, narrowed to the files.

Pure: it sees names, tasks and projects, and neither git nor a disk.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from polylane.model import ROOT_PROJECT, Task
from polylane.plan.patterns import parse, within

if TYPE_CHECKING:
    from polylane.describe.workspace import Workspace

#: Bytes of file names that one command gets. The kernel's limit is 128 KiB for a single word,
#: which all of them become where a package manager hands them to a shell.
NAMES_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Hook:
    """What one hook does."""

    name: str
    #: In the order of a sequential run: fixes come before the formatter that tidies up after them.
    verbs: tuple[str, ...]
    #: Runs what mends instead of what checks.
    mends: bool = False
    #: Tools that can be given files get the changed ones only.
    narrows: bool = True
    #: Projects that depend on those with changes take part.
    dependents: bool = False


HOOKS = {
    hook.name: hook
    for hook in (
        Hook("fix", ("lint", "format"), mends=True),
        Hook("check", ("lint",)),
        Hook("push", ("type-check", "test-unit"), narrows=False, dependents=True),
    )
}


@dataclass(frozen=True, slots=True)
class Change:
    """Files relative to the workspace."""

    #: Those that a tool can be given.
    files: tuple[str, ...]
    #: Those that are no more.
    gone: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.files, *self.gone)


@dataclass(slots=True)
class Narrowing:
    """Maps selected tasks to those that the changed files ask for: a `Request.adapt`."""

    hook: Hook
    change: Change
    #: Names of manifests: a project that lost its own may be missed by any other.
    manifests: frozenset[str] = frozenset()
    #: Ids of tasks which need not run whole once more.
    done: frozenset[str] = frozenset()
    #: Ids of tasks that were kept, and work on more than the changed files.
    whole: set[str] = field(default_factory=set)

    def __call__(self, tasks: list[Task], workspace: Workspace) -> list[Task]:
        """Keep what the changed files ask for, and all that it needs."""
        self.whole.clear()  # a plan may be made twice
        owners = Owners(workspace)
        affected = self._affected(owners, workspace)
        asked = [task for task in tasks if task.verb in self.hook.verbs]
        parts: dict[str, list[Task]] = {}
        for task in mended(asked) if self.hook.mends else asked:
            if kept := self._parts(task, owners, affected):
                parts[task.id] = kept
        return _with_needs(tasks, parts)

    def _affected(self, owners: Owners, workspace: Workspace) -> set[str]:
        names = {owners.of(path) for path in self.change.paths}
        if not self.hook.dependents:
            return names
        if any(posixpath.basename(path) in self.manifests for path in self.change.gone):
            return {ROOT_PROJECT, *workspace.projects}
        return names | dependents(workspace, names)

    def _parts(self, task: Task, owners: Owners, affected: set[str]) -> list[Task]:
        if self.hook.narrows and task.file_endings and task.argv:
            return narrowed(task, [f for f in self.change.files if owners.belongs(f, task)])
        if task.id in self.done or not (task.project in affected or self._read_by(task)):
            return []
        self.whole.add(task.id)
        return [_writes_its_project(task, owners) if self.hook.mends else task]

    def _read_by(self, task: Task) -> bool:
        """Whether a Python body says that it reads a changed file, wherever that lies."""
        if task.argv or not task.claim.known:
            return False
        return any(matches(path, task.claim.reads) for path in self.change.paths)


class Owners:
    """Which project a file belongs to: the deepest one that it lies in."""

    def __init__(self, workspace: Workspace) -> None:
        self._by_path = {project.path: project for project in workspace.projects.values()}

    def of(self, path: str, language: str = "") -> str:
        """The project's name, of those of a language; outside all of them, the root's."""
        folder = path
        while folder != ".":
            folder = posixpath.dirname(folder) or "."
            project = self._by_path.get(folder)
            if project is not None and (not language or language in project.languages):
                return project.name
        return ROOT_PROJECT

    def belongs(self, path: str, task: Task) -> bool:
        """Whether a file is one that a task of its language would look at.

        A script in Python in a project of Node is checked by the Python project around it.
        """
        return path.endswith(task.file_endings) and self.of(path, task.language) == task.project

    def tree(self, name: str) -> str:
        """The pattern of everything in a project."""
        path = next((p.path for p in self._by_path.values() if p.name == name), ".")
        return "**" if path == "." else f"{path}/**"


def dependents(workspace: Workspace, names: Iterable[str]) -> set[str]:
    """The projects that depend on some of ``names``, near or far."""
    wanted = set(names)
    return {name for name in workspace.projects if wanted & set(workspace.depends_on(name))}


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is in what the patterns of a claim say, each ``!`` taking away."""
    name = tuple(path.split("/"))
    found = False
    for pattern in patterns:
        if within(name, parse(pattern.removeprefix("!"))):
            found = not pattern.startswith("!")
    return found


def mended(tasks: Iterable[Task]) -> list[Task]:
    """What mends: formatters, and checks by the command that also mends; none of it twice."""
    result: list[Task] = []
    commands = set()
    for task in sorted(tasks, key=lambda task: bool(task.fix_argv)):  # formatters first
        if task.fix_argv:
            task = task._replace(argv=task.fix_argv)  # noqa: PLW2901 - the same task
        elif task.verb == "lint":
            continue
        if not task.argv or (task.argv, task.cwd) not in commands:
            commands.add((task.argv, task.cwd))
            result.append(task)
    return result


def narrowed(task: Task, files: Iterable[str]) -> list[Task]:
    """The task for these files alone; in parts where their names are too long for one command.

    The last part has the task's own id, and only those that mend write: just their files.
    """
    target = posixpath.normpath(posixpath.join(task.cwd, task.argv[-1]))
    below = [file for file in files if target == "." or file.startswith(f"{target}/")]
    parts = list(_batches(below, task.cwd))
    return [
        task._replace(
            id=task.id if at == len(parts) else f"{task.id}:{at}",
            argv=(*task.argv[:-1], *(_word(file, task.cwd) for file in part)),
            claim=task.claim._replace(writes=tuple(map(_literal, part)))
            if task.fix_argv and task.argv == task.fix_argv
            else task.claim,
        )
        for at, part in enumerate(parts, start=1)
    ]


def _batches(files: Iterable[str], cwd: str) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for file in files:
        length = len(os.fsencode(_word(file, cwd))) + 1
        if batch and size + length > NAMES_LIMIT:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += length
    if batch:
        yield batch


def _word(file: str, cwd: str) -> str:
    """A file as a tool takes it: never like an option, a list of files (``@x``) or a ``!``."""
    name = posixpath.relpath(file, cwd)
    return name if name[0].isalnum() or name[0] in "._" else f"./{name}"


def _literal(file: str) -> str:
    """A pattern that holds a file, whatever its name."""
    return "./" + "".join("?" if letter in "*?[]" else letter for letter in file)


def _writes_its_project(task: Task, owners: Owners) -> Task:
    """A check that mends the whole project writes there, which its claim does not say."""
    if not task.fix_argv or task.argv != task.fix_argv:
        return task
    return task._replace(claim=task.claim._replace(writes=(owners.tree(task.project),)))


def _with_needs(tasks: Iterable[Task], parts: dict[str, list[Task]]) -> list[Task]:
    """All parts, and what they need as it was selected; who needs a task needs all its parts."""
    by_id = {task.id: task for task in tasks}
    kept = dict(parts)
    todo = [task for each in parts.values() for task in each]
    while todo:
        for need in todo.pop().needs:
            if need not in kept:
                kept[need] = [by_id[need]]
                todo.append(by_id[need])
    ids = {name: [task.id for task in each] for name, each in kept.items()}
    return [
        task._replace(needs=tuple(chain.from_iterable(ids[need] for need in task.needs)))
        for each in kept.values()
        for task in each
    ]
